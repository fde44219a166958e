/* SPDX-License-Identifier: BSD-3-Clause */
/* test_compare.c - equal means that the guest reads the same. */
#include <cmocka.h>
#include <stdlib.h>

#include "job/jobs.h"
#include "make_chain.h"

#define EQUAL UINT64_MAX

static void
expect_difference(struct fs *fs, const char *a, const char *b, uint64_t want)
{
	struct chain *x = open_disk(fs, a, 0), *y = open_disk(fs, b, 0);
	uint64_t offset = EQUAL;
	int err = job_compare(&offset, x, y, NULL);

	if (err != (want == EQUAL ? 0 : VHD_E_DIFFERS))
		fail_msg("comparing ended with %d (%s)", err, error_message());
	if (offset != want)
		fail_msg("the difference is at %llu, not %llu",
			 (unsigned long long)offset, (unsigned long long)want);
	close_disk(x);
	close_disk(y);
}

static void
test_layout_does_not_matter(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/a", 'a');
	put_root(fs, "/b", 'b');
	write_pattern(fs, "/a", 0, 600, 1);
	write_pattern(fs, "/a", 5000000, 600, 2);
	write_pattern(fs, "/b", 5000000, 600, 2);
	write_pattern(fs, "/b", 0, 600, 1);
	write_pattern(fs, "/b", MADE_BLOCK, 4096, 0);
	expect_difference(fs, "/a", "/b", EQUAL);
	mem_fs_free(fs);
}

static void
test_first_different_byte_is_told(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/a", 'a');
	put_root(fs, "/b", 'b');
	write_pattern(fs, "/b", 7000001, 1, 9);
	expect_difference(fs, "/a", "/b", 7000001);
	expect_difference(fs, "/b", "/a", 7000001);
	write_pattern(fs, "/a", 7000000, 2, 9);
	expect_difference(fs, "/a", "/b", 7000000);
	write_pattern(fs, "/a", 100, 1, 1);
	write_pattern(fs, "/b", 100, 1, 2);
	expect_difference(fs, "/a", "/b", 100);
	mem_fs_free(fs);
}

static void
test_longer_disk_is_equal_if_its_rest_is_zero(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/a", 'a');
	put_formatted(fs, "/b",
		      &(struct image_create){.type = VHD_TYPE_DYNAMIC,
					     .size = 2 * MADE_SIZE});
	expect_difference(fs, "/a", "/b", EQUAL);
	expect_difference(fs, "/b", "/a", EQUAL);
	write_pattern(fs, "/b", 2 * MADE_SIZE - 1, 1, 1);
	expect_difference(fs, "/a", "/b", 2 * MADE_SIZE - 1);
	expect_difference(fs, "/b", "/a", 2 * MADE_SIZE - 1);
	mem_fs_free(fs);
}

static void
test_children_of_one_parent_are_told_apart(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/p", 'p');
	write_pattern(fs, "/p", 0, MADE_SIZE, 1);
	put_child_at(fs, "/a", 'a', 'p', "p", NULL);
	put_child_at(fs, "/b", 'b', 'p', "p", NULL);
	expect_difference(fs, "/a", "/b", EQUAL);
	expect_difference(fs, "/a", "/p", EQUAL);
	write_pattern(fs, "/b", 4096, 512, 1);
	expect_difference(fs, "/a", "/b", EQUAL);
	write_pattern(fs, "/a", 1023, 1, 0);
	expect_difference(fs, "/a", "/b", 1023);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout_does_not_matter),
		cmocka_unit_test(test_first_different_byte_is_told),
		cmocka_unit_test(test_longer_disk_is_equal_if_its_rest_is_zero),
		cmocka_unit_test(test_children_of_one_parent_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
