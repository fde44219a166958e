/* SPDX-License-Identifier: BSD-3-Clause */
/* test_merge_names.c - what fails, or was left, at the end of a merge. */
#include <cmocka.h>
#include <string.h>

#include "io_fault.h"
#include "job/jobs.h"
#include "make_chain.h"

#define PIECE 4096u

/* Four layers; each has written one piece, and the leaf the last one. */
static void
make_tree(struct fs *fs)
{
	static const char *const paths[] = {"/a.vhd", "/b.vhd", "/c.vhd",
					    "/disk.vhd"};
	struct vhd_create_opts create = VHD_CREATE_OPTS_INIT;

	create.virtual_size = MADE_SIZE;
	for (uint8_t i = 0; i < 4; i++) {
		create.parent = i ? paths[i - 1] : NULL;
		expect_ok(job_create(fs, paths[i], &create), paths[i]);
		write_pattern(fs, paths[i], i * PIECE, (4 - i) * PIECE,
			      (uint8_t)('a' + i));
	}
}

static void
expect_pieces(struct chain *c, const char *letters)
{
	uint8_t data[PIECE], want[PIECE];

	for (uint32_t i = 0; letters[i]; i++) {
		memset(want, letters[i], PIECE);
		expect_ok(chain_pread(c, data, PIECE, i * PIECE), "read");
		assert_memory_equal(data, want, PIECE);
	}
}

static int
merge(struct chain *c, uint32_t layer)
{
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;

	opts.layer = layer;
	return job_merge(c, &opts);
}

/* A merge of layer 1 fails at some name, and the leaf is merged next. */
static bool
fail_at(uint64_t n)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	AUTO(fault_fs_free) struct fs *fault = NULL;
	struct chain *c;
	bool fired;
	int err;

	make_tree(fs);
	expect_ok(fault_fs_new(&fault, fs), "fault");
	c = open_disk(fault, "/disk.vhd", VHD_OPEN_RDWR);
	fault_arm(fault,
		  &(struct fault){.at = n,
				  .kinds = FAULT_NAMES | FAULT_SYNC_DIR});
	(void)merge(c, 1);
	fired = fault_fired(fault);
	fault_arm(fault, &(struct fault){.at = 0});
	err = merge(c, 0);
	/* The layer that is out may still have its name. */
	assert_true(!err || err == VHD_E_CHILDREN);
	expect_pieces(c, "abcd");
	close_disk(c);
	c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	expect_pieces(c, "abcd");
	close_disk(c);
	return fired;
}

static void
test_after_a_failure_nothing_is_pushed_into_a_layer_that_is_out(void **state)
{
	uint64_t n = 1;

	(void)state;
	while (fail_at(n))
		n++;
	assert_true(n > 4);
}

/* The file has both names, and the merge empties it. */
static void
test_interrupted_snapshot_is_not_left_behind(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct fs_stat st;
	struct chain *c;

	(void)state;
	make_tree(fs);
	expect_ok(fs->ops->link(fs, "/disk.vhd", "/disk@half.vhd"), "link");
	c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	expect_ok(merge(c, 0), "merge");
	close_disk(c);
	assert_int_equal(fs->ops->stat(&st, fs, "/disk@half.vhd"),
			 VHD_E_NOTFOUND);
	c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	expect_pieces(c, "abcd");
	close_disk(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_after_a_failure_nothing_is_pushed_into_a_layer_that_is_out),
		cmocka_unit_test(test_interrupted_snapshot_is_not_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
