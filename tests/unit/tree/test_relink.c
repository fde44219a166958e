/* SPDX-License-Identifier: BSD-3-Clause */
/* test_relink.c - broken links are repaired by UUID, others left alone. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "make_image.h"
#include "tree/relink.h"

static int
note(const struct vhd_relinked *link, void *user)
{
	char *text = user;

	snprintf(text + strlen(text), 512 - strlen(text), "%s: %s -> %s%s\n",
		 link->path, link->old_parent,
		 link->new_parent ? link->new_parent : "nothing",
		 link->err ? " (failed)" : "");
	return 0;
}

static void
expect_relinked(struct fs *fs, const char *path, const char *const *search,
		bool dry_run, int code, const char *want)
{
	char got[512] = "";
	int err = tree_relink(fs, path, search, search ? 1 : 0, dry_run, note,
			      got);

	if (err != code)
		fail_msg("it ended with %d (%s), not %d", err, error_message(),
			 code);
	assert_string_equal(got, want);
}

static void
test_moved_parent_is_linked_again(void **state)
{
	static const char *const store[] = {"/store"};
	const char *want = "/vm/c.vhd: gone.vhd -> /store/p.vhd\n";
	struct fs *fs = new_fs();
	struct image *img;
	char path[256];

	(void)state;
	put_root(fs, "/store/p.vhd", 'p');
	put_child(fs, "/vm/c.vhd", 'c', 'p');
	expect_relinked(fs, "/vm/c.vhd", store, true, 0, want);
	expect_relinked(fs, "/vm/c.vhd", store, false, 0, want);
	expect_relinked(fs, "/vm/c.vhd", store, false, 0, "");
	img = open_image(fs, "/vm/c.vhd", 0);
	expect_ok(image_locator(path, sizeof(path), img, 2, true), path);
	assert_string_equal(path, "../store/p.vhd");
	assert_int_equal(image_close(img), 0);
	mem_fs_free(fs);
}

static void
test_dry_run_changes_no_byte(void **state)
{
	struct mem_data *before, *after;
	struct fs *fs = new_fs();
	char a[512], b[512];

	(void)state;
	put_root(fs, "/vm/p.vhd", 'p');
	put_child(fs, "/vm/c.vhd", 'c', 'p');
	expect_ok(mem_fs_get_data(&before, fs, "/vm/c.vhd"), "get");
	expect_relinked(fs, "/vm", NULL, true, 0,
			"/vm/c.vhd: gone.vhd -> /vm/p.vhd\n");
	expect_ok(mem_fs_get_data(&after, fs, "/vm/c.vhd"), "get");
	assert_true(mem_data_size(before) == mem_data_size(after));
	for (uint64_t at = 0; at < mem_data_size(before); at += 512) {
		mem_data_read(before, a, 512, at);
		mem_data_read(after, b, 512, at);
		assert_memory_equal(a, b, 512);
	}
	mem_data_free(before);
	mem_data_free(after);
	mem_fs_free(fs);
}

static void
test_one_missing_parent_does_not_stop_the_others(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_child(fs, "/vm/a.vhd", 'a', 'x');
	put_child(fs, "/vm/b.vhd", 'b', 'p');
	put_root(fs, "/vm/p.vhd", 'p');
	expect_relinked(fs, "/vm", NULL, false, VHD_E_NOPARENT,
			"/vm/a.vhd: gone.vhd -> nothing (failed)\n"
			"/vm/b.vhd: gone.vhd -> /vm/p.vhd\n");
	mem_fs_free(fs);
}

static void
test_parents_of_an_image_are_looked_after(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/vm/p.vhd", 'p');
	put_child(fs, "/vm/m.vhd", 'm', 'p');
	put_child_at(fs, "/vm/c.vhd", 'c', 'm', "m.vhd", NULL);
	expect_relinked(fs, "/vm/c.vhd", NULL, false, 0,
			"/vm/m.vhd: gone.vhd -> /vm/p.vhd\n");
	mem_fs_free(fs);
}

static void
test_loop_of_parents_ends(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_child_at(fs, "/vm/a.vhd", 'a', 'b', "b.vhd", NULL);
	put_child_at(fs, "/vm/b.vhd", 'b', 'a', "a.vhd", NULL);
	expect_relinked(fs, "/vm/a.vhd", NULL, false, 0, "");
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moved_parent_is_linked_again),
		cmocka_unit_test(test_dry_run_changes_no_byte),
		cmocka_unit_test(
			test_one_missing_parent_does_not_stop_the_others),
		cmocka_unit_test(test_parents_of_an_image_are_looked_after),
		cmocka_unit_test(test_loop_of_parents_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
