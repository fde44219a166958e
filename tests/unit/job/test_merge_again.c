/* SPDX-License-Identifier: BSD-3-Clause */
/* test_merge_again.c - a merge that was stopped at any operation at all is
 * completed by the same command. */
#include <cmocka.h>

#include "io_crash.h"
#include "io_fault.h"
#include "job/jobs.h"
#include "make_chain.h"

#define OFFSET 4096u

static int
merge(const struct fs *fs, const char *path, uint32_t flags)
{
	struct chain_opts opts = {.flags =
					  VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK};
	struct vhd_merge_opts merge = VHD_MERGE_OPTS_INIT;
	struct chain *c;
	int err = chain_open(&c, fs, path, &opts);

	merge.flags = flags;
	return err ? err : chain_close_after(c, job_merge(c, &merge));
}

static struct fs *
make_disks(void)
{
	struct fs *fs = new_fs();

	put_root(fs, "/base.vhd", 'b');
	put_child_at(fs, "/top.vhd", 't', 'b', "base.vhd", NULL);
	write_pattern(fs, "/base.vhd", 0, 4096, 'b');
	write_pattern(fs, "/top.vhd", OFFSET, 4096, 't');
	return fs;
}

static void
expect_read(struct fs *fs, const char *path, uint32_t depth, uint64_t n)
{
	struct chain *c = open_disk(fs, path, 0);
	uint8_t byte[2];

	expect_ok(chain_pread(c, byte, 1, 0), "read");
	expect_ok(chain_pread(c, byte + 1, 1, OFFSET), "read");
	if (byte[0] != 'b' || byte[1] != 't' || (depth && c->depth != depth))
		fail_msg("stopped at operation %u: %s reads %c %c, with %u "
			 "layers",
			 (unsigned)n, path, byte[0], byte[1], c->depth);
	close_disk(c);
}

/* One image is left, with the data of both. */
static void
expect_merged(struct fs *fs, const char *path, const char *gone, uint64_t n)
{
	struct fs_stat st;

	expect_read(fs, path, 1, n);
	if (fs->ops->stat(&st, fs, gone) == 0)
		fail_msg("stopped at operation %u: %s is left", (unsigned)n,
			 gone);
}

typedef int (*merge_fn)(const struct fs *fs, uint32_t flags);

static int
merge_top(const struct fs *fs, uint32_t flags)
{
	return merge(fs, "/top.vhd", flags);
}

/* Stopped at operation n, if it has so many, and done again. */
static bool
stop_and_redo(struct fs *fs, uint64_t n, merge_fn run, uint32_t flags)
{
	AUTO(fault_fs_free) struct fs *fault = NULL;
	int err;

	expect_ok(fault_fs_new(&fault, fs), "fault_fs_new");
	fault_arm(fault, &(struct fault){.at = n, .sticky = true});
	err = run(fault, flags);
	if (err)
		err = run(fs, flags);
	if (err && err != VHD_E_NOTFOUND && err != VHD_E_INVALID)
		fail_msg("stopped at operation %u, and again: %s", (unsigned)n,
			 error_message());
	return fault_fired(fault);
}

static bool
stop_at(uint64_t n, uint32_t flags)
{
	bool at_parent = flags & VHD_MERGE_AT_PARENT;
	AUTO(mem_fs_free) struct fs *fs = make_disks();
	bool stopped = stop_and_redo(fs, n, merge_top, flags);

	expect_merged(fs, at_parent ? "/base.vhd" : "/top.vhd",
		      at_parent ? "/top.vhd" : "/base.vhd", n);
	return stopped;
}

static void
test_stopped_merge_is_completed(void **state)
{
	(void)state;
	for (uint64_t n = 1; stop_at(n, 0); n++)
		;
}

static void
test_stopped_merge_at_parent_is_completed(void **state)
{
	(void)state;
	for (uint64_t n = 1; stop_at(n, VHD_MERGE_AT_PARENT); n++)
		;
}

/* Another image stands on the merged one. */
static bool
stop_below_at(uint64_t n, uint32_t flags)
{
	AUTO(mem_fs_free) struct fs *fs = make_disks();
	bool stopped;

	put_child_at(fs, "/leaf.vhd", 'l', 't', "top.vhd", NULL);
	stopped = stop_and_redo(fs, n, merge_top, flags);
	expect_read(fs, "/leaf.vhd", 2, n);
	return stopped;
}

static void
test_stopped_merge_below_others_is_completed(void **state)
{
	(void)state;
	for (uint64_t n = 1; stop_below_at(n, 0); n++)
		;
}

static void
test_stopped_merge_below_others_at_parent_is_completed(void **state)
{
	(void)state;
	for (uint64_t n = 1; stop_below_at(n, VHD_MERGE_AT_PARENT); n++)
		;
}

/* From above: the result is where it was going, whoever finishes it. */
static int
merge_from_leaf(const struct fs *fs, uint32_t flags)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct vhd_merge_opts merge = VHD_MERGE_OPTS_INIT;
	size_t finished;
	struct chain *c;
	int err = chain_open(&c, fs, "/leaf.vhd", &opts);

	merge.flags = flags;
	merge.layer = 1;
	if (err)
		return err;
	if (strcmp(c->layers[1].path, "/top.vhd") != 0)
		err = job_finish_merges(&finished, c, &merge);
	else
		err = job_merge(c, &merge);
	return chain_close_after(c, err);
}

static bool
stop_from_leaf_at(uint64_t n, uint32_t flags)
{
	bool at_parent = flags & VHD_MERGE_AT_PARENT;
	AUTO(mem_fs_free) struct fs *fs = make_disks();
	bool stopped;

	put_child_at(fs, "/leaf.vhd", 'l', 't', "top.vhd", NULL);
	stopped = stop_and_redo(fs, n, merge_from_leaf, flags);
	expect_read(fs, "/leaf.vhd", 2, n);
	expect_read(fs, at_parent ? "/base.vhd" : "/top.vhd", 1, n);
	return stopped;
}

static void
test_stopped_merge_from_above_is_completed(void **state)
{
	(void)state;
	for (uint64_t n = 1; stop_from_leaf_at(n, 0); n++)
		;
}

static void
test_stopped_merge_from_above_ends_at_the_parent(void **state)
{
	(void)state;
	for (uint64_t n = 1; stop_from_leaf_at(n, VHD_MERGE_AT_PARENT); n++)
		;
}

static int
find_hidden(const char *name, void *user)
{
	if (strstr(name, "@.merging-"))
		*(bool *)user = true;
	return 0;
}

/* The same chain is asked for a shorter merge, which ends where the first one
 * was to go through. */
static bool
shorten_at(uint64_t n)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	AUTO(fault_fs_free) struct fs *fault = NULL;
	struct vhd_merge_opts merge = VHD_MERGE_OPTS_INIT;
	bool stopped, hidden = false;
	struct chain *c;
	size_t finished;
	int err;

	put_root(fs, "/base.vhd", 'b');
	put_child_at(fs, "/leaf@one.vhd", 't', 'b', "base.vhd", NULL);
	put_child_at(fs, "/leaf.vhd", 'l', 't', "leaf@one.vhd", NULL);
	write_pattern(fs, "/base.vhd", 0, 4096, 'b');
	write_pattern(fs, "/leaf.vhd", OFFSET, 4096, 't');
	expect_ok(fault_fs_new(&fault, fs), "fault_fs_new");
	c = open_disk(fault, "/leaf.vhd", VHD_OPEN_RDWR);
	fault_arm(fault, &(struct fault){.at = n});
	merge.into = 2;
	err = job_merge(c, &merge);
	stopped = fault_fired(fault);
	merge.layer = 1;
	if (err)
		err = job_merge(c, &merge);
	if (!err)
		err = job_finish_merges(&finished, c, &merge);
	err = chain_close_after(c, err);
	expect_ok(fs->ops->list(fs, "/", find_hidden, &hidden), "list");
	if (!err && hidden)
		fail_msg("stopped at operation %u, then a shorter merge: a "
			 "hidden name is left",
			 (unsigned)n);
	expect_read(fs, "/leaf.vhd", 0, n);
	return stopped;
}

static void
test_stopped_merge_leaves_a_shorter_one_no_names(void **state)
{
	(void)state;
	for (uint64_t n = 1; shorten_at(n); n++)
		;
}

/* What stands on the merged image is empty as well, and is taken for it. */
static bool
mistake_at(uint64_t n)
{
	AUTO(mem_fs_free) struct fs *fs = make_disks();
	AUTO(fault_fs_free) struct fs *fault = NULL;
	struct fs_stat st;
	bool stopped;

	put_child_at(fs, "/leaf.vhd", 'l', 't', "top.vhd", NULL);
	expect_ok(fault_fs_new(&fault, fs), "fault_fs_new");
	fault_arm(fault, &(struct fault){.at = n, .sticky = true});
	(void)merge(fault, "/top.vhd", 0);
	stopped = fault_fired(fault);
	if (merge(fs, "/leaf.vhd", 0) == 0 &&
	    fs->ops->stat(&st, fs, "/top.vhd") == 0)
		fail_msg("stopped at operation %u, then the leaf was merged: "
			 "top.vhd is left, and stands on it",
			 (unsigned)n);
	expect_read(fs, "/leaf.vhd", 0, n);
	return stopped;
}

static void
test_stopped_merge_is_not_taken_for_that_of_another(void **state)
{
	(void)state;
	for (uint64_t n = 1; mistake_at(n); n++)
		;
}

/* A power cut during the second attempt. */
static int
look_at_base(const struct crash_state *state, void *user)
{
	struct chain_opts opts = {0};
	struct fs_stat st;
	struct chain *c;
	char text[800];
	uint8_t byte;

	if (state->fs->ops->stat(&st, state->fs, "/base.vhd") != 0)
		return 0;
	expect_ok(chain_open(&c, state->fs, "/base.vhd", &opts), "open");
	expect_ok(chain_pread(c, &byte, 1, OFFSET), "read");
	close_disk(c);
	crash_state_text(text, sizeof(text), state);
	if (byte)
		fail_msg("stopped at operation %u: /base.vhd reads %c\n%s",
			 *(unsigned *)user, byte, text);
	return 0;
}

static void
cut(struct fs *fs, void *user)
{
	const struct crash_limits limits = {.exhaustive = 64, .sampled = 64};
	uint64_t count = 0;

	expect_ok(crash_each_state(&count, fs, &limits, look_at_base, user),
		  "look");
}

static bool
stop_and_cut(unsigned n)
{
	AUTO(mem_fs_free) struct fs *fs = make_disks();
	AUTO(crash_fs_free) struct fs *crash = NULL;
	AUTO(fault_fs_free) struct fs *fault = NULL;
	bool stopped;

	expect_ok(crash_fs_from(&crash, fs), "crash_fs_from");
	expect_ok(fault_fs_new(&fault, crash), "fault_fs_new");
	fault_arm(fault, &(struct fault){.at = n, .sticky = true});
	stopped = merge(fault, "/top.vhd", 0) != 0;
	if (stopped) {
		crash_set_hook(crash, cut, &n);
		(void)merge(crash, "/top.vhd", 0);
	}
	return stopped;
}

static void
test_stopped_merge_hides_the_name_before_data_moves(void **state)
{
	(void)state;
	for (unsigned n = 1; stop_and_cut(n); n++)
		;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stopped_merge_is_completed),
		cmocka_unit_test(test_stopped_merge_at_parent_is_completed),
		cmocka_unit_test(test_stopped_merge_below_others_is_completed),
		cmocka_unit_test(
			test_stopped_merge_is_not_taken_for_that_of_another),
		cmocka_unit_test(
			test_stopped_merge_below_others_at_parent_is_completed),
		cmocka_unit_test(test_stopped_merge_from_above_is_completed),
		cmocka_unit_test(
			test_stopped_merge_from_above_ends_at_the_parent),
		cmocka_unit_test(
			test_stopped_merge_leaves_a_shorter_one_no_names),
		cmocka_unit_test(
			test_stopped_merge_hides_the_name_before_data_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
