/* SPDX-License-Identifier: BSD-3-Clause */
/* test_killed.c - a process is killed, the next one does something else, and
 * then the power goes.
 *
 * The second one acts upon who stands on whom, as the first one left that in
 * the page cache (D9). */
#include <stdio.h>

#include "io_crash.h"
#include "io_fault.h"
#include "job/jobs.h"
#include "make_chain.h"
#include "tree/snapshot.h"

#define DISK  "/vm/disk.vhd"
#define STATE "/vm/disk@a.vhd"
#define CLONE "/vm/clone.vhd"
#define OTHER "/vm/base/other.vhd"
#define CHILD "/vm/child.vhd"
#define SIZE  (16u << 10)
#define BLOCK 4096u

typedef int (*task_fn)(const struct fs *fs);

static void
put(struct fs *fs, const char *path, char letter, char parent, unsigned blocks)
{
	struct footer f = {.current_size = SIZE,
			   .geometry = geometry_for(SIZE)};
	uint8_t sector[SECTOR_SIZE];
	struct image *img;

	memset(sector, letter, sizeof(sector));
	memset(f.uuid, parent, 16);
	put_formatted(fs, path,
		      &(struct image_create){
			      .type = parent ? VHD_TYPE_DIFFERENCING
					     : VHD_TYPE_DYNAMIC,
			      .size = SIZE,
			      .block_size = BLOCK,
			      .uuid = uuid_of(letter),
			      .parent = parent ? &f : NULL,
			      .parent_relative = parent == 'd' ? "disk.vhd"
							       : "disk@a.vhd"});
	img = open_image(fs, path, IMAGE_WRITE);
	for (unsigned i = 0; i < blocks; i++)
		expect_ok(image_pwrite(img, sector, SECTOR_SIZE, i * BLOCK),
			  path);
	expect_ok(image_close(img), path);
}

/* ---- What may be asked for ---- */

static int
delete_state(const struct fs *fs)
{
	struct vhd_snapshot_opts o = VHD_SNAPSHOT_OPTS_INIT;
	struct disk_place d;
	int err = disk_place_init(&d, fs, DISK, &o);

	if (err)
		return err;
	err = snapshot_delete(&d, "a");
	disk_place_free(&d);
	return err;
}

static int
revert(const struct fs *fs)
{
	struct vhd_snapshot_opts o = VHD_SNAPSHOT_OPTS_INIT;
	struct disk_place d;
	int err = disk_place_init(&d, fs, DISK, &o);

	if (err)
		return err;
	err = snapshot_revert(&d, "a", NULL);
	disk_place_free(&d);
	return err;
}

static int
rebase_clone(const struct fs *fs)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct chain *c;
	int err = chain_open(&c, fs, CLONE, &opts);

	if (err)
		return err;
	return chain_close_after(c, job_rebase(c, OTHER, 0, NULL));
}

static int
make_other(const struct fs *fs)
{
	struct vhd_create_opts o = VHD_CREATE_OPTS_INIT;

	o.virtual_size = SIZE;
	return job_create(fs, OTHER, &o);
}

static int
clone_other(const struct fs *fs)
{
	struct vhd_create_opts o = VHD_CREATE_OPTS_INIT;

	o.parent = OTHER;
	return job_create(fs, CHILD, &o);
}

static int
merge_disk(const struct fs *fs)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct chain *c;
	int err = chain_open(&c, fs, DISK, &opts);

	if (err)
		return err;
	return chain_close_after(c, job_merge(c, &o));
}

static int
write_disk(const struct fs *fs)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	uint8_t bytes[SIZE] = {0};
	struct chain *c;
	int err = chain_open(&c, fs, DISK, &opts);

	if (err)
		return err;
	err = chain_pwrite(c, bytes, SIZE, 0, 0);
	return chain_close_after(c, err ? err : chain_flush(c));
}

/* ---- What must be there ---- */

struct scene {
	char what[40];
	const char *disks[2]; /* that keep what they have; NULL: none */
	const char *made;     /* a new one, which is empty; or NULL */
	bool told;            /* that it is there */
	uint8_t content[2][SIZE];
	uint64_t states, n;
};

static void
read_disk(uint8_t ret[static SIZE], struct fs *fs, const char *path)
{
	struct chain *c = open_disk(fs, path, 0);

	expect_ok(chain_pread(c, ret, SIZE, 0), path);
	close_disk(c);
}

static void
look_at(const struct scene *s, const struct crash_state *state,
	const char *path, const uint8_t *content)
{
	const struct chain_opts opts = {.flags = 0};
	uint8_t now[SIZE];
	char text[2000];
	struct chain *c;
	int err = chain_open(&c, state->fs, path, &opts);

	if (!err)
		err = chain_close_after(c, chain_pread(c, now, SIZE, 0));
	if (!err && !memcmp(now, content, SIZE))
		return;
	crash_state_text(text, sizeof(text), state);
	fail_msg("%s, killed at change %u: %s %s\n%s", s->what, (unsigned)s->n,
		 path, err ? error_message() : "reads otherwise", text);
}

static int
look(const struct crash_state *state, void *user)
{
	static const uint8_t zeros[SIZE];
	const struct scene *s = user;

	for (int i = 0; i < 2 && s->disks[i]; i++)
		look_at(s, state, s->disks[i], s->content[i]);
	if (s->made && s->told)
		look_at(s, state, s->made, zeros);
	return 0;
}

static void
cut_power(struct fs *crash, void *user)
{
	const struct crash_limits limits = {.exhaustive = 64, .sampled = 32};
	struct scene *s = user;

	(void)crash_each_state(&s->states, crash, &limits, look, s);
}

/* False when the first is done before change n. */
static bool
try(struct scene *s, struct fs *memory, task_fn first, task_fn second)
{
	struct fs *crash = NULL, *fault = NULL;
	bool killed;

	expect_ok(crash_fs_from(&crash, memory), "crash_fs_from");
	expect_ok(fault_fs_new(&fault, crash), "fault_fs_new");
	fault_arm(fault, &(struct fault){.at = s->n,
					 .kinds = FAULT_WRITE | FAULT_FLUSH |
						  FAULT_TRUNCATE | FAULT_PUNCH |
						  FAULT_NAMES | FAULT_SYNC_DIR |
						  FAULT_ATTRIBUTES,
					 .sticky = true});
	(void)first(fault);
	killed = fault_fired(fault);
	fault_arm(fault, &(struct fault){.at = 0});
	s->told = false;
	crash_set_hook(crash, cut_power, s);
	s->told = second(fault) == 0;
	cut_power(crash, s);
	fault_fs_free(fault);
	crash_fs_free(crash);
	return killed;
}

/* The disks of a tree, of which the clone stands on a state or on the disk. */
static void
expect_kept(struct scene *s, const char *clone_on, task_fn first,
	    task_fn second)
{
	struct fs *memory = new_fs();

	put(memory, STATE, 'a', 0, 1);
	if (first != make_other)
		put(memory, OTHER, 'o', 0, 1);
	put(memory, DISK, 'd', 'a', 2);
	put(memory, CLONE, 'c', *clone_on, 3);
	read_disk(s->content[0], memory, CLONE);
	read_disk(s->content[1], memory, DISK);
	for (s->n = 1; try(s, memory, first, second);)
		s->n++;
	if (s->n < 5 || s->states < 100)
		fail_msg("%s: only %u changes", s->what, (unsigned)s->n);
	mem_fs_free(memory);
}

static void
disks_survive_a_killed_change_of_their_tree_and_the_next(void **state)
{
	const task_fn killed[] = {delete_state, rebase_clone};
	const task_fn next[] = {delete_state, rebase_clone, merge_disk};
	static const char *const names[] = {"delete", "rebase", "merge"};

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		struct scene s = {.disks = {CLONE, DISK}};

		(void)snprintf(s.what, sizeof(s.what), "%s, then %s",
			       names[i / 3], names[i % 3]);
		expect_kept(&s, "a", killed[i / 3], next[i % 3]);
	}
}

static void
a_clone_survives_a_killed_rebase_and_what_its_parent_becomes(void **state)
{
	struct scene reverted = {.disks = {CLONE}, .what = "rebase, then revert"};
	struct scene written = {.disks = {CLONE}, .what = "rebase, then write"};

	(void)state;
	expect_kept(&reverted, "d", rebase_clone, revert);
	expect_kept(&written, "d", rebase_clone, write_disk);
}

static void
what_stands_on_a_new_disk_survives_the_death_of_its_maker(void **state)
{
	struct scene rebased = {.disks = {CLONE, DISK}, .what = "new, then rebase"};
	struct scene cloned = {.what = "new, then a child", .made = CHILD};

	(void)state;
	expect_kept(&rebased, "a", make_other, rebase_clone);
	expect_kept(&cloned, "a", make_other, clone_other);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			disks_survive_a_killed_change_of_their_tree_and_the_next),
		cmocka_unit_test(
			a_clone_survives_a_killed_rebase_and_what_its_parent_becomes),
		cmocka_unit_test(
			what_stands_on_a_new_disk_survives_the_death_of_its_maker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
