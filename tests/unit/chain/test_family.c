/* SPDX-License-Identifier: BSD-3-Clause */
/* test_family.c - children are found by UUID, in the directories named. */
#include <cmocka.h>
#include <stdlib.h>

#include "chain/family.h"
#include "io_fault.h"
#include "make_image.h"

static void
expect_children(struct fs *fs, char parent, const char *except,
		const char *const *want, size_t nwant)
{
	static const char *const dirs[] = {"/a", "/b", "/a"};
	char **paths = NULL;
	size_t n = 0;

	expect_ok(family_children(&paths, &n, fs, dirs, 3, uuid_of(parent),
				  except),
		  "looking for children");
	if (n != nwant)
		fail_msg("%zu children were found, not %zu", n, nwant);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(paths[i], want[i]);
	family_free_paths(paths, n);
}

static struct fs *
two_directories(void)
{
	struct fs *fs = new_fs();

	put_root(fs, "/a/base.vhd", 'b');
	put_child(fs, "/a/two.avhd", '2', 'b');
	put_child(fs, "/b/one", '1', 'b');
	put_child(fs, "/b/grandchild.vhd", 'g', '1');
	put_child(fs, "/c/elsewhere.vhd", 'e', 'b');
	put_child(fs, "/b/new.partial", 'n', 'b');
	expect_ok(mem_fs_put(fs, "/a/notes.txt", "text", 4), "put");
	return fs;
}

static void
test_children_are_found_whatever_they_are_called(void **state)
{
	static const char *const want[] = {"/a/two.avhd", "/b/one"};
	struct fs *fs = two_directories();

	(void)state;
	expect_children(fs, 'b', NULL, want, 2);
	expect_children(fs, 'g', NULL, NULL, 0);
	mem_fs_free(fs);
}

static void
test_the_asking_child_is_left_out(void **state)
{
	static const char *const want[] = {"/b/one"};
	struct fs *fs = two_directories();

	(void)state;
	expect_children(fs, 'b', "/a/two.avhd", want, 1);
	mem_fs_free(fs);
}

/* As an interrupted merge leaves them. */
static void
test_other_names_of_the_asking_child_are_left_out(void **state)
{
	static const char *const want[] = {"/b/one"};
	struct fs *fs = two_directories();

	(void)state;
	expect_ok(fs->ops->link(fs, "/a/two.avhd", "/a/second name"), "link");
	expect_children(fs, 'b', "/a/two.avhd", want, 1);
	expect_children(fs, 'b', "/a/second name", want, 1);
	mem_fs_free(fs);
}

static int
count(const char *path, const struct peek *peek, int err, void *user)
{
	size_t *seen = user;

	(void)path;
	assert_true(peek ? err == 0 : err < 0);
	seen[peek ? 0 : 1]++;
	return 0;
}

static void
test_files_that_are_no_vhd_are_told_apart(void **state)
{
	struct fs *fs = two_directories();
	size_t seen[2] = {0, 0};

	(void)state;
	expect_ok(family_walk(fs, "/a", count, seen), "walking");
	assert_int_equal(seen[0], 2);
	assert_int_equal(seen[1], 1);
	mem_fs_free(fs);
}

/* Each file in turn cannot be read, with every operation that is done on it. */
static void
test_a_file_that_cannot_be_read_may_be_a_child(void **state)
{
	static const char *const dirs[] = {"/a"};
	struct fs *memory = two_directories(), *fs = NULL;
	bool fired = true;

	(void)state;
	assert_int_equal(fault_fs_new(&fs, memory), 0);
	for (uint64_t n = 1; fired; n++) {
		char **paths = NULL;
		size_t found = 0;
		int err;

		fault_arm(fs, &(struct fault){.at = n, .what = FAULT_EIO});
		err = family_children(&paths, &found, fs, dirs, 1, uuid_of('b'),
				      NULL);
		fired = fault_fired(fs);
		if (!err && found != 1)
			fail_msg("with a failing %s, the child is not found",
				 fault_hit(fs));
		if (!err)
			family_free_paths(paths, found);
	}
	fault_fs_free(fs);
	mem_fs_free(memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_children_are_found_whatever_they_are_called),
		cmocka_unit_test(test_the_asking_child_is_left_out),
		cmocka_unit_test(
			test_other_names_of_the_asking_child_are_left_out),
		cmocka_unit_test(test_files_that_are_no_vhd_are_told_apart),
		cmocka_unit_test(
			test_a_file_that_cannot_be_read_may_be_a_child),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
