/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_next.c - a process is killed, the next one does something else, and
 * the power is cut at each flush of that and at its end.
 *
 * The next one acts upon who stands on whom, and on what is called how, as the
 * first one left that in the page cache (D9, P14). */
#include "next_commands.h"

#include <stdio.h>

#include "io_crash.h"
#include "io_fault.h"
#include "make_chain.h"

/* What a disk reads, at every moment or once it was told that it is there. */
struct kept {
	const char *path;   /* NULL: of no disk */
	const char *search; /* where else its parents are, or NULL */
	bool told;
	uint8_t content[NEXT_SIZE];
	const uint8_t *or_else; /* it may read so, too; or NULL */
};

struct scene {
	const struct command *first, *next;
	struct kept clone, disk, child;
	uint64_t states;
	uint64_t at; /* the change at which the first is killed */
};

/* ---- What is there ---- */

static void
put(struct fs *fs, const char *path, char letter, char parent,
    const char *parent_path, unsigned blocks)
{
	struct footer f = {.current_size = NEXT_SIZE,
			   .geometry = geometry_for(NEXT_SIZE)};
	uint8_t sector[SECTOR_SIZE];
	struct image *img;

	memset(sector, letter, sizeof(sector));
	memset(f.uuid, parent, 16);
	put_formatted(
		fs, path,
		&(struct image_create){.type = parent ? VHD_TYPE_DIFFERENCING
						      : VHD_TYPE_DYNAMIC,
				       .size = NEXT_SIZE,
				       .block_size = NEXT_BLOCK,
				       .uuid = uuid_of(letter),
				       .parent = parent ? &f : NULL,
				       .parent_relative = parent_path});
	img = open_image(fs, path, IMAGE_WRITE);
	for (unsigned i = 0; i < blocks; i++)
		expect_ok(image_pwrite(img, sector, SECTOR_SIZE,
				       (uint64_t)i * NEXT_BLOCK),
			  path);
	expect_ok(image_close(img), path);
}

/* The clone stands on 'a', the state, 'd', the disk, or 'o', the other. */
static struct fs *
new_tree(char clone_on, bool with_other)
{
	struct fs *fs = new_fs();
	const char *parent = clone_on == 'a'   ? "disk@a.vhd"
			     : clone_on == 'd' ? "disk.vhd"
					       : "base/other.vhd";

	put(fs, NEXT_STATE, 'a', 0, NULL, 1);
	put(fs, NEXT_DISK, 'd', 'a', "disk@a.vhd", 2);
	put(fs, NEXT_CLONE, 'c', clone_on, parent, 3);
	if (with_other)
		put(fs, NEXT_OTHER, 'o', 0, NULL, 1);
	return fs;
}

static void
keep(struct kept *k, struct fs *fs, const char *path)
{
	struct chain_opts opts = {.search = &k->search,
				  .nsearch = k->search != NULL};
	struct chain *c;

	k->path = path;
	expect_ok(chain_open(&c, fs, path, &opts), path);
	expect_ok(chain_pread(c, k->content, NEXT_SIZE, 0), path);
	close_disk(c);
}

/* ---- What must be there ---- */

static void
look_at(const struct kept *k, const struct scene *s,
	const struct crash_state *state)
{
	const struct chain_opts opts = {.search = &k->search,
					.nsearch = k->search != NULL};
	uint8_t now[NEXT_SIZE];
	char text[2000];
	struct chain *c;
	int err = chain_open(&c, state->fs, k->path, &opts);

	if (!err)
		err = chain_close_after(c, chain_pread(c, now, NEXT_SIZE, 0));
	if (!err && (!memcmp(now, k->content, NEXT_SIZE) ||
		     (k->or_else && !memcmp(now, k->or_else, NEXT_SIZE))))
		return;
	crash_state_text(text, sizeof(text), state);
	fail_msg("%s, killed at change %u, then %s: %s %s\n%s", s->first->name,
		 (unsigned)s->at, s->next->name, k->path,
		 err ? error_message() : "reads otherwise", text);
}

static int
look(const struct crash_state *state, void *user)
{
	const struct scene *s = user;
	const struct kept *kept[] = {&s->clone, &s->disk, &s->child};

	for (int i = 0; i < 3; i++)
		if (kept[i]->path && kept[i]->told)
			look_at(kept[i], s, state);
	return 0;
}

static void
cut_power(struct fs *crash, void *user)
{
	struct scene *s = user;
	struct crash_limits limits = {
		.exhaustive = 16, .sampled = 12, .seed = s->at};

	(void)crash_each_state(&s->states, crash, &limits, look, s);
	limits.loose_names = true;
	(void)crash_each_state(&s->states, crash, &limits, look, s);
}

/* False when the first command is done before that change. */
static bool
try(struct scene *s, const struct fs *memory)
{
	const struct fault death = {.at = s->at,
				    .kinds = FAULT_WRITE | FAULT_FLUSH |
					     FAULT_TRUNCATE | FAULT_PUNCH |
					     FAULT_NAMES | FAULT_SYNC_DIR |
					     FAULT_ATTRIBUTES,
				    .sticky = true};
	AUTO(crash_fs_free) struct fs *crash = NULL;
	AUTO(fault_fs_free) struct fs *fault = NULL;
	bool killed;

	expect_ok(crash_fs_from(&crash, memory), "crash_fs_from");
	expect_ok(fault_fs_new(&fault, crash), "fault_fs_new");
	fault_arm(fault, &death);
	(void)next_run(s->first, fault);
	killed = fault_fired(fault);
	fault_arm(fault, &(struct fault){.at = 0});
	s->clone.told = s->disk.told = true;
	s->child.told = false;
	crash_set_hook(crash, cut_power, s);
	s->child.told = next_run(s->next, fault) == 0;
	cut_power(crash, s);
	return killed;
}

/* Whoever makes something new succeeds after all that was not killed. */
static void
try_all(struct scene *s, const struct fs *memory)
{
	for (s->at = 1; try(s, memory);)
		s->at++;
	if (s->child.path && !s->child.told)
		fail_msg("%s after %s failed with \"%s\"", s->next->name,
			 s->first->name, error_message());
}

/* ---- Every command after every other ---- */

static void
expect_kept(char clone_on)
{
	AUTO(mem_fs_free) struct fs *fs = new_tree(clone_on, true);
	struct scene s = {.states = 0};
	const struct command *a, *b;

	keep(&s.clone, fs, NEXT_CLONE);
	keep(&s.disk, fs, NEXT_DISK);
	for (a = next_commands; a->name; a++)
		for (b = next_commands; b->name; b++) {
			s.first = a;
			s.next = b;
			s.disk.path = a->changes_disk || b->changes_disk
					      ? NULL
					      : NEXT_DISK;
			try_all(&s, fs);
		}
	if (s.states < 50000)
		fail_msg("only %u states", (unsigned)s.states);
}

static void
a_clone_of_a_state_survives_what_is_killed_and_what_comes_next(void **state)
{
	(void)state;
	expect_kept('a');
}

static void
what_stands_on_a_disk_survives_what_is_killed_and_what_comes_next(void **state)
{
	(void)state;
	expect_kept('d');
}

static void
a_disk_survives_what_is_killed_and_what_comes_next(void **state)
{
	(void)state;
	expect_kept('o');
}

static bool
succeeds(const struct command *command, char clone_on)
{
	AUTO(mem_fs_free) struct fs *fs = new_tree(clone_on, true);

	return next_run(command, fs) == 0;
}

static void
each_command_can_be_done_on_one_of_these_trees(void **state)
{
	const struct command *c;

	(void)state;
	for (c = next_commands; c->name; c++)
		if (!succeeds(c, 'a') && !succeeds(c, 'd') && !succeeds(c, 'o'))
			fail_msg("%s fails everywhere: %s", c->name,
				 error_message());
}

/* ---- Another directory ---- */

static void
expect_far_kept(const struct command *next)
{
	AUTO(mem_fs_free) struct fs *fs = new_tree('o', true);
	struct kept t = {.search = "/vm"};
	struct scene s = {
		.first = &next_revert_far, .next = next, .clone.search = "/vm"};

	put(fs, NEXT_FAR, 'f', 'a', "../vm/disk@a.vhd", 3);
	put(fs, NEXT_FAR_T, 't', 0, NULL, 2);
	keep(&s.clone, fs, NEXT_FAR);
	keep(&t, fs, NEXT_FAR_T);
	s.clone.or_else = t.content;
	try_all(&s, fs);
	if (s.at < 5)
		fail_msg("%s: cannot be done", next_revert_far.name);
}

static void
what_was_reverted_elsewhere_survives_the_death_of_its_process(void **state)
{
	(void)state;
	expect_far_kept(&next_delete_searching);
	expect_far_kept(&next_merge_searching);
}

/* ---- What stands on a new image ---- */

static void
a_new_parent_survives_the_death_of_its_maker(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_tree('a', false);
	struct scene s = {.first = &next_make_other};

	(void)state;
	keep(&s.clone, fs, NEXT_CLONE);
	keep(&s.disk, fs, NEXT_DISK);
	for (s.next = next_commands; s.next->name; s.next++)
		if (!s.next->changes_disk)
			try_all(&s, fs);
	s.next = &next_make_child;
	s.child.path = NEXT_CHILD;
	try_all(&s, fs);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_clone_of_a_state_survives_what_is_killed_and_what_comes_next),
		cmocka_unit_test(
			what_stands_on_a_disk_survives_what_is_killed_and_what_comes_next),
		cmocka_unit_test(
			a_disk_survives_what_is_killed_and_what_comes_next),
		cmocka_unit_test(
			each_command_can_be_done_on_one_of_these_trees),
		cmocka_unit_test(
			what_was_reverted_elsewhere_survives_the_death_of_its_process),
		cmocka_unit_test(a_new_parent_survives_the_death_of_its_maker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
