/* SPDX-License-Identifier: BSD-3-Clause */
/* test_path.c - paths are taken apart and put together as text. */
#include <cmocka.h>
#include <stdlib.h>

#include "base/path.h"

static void
expect_text(char *got, const char *want)
{
	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static void
test_directory_of_a_path(void **state)
{
	(void)state;
	expect_text(path_directory("/a/b/c.vhd"), "/a/b");
	expect_text(path_directory("/c.vhd"), "/");
	expect_text(path_directory("c.vhd"), ".");
	assert_string_equal(path_name("/a/b/c.vhd"), "c.vhd");
	assert_string_equal(path_name("c.vhd"), "c.vhd");
}

static void
test_join_keeps_absolute_names(void **state)
{
	(void)state;
	expect_text(path_join("/a", "b"), "/a/b");
	expect_text(path_join("/", "b"), "/b");
	expect_text(path_join("/a", "/b"), "/b");
}

static void
test_below_means_whole_components(void **state)
{
	(void)state;
	assert_true(path_is_below("/a/b", "/a"));
	assert_true(path_is_below("/a/b/c", "/a"));
	assert_true(path_is_below("/a", "/"));
	assert_false(path_is_below("/ab", "/a"));
	assert_false(path_is_below("/a", "/a"));
	assert_false(path_is_below("/a/", "/a"));
}

static void
test_relative_climbs_no_further_than_needed(void **state)
{
	(void)state;
	expect_text(path_relative("/vm", "/vm/base.vhd"), "base.vhd");
	expect_text(path_relative("/vm/x", "/vm/base.vhd"), "../base.vhd");
	expect_text(path_relative("/vm", "/vm/x/base.vhd"), "x/base.vhd");
	expect_text(path_relative("/vmx", "/vm/base.vhd"), "../vm/base.vhd");
	expect_text(path_relative("/vm", "/vmx/base.vhd"), "../vmx/base.vhd");
	expect_text(path_relative("/a/b", "/c.vhd"), "../../c.vhd");
	expect_text(path_relative("/", "/c.vhd"), "c.vhd");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directory_of_a_path),
		cmocka_unit_test(test_join_keeps_absolute_names),
		cmocka_unit_test(test_below_means_whole_components),
		cmocka_unit_test(test_relative_climbs_no_further_than_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
