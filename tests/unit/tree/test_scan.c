/* SPDX-License-Identifier: BSD-3-Clause */
/* test_scan.c - the tree that the files of a directory make. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_image.h"
#include "tree/scan.h"

/* One line: each node's path, its parent's place and what is odd about it. */
static void
write_tree(char *ret, size_t size, const struct vhd_tree *tree)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < tree->n; i++) {
		const struct vhd_tree_node *n = &tree->entries[i].node;
		char parent[24] = "";

		if (n->parent != SIZE_MAX)
			snprintf(parent, sizeof(parent), "<%zu", n->parent);
		used += (size_t)snprintf(
			ret + used, size - used, "%s%s%s%s%s%s%s%s",
			i ? " " : "", n->path, parent, n->live ? "*" : "",
			n->orphan ? " orphan" : "",
			n->duplicate ? " duplicate" : "",
			n->merging ? " merging" : "", n->err ? " error" : "");
	}
}

static void
expect_tree(struct fs *fs, const char *const *paths, size_t npaths,
	    const char *want)
{
	struct vhd_tree *tree = NULL;
	char got[1024];

	expect_ok(tree_scan(&tree, fs, paths, npaths), "scanning");
	write_tree(got, sizeof(got), tree);
	assert_string_equal(got, want);
	tree_free(tree);
}

static const char *const vm[] = {"/vm"};

static void
test_parents_come_before_children(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_child(fs, "/vm/a.vhd", 'a', 'b');
	put_child(fs, "/vm/b.vhd", 'b', 'z');
	put_child(fs, "/vm/c.vhd", 'c', 'z');
	put_root(fs, "/vm/z.vhd", 'z');
	put_root(fs, "/vm/lone.vhd", 'l');
	expect_tree(fs, vm, 1,
		    "/vm/lone.vhd* /vm/z.vhd /vm/b.vhd<1 /vm/a.vhd<2* "
		    "/vm/c.vhd<1*");
	mem_fs_free(fs);
}

static void
test_what_is_odd_comes_last(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	expect_ok(mem_fs_put(fs, "/vm/0.vhd", "text", 4), "put");
	expect_ok(mem_fs_put(fs, "/vm/0.txt", "text", 4), "put");
	put_child(fs, "/vm/1.vhd", '1', '2');
	put_child(fs, "/vm/orphan.vhd", 'o', 'x');
	put_child(fs, "/vm/below.vhd", 'b', 'o');
	put_root(fs, "/vm/2 copy.vhd", '2');
	put_root(fs, "/vm/2.vhd", '2');
	expect_tree(fs, vm, 1,
		    "/vm/2.vhd duplicate /vm/1.vhd<0* /vm/2 copy.vhd* "
		    "duplicate /vm/orphan.vhd orphan /vm/below.vhd<3* "
		    "/vm/0.vhd error");
	mem_fs_free(fs);
}

static void
test_copy_of_a_tree_is_a_tree(void **state)
{
	static const char *const both[] = {"/vm", "/copy/of/vm"};
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/vm/base.vhd", 'b');
	put_child(fs, "/vm/child.vhd", 'c', 'b');
	put_root(fs, "/copy/of/vm/base.vhd", 'b');
	put_child(fs, "/copy/of/vm/child.vhd", 'c', 'b');
	expect_tree(fs, both, 2,
		    "/vm/base.vhd duplicate /vm/child.vhd<0* duplicate "
		    "/copy/of/vm/base.vhd duplicate "
		    "/copy/of/vm/child.vhd<2* duplicate");
	mem_fs_free(fs);
}

static void
test_loops_are_errors(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_child(fs, "/vm/a.vhd", 'a', 'b');
	put_child(fs, "/vm/b.vhd", 'b', 'a');
	put_child(fs, "/vm/c.vhd", 'c', 'c');
	expect_tree(fs, vm, 1,
		    "/vm/a.vhd error /vm/b.vhd error /vm/c.vhd error");
	mem_fs_free(fs);
}

static void
test_names_tell_snapshots_and_merges(void **state)
{
	static const char merging[] =
		"/vm/d@.merging-62626262-6262-6262-6262-626262626262.vhd";
	struct vhd_tree *tree = NULL;
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, merging, 'b');
	put_child(fs, "/vm/d@monday.vhd", 'm', 'b');
	expect_ok(tree_scan(&tree, fs, vm, 1), "scanning");
	assert_int_equal(tree->n, 2);
	assert_true(tree->entries[0].node.merging);
	assert_null(tree->entries[0].node.name);
	assert_string_equal(tree->entries[1].node.name, "monday");
	tree_free(tree);
	mem_fs_free(fs);
}

static void
test_file_given_twice_is_told_once(void **state)
{
	static const char *const paths[] = {"/vm/a.vhd", "/vm", "/vm/../vm"};
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/vm/a.vhd", 'a');
	expect_tree(fs, paths, 3, "/vm/a.vhd*");
	mem_fs_free(fs);
}

static void
test_named_file_is_always_told(void **state)
{
	static const char *const paths[] = {"/vm/notes.txt"};
	struct fs *fs = new_fs();

	(void)state;
	expect_ok(mem_fs_put(fs, "/vm/notes.txt", "text", 4), "put");
	expect_tree(fs, paths, 1, "/vm/notes.txt error");
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parents_come_before_children),
		cmocka_unit_test(test_what_is_odd_comes_last),
		cmocka_unit_test(test_copy_of_a_tree_is_a_tree),
		cmocka_unit_test(test_loops_are_errors),
		cmocka_unit_test(test_names_tell_snapshots_and_merges),
		cmocka_unit_test(test_file_given_twice_is_told_once),
		cmocka_unit_test(test_named_file_is_always_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
