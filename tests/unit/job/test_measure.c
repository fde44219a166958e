/* SPDX-License-Identifier: BSD-3-Clause */
/* test_measure.c - what is measured is what the jobs then need. */
#include <cmocka.h>
#include <stdlib.h>

#include "job/jobs.h"
#include "make_chain.h"

static struct vhd_measure
measure(struct fs *fs, const char *path)
{
	struct chain *c = open_disk(fs, path, 0);
	struct vhd_measure m = {.struct_size = sizeof(m)};

	expect_ok(job_measure(&m, c), "measuring");
	close_disk(c);
	return m;
}

/* The parent has blocks 0 and 1, the child 1 and 2, half of each. */
static struct fs *
two_layers(void)
{
	struct fs *fs = new_fs();

	put_root(fs, "/p.vhd", 'p');
	write_pattern(fs, "/p.vhd", 0, MADE_BLOCK / 2, 1);
	write_pattern(fs, "/p.vhd", MADE_BLOCK, MADE_BLOCK / 2, 1);
	put_child_at(fs, "/c.vhd", 'c', 'p', "p.vhd", NULL);
	write_pattern(fs, "/c.vhd", MADE_BLOCK, MADE_BLOCK / 2, 2);
	write_pattern(fs, "/c.vhd", 2 * MADE_BLOCK, MADE_BLOCK / 2, 2);
	return fs;
}

static void
test_used_and_union_count_each_byte_once(void **state)
{
	struct fs *fs = two_layers();
	struct vhd_measure m = measure(fs, "/c.vhd");

	(void)state;
	assert_true(m.virtual_size == MADE_SIZE);
	assert_true(m.used == MADE_BLOCK);
	assert_true(m.chain_union == 3 * MADE_BLOCK / 2);
	assert_true(m.chain_actual >= 2 * MADE_BLOCK);
	assert_true(m.file_length == length_of(fs, "/c.vhd"));
	mem_fs_free(fs);
}

static void
test_flat_copy_has_the_length_foretold(void **state)
{
	struct fs *fs = two_layers();
	struct vhd_measure m = measure(fs, "/c.vhd");
	struct vhd_convert_opts opts = VHD_CONVERT_OPTS_INIT;
	struct chain *c = open_disk(fs, "/c.vhd", 0);

	(void)state;
	expect_ok(job_convert(c, c->fs, "/flat.vhd", &opts), "converting");
	close_disk(c);
	assert_true(m.after_flatten == length_of(fs, "/flat.vhd"));
	mem_fs_free(fs);
}

static void
test_merge_is_foretold(void **state)
{
	struct fs *fs = two_layers();
	struct vhd_measure m = measure(fs, "/c.vhd");
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;
	struct chain *c = open_disk(fs, "/c.vhd", VHD_OPEN_RDWR);

	(void)state;
	expect_ok(job_merge(c, &opts), "merging");
	close_disk(c);
	assert_int_equal(m.after_merge, length_of(fs, "/c.vhd"));
	mem_fs_free(fs);
}

static void
test_compaction_is_at_most_as_long_as_foretold(void **state)
{
	struct fs *fs = two_layers();
	struct vhd_measure m;
	struct chain *c;

	(void)state;
	c = open_disk(fs, "/p.vhd", VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK);
	expect_ok(chain_zero(c, 0, MADE_BLOCK / 2, 0), "zeroing");
	close_disk(c);
	m = measure(fs, "/p.vhd");
	assert_true(m.after_compact < m.file_length);
	c = open_disk(fs, "/p.vhd", VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK);
	expect_ok(job_compact(c, VHD_COMPACT_REPACK, NULL), "compacting");
	close_disk(c);
	assert_true(length_of(fs, "/p.vhd") <= m.after_compact);
	mem_fs_free(fs);
}

static void
test_fixed_disk_measures_its_holes(void **state)
{
	struct fs *fs = new_fs();
	struct vhd_measure m;

	(void)state;
	put_formatted(fs, "/f.vhd",
		      &(struct image_create){.type = VHD_TYPE_FIXED,
					     .size = MADE_SIZE});
	write_pattern(fs, "/f.vhd", MADE_BLOCK, 4096, 1);
	m = measure(fs, "/f.vhd");
	assert_true(m.used == 4096);
	assert_true(m.after_compact == MADE_SIZE + 512);
	assert_true(m.after_merge == MADE_SIZE + 512);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_used_and_union_count_each_byte_once),
		cmocka_unit_test(test_flat_copy_has_the_length_foretold),
		cmocka_unit_test(test_merge_is_foretold),
		cmocka_unit_test(
			test_compaction_is_at_most_as_long_as_foretold),
		cmocka_unit_test(test_fixed_disk_measures_its_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
