/* SPDX-License-Identifier: BSD-3-Clause */
/* test_untaken.c - what a snapshot leaves that was cut short before it
 * exchanged the names does not keep the disk from being used. */
#include <cmocka.h>

#include "chain/untaken.h"
#include "make_chain.h"

#define DISK     "/disk.vhd"
#define SNAPSHOT "/disk@s.vhd"

static int
open_for_writing(struct fs *fs)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct chain *c;
	int err = chain_open(&c, fs, DISK, &opts);

	return err ? err : chain_close(c);
}

static void
test_empty_image_at_its_parents_place_is_nothing(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();

	(void)state;
	put_root(fs, DISK, 'd');
	put_child_at(fs, SNAPSHOT, 's', 'd', "disk@s.vhd", NULL);
	assert_true(is_untaken(fs, SNAPSHOT));
	expect_ok(open_for_writing(fs), "open");
}

static void
test_image_with_data_is_a_child(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();

	(void)state;
	put_root(fs, DISK, 'd');
	put_child_at(fs, SNAPSHOT, 's', 'd', "disk@s.vhd", NULL);
	write_pattern(fs, SNAPSHOT, 0, 512, 'x');
	assert_false(is_untaken(fs, SNAPSHOT));
	assert_int_equal(open_for_writing(fs), VHD_E_CHILDREN);
}

static void
test_empty_image_on_the_disk_is_a_child(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();

	(void)state;
	put_root(fs, DISK, 'd');
	put_child_at(fs, SNAPSHOT, 's', 'd', "disk.vhd", NULL);
	assert_false(is_untaken(fs, SNAPSHOT));
	assert_int_equal(open_for_writing(fs), VHD_E_CHILDREN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_empty_image_at_its_parents_place_is_nothing),
		cmocka_unit_test(test_image_with_data_is_a_child),
		cmocka_unit_test(test_empty_image_on_the_disk_is_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
