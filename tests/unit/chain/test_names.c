/* SPDX-License-Identifier: BSD-3-Clause */
/* test_names.c - what a file name says about an image. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "chain/names.h"

static void
expect_name(const char *path, const char *want)
{
	char *got = NULL;

	assert_int_equal(snapshot_name(&got, path), 0);
	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	free(got);
}

static void
expect_path(char *got, const char *want)
{
	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static void
test_name_is_split_at_the_last_at(void **state)
{
	(void)state;
	expect_name("/vm/disk@monday.vhd", "monday");
	expect_name("/vm/me@home/disk@v1.0.vhd", "v1.0");
	expect_name("/vm/disk@v1.0", "v1.0");
	expect_name("/vm/a@b@c.vhd", "c");
}

static void
test_other_files_have_no_snapshot_name(void **state)
{
	(void)state;
	expect_name("/vm/disk.vhd", NULL);
	expect_name("/vm/me@home/disk.vhd", NULL);
	expect_name("/vm/disk@.vhd", NULL);
	expect_name("/vm/@x.vhd", NULL);
	expect_name("/vm/"
		    "disk@.merging-00000000-0000-0000-0000-000000000001.vhd",
		    NULL);
}

static void
test_names_that_would_confuse_are_refused(void **state)
{
	static const char *const bad[] = {"",    ".x", "x.",       "x ",  "a/b",
					  "a@b", "a?", "a\x1b[0m", "\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (snapshot_name_valid(bad[i]))
			fail_msg("\"%s\" was accepted as a name", bad[i]);
	assert_true(snapshot_name_valid("vor dem Update, \xc3\xbc"));
}

static void
test_a_name_may_have_128_bytes(void **state)
{
	char name[SNAPSHOT_NAME_MAX + 2] = "";

	(void)state;
	memset(name, 'x', SNAPSHOT_NAME_MAX);
	assert_true(snapshot_name_valid(name));
	name[SNAPSHOT_NAME_MAX] = 'x';
	assert_false(snapshot_name_valid(name));
}

static void
test_snapshot_lies_beside_its_disk(void **state)
{
	(void)state;
	expect_path(snapshot_path("/vm/disk.vhd", "a"), "/vm/disk@a.vhd");
	expect_path(snapshot_path("/vm.d/disk", "a"), "/vm.d/disk@a");
}

static void
test_merging_name_keeps_the_disk(void **state)
{
	static const uint8_t uuid[16] = {[15] = 1};
	const char *want = "/vm/disk@.merging-"
			   "00000000-0000-0000-0000-000000000001.vhd";

	(void)state;
	expect_path(merging_path("/vm/disk.vhd", uuid), want);
	expect_path(merging_path("/vm/disk@monday.vhd", uuid), want);
	assert_true(is_merging_path(want));
	assert_false(is_merging_path("/vm/disk@merging.vhd"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_is_split_at_the_last_at),
		cmocka_unit_test(test_other_files_have_no_snapshot_name),
		cmocka_unit_test(test_names_that_would_confuse_are_refused),
		cmocka_unit_test(test_a_name_may_have_128_bytes),
		cmocka_unit_test(test_snapshot_lies_beside_its_disk),
		cmocka_unit_test(test_merging_name_keeps_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
