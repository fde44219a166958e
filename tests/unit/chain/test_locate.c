/* SPDX-License-Identifier: BSD-3-Clause */
/* test_locate.c - where a parent is looked for, and where it is not. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "chain/chain.h"
#include "io_fault.h"
#include "make_image.h"

#define CHILD "/vm/child.vhd"

static int
locate(struct located *ret, const struct fs *fs, const char *child,
       const struct chain_opts *opts)
{
	struct image *img = NULL;
	struct io *io = NULL;
	int err;

	expect_ok(fs->ops->open(&io, fs, child, 0), child);
	expect_ok(image_open(&img, io, 0), child);
	err = locate_parent(ret, fs, img, child, opts);
	assert_int_equal(image_close(img), 0);
	return err;
}

/* want is NULL where nothing should be found. */
static void
expect_located(const struct fs *fs, const char *child,
	       const struct chain_opts *opts, enum vhd_parent_status status,
	       const char *want)
{
	struct located l = {0};

	expect_ok(locate(&l, fs, child, opts), "looking for the parent");
	if (l.status != status)
		fail_msg("the status is %d, not %d", l.status, status);
	if (want)
		assert_string_equal(l.path ? l.path : "nothing", want);
	else
		assert_null(l.path);
	located_free(&l);
}

static void
expect_policy(const struct fs *fs, const char *child,
	      const struct chain_opts *opts, const char *text)
{
	struct located l = {0};

	assert_int_equal(locate(&l, fs, child, opts), VHD_E_POLICY);
	if (!strstr(error_message(), text))
		fail_msg("\"%s\" does not mention \"%s\"", error_message(),
			 text);
}

static const struct chain_opts none = {0};

static void
test_relative_path_comes_first(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/vm/a copy.vhd", 'p');
	put_root(fs, "/vm/deep/base.vhd", 'p');
	put_child_at(fs, CHILD, 'c', 'p', "deep/base.vhd", NULL);
	expect_located(fs, CHILD, &none, VHD_PARENT_OK, "/vm/deep/base.vhd");
	mem_fs_free(fs);
}

static void
test_other_case_is_a_second_try(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/vm/a copy.vhd", 'p');
	put_root(fs, "/vm/BASE.VHD", 'p');
	put_child_at(fs, CHILD, 'c', 'p', "base.vhd", NULL);
	expect_located(fs, CHILD, &none, VHD_PARENT_OK, "/vm/BASE.VHD");
	mem_fs_free(fs);
}

static void
test_of_two_with_one_uuid_none_is_guessed(void **state)
{
	struct fs *fs = new_fs();
	struct located l = {0};

	(void)state;
	put_root(fs, "/vm/a.vhd", 'p');
	put_root(fs, "/vm/b.vhd", 'p');
	put_child_at(fs, CHILD, 'c', 'p', "gone.vhd", NULL);
	assert_int_equal(locate(&l, fs, CHILD, &none), VHD_E_PARENT);
	assert_string_equal(
		error_message(),
		"/vm/child.vhd: its parent may be /vm/a.vhd or /vm/b.vhd, "
		"which have the same UUID; move one of them away, or try: "
		"vhdtool rebase --unsafe --parent FILE");
	mem_fs_free(fs);
}

static void
test_renamed_parent_is_found_by_uuid(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/vm/.renamed", 'p');
	put_child_at(fs, CHILD, 'c', 'p', "base.vhd", NULL);
	expect_located(fs, CHILD, &none, VHD_PARENT_OK, "/vm/.renamed");
	mem_fs_free(fs);
}

static void
test_wrong_file_is_remembered_and_passed_over(void **state)
{
	struct fs *fs = new_fs();
	struct located l = {0};

	(void)state;
	put_root(fs, "/vm/base.vhd", 'x');
	put_child_at(fs, CHILD, 'c', 'p', "base.vhd", NULL);
	expect_ok(locate(&l, fs, CHILD, &none), "looking");
	assert_int_equal(l.status, VHD_PARENT_UUID_MISMATCH);
	assert_string_equal(l.wrong, "/vm/base.vhd");
	located_free(&l);
	put_root(fs, "/vm/right.vhd", 'p');
	expect_located(fs, CHILD, &none, VHD_PARENT_OK, "/vm/right.vhd");
	mem_fs_free(fs);
}

static void
test_search_directories_are_looked_through(void **state)
{
	static const char *const dirs[] = {"/nowhere", "/store"};
	const struct chain_opts opts = {.search = dirs, .nsearch = 2};
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/store/a copy.vhd", 'p');
	put_child_at(fs, CHILD, 'c', 'p', "base.vhd", NULL);
	expect_located(fs, CHILD, &none, VHD_PARENT_MISSING, NULL);
	expect_located(fs, CHILD, &opts, VHD_PARENT_OK, "/store/a copy.vhd");
	put_root(fs, "/store/base.vhd", 'p');
	expect_located(fs, CHILD, &opts, VHD_PARENT_OK, "/store/base.vhd");
	mem_fs_free(fs);
}

static void
test_climbing_path_needs_permission(void **state)
{
	static const char *const dirs[] = {"/store"};
	const struct chain_opts opts = {.search = dirs, .nsearch = 1};
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/store/base.vhd", 'p');
	put_child_at(fs, CHILD, 'c', 'p', "../store/base.vhd", NULL);
	expect_policy(fs, CHILD, &none, "--search /store");
	expect_located(fs, CHILD, &opts, VHD_PARENT_OK, "/store/base.vhd");
	mem_fs_free(fs);
}

static void
test_absolute_path_needs_permission(void **state)
{
	static const char *const dirs[] = {"/etc"};
	const struct chain_opts opts = {.search = dirs, .nsearch = 1};
	struct fs *fs = new_fs();

	(void)state;
	expect_ok(mem_fs_put(fs, "/etc/shadow", "root", 4), "put");
	put_child_at(fs, CHILD, 'c', 'p', "base.vhd", "/etc/shadow");
	expect_policy(fs, CHILD, &none, "/etc/shadow");
	expect_located(fs, CHILD, &opts, VHD_PARENT_MISSING, NULL);
	mem_fs_free(fs);
}

static void
test_path_out_and_back_is_harmless(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/vm/base.vhd", 'p');
	put_child_at(fs, CHILD, 'c', 'p', "../vm/base.vhd", NULL);
	expect_located(fs, CHILD, &none, VHD_PARENT_OK, "/vm/base.vhd");
	mem_fs_free(fs);
}

static void
test_child_called_like_its_parent_is_not_the_wrong_file(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, "/base/disk.vhd", 'p');
	put_child_at(fs, "/vm/disk.vhd", 'c', 'p', "../base/disk.vhd", NULL);
	expect_policy(fs, "/vm/disk.vhd", &none, "--search /base");
	mem_fs_free(fs);
}

static void
test_time_that_differs_is_told(void **state)
{
	struct fs *fs = new_fs();
	struct footer f = {.current_size = MADE_SIZE};
	struct image_create how = {.type = VHD_TYPE_DIFFERENCING,
				   .size = MADE_SIZE,
				   .parent = &f,
				   .parent_relative = "base.vhd",
				   .parent_time = 1000000000};

	(void)state;
	memset(f.uuid, 'p', 16);
	put_root(fs, "/vm/base.vhd", 'p');
	put_formatted(fs, CHILD, &how);
	expect_located(fs, CHILD, &none, VHD_PARENT_OK, "/vm/base.vhd");
	mem_fs_set_time(fs, 1000000001);
	patch(fs, "/vm/base.vhd", 2048, "\xff", 1);
	expect_located(fs, CHILD, &none, VHD_PARENT_TIME_DIFFERS,
		       "/vm/base.vhd");
	mem_fs_free(fs);
}

static void
test_raw_parent_needs_permission(void **state)
{
	const struct chain_opts raw = {.flags = VHD_OPEN_RAW_PARENT};
	struct fs *fs = new_fs();
	struct located l = {0};

	(void)state;
	expect_ok(mem_fs_put(fs, "/vm/plain.img", "plain", 5), "put");
	put_child_at(fs, CHILD, 'c', '\0', "plain.img", NULL);
	expect_policy(fs, CHILD, &none, "no UUID");
	expect_ok(locate(&l, fs, CHILD, &raw), "looking");
	assert_string_equal(l.path, "/vm/plain.img");
	assert_true(l.raw);
	located_free(&l);
	mem_fs_free(fs);
}

static void
test_failure_says_what_was_wanted(void **state)
{
	struct fs *fs = new_fs();
	struct image *img;
	struct located l = {.status = VHD_PARENT_MISSING};
	int err;

	(void)state;
	put_child_at(fs, CHILD, 'c', 'p', "base.vhd", "C:\\vm\\base.vhd");
	img = open_image(fs, CHILD, 0);
	err = locate_fail(&l, img, CHILD, &none);
	assert_int_equal(err, VHD_E_NOPARENT);
	assert_string_equal(
		error_message(),
		"/vm/child.vhd: its parent (UUID 70707070-7070-7070-7070-"
		"707070707070, last known as C:\\vm\\base.vhd) is not in its "
		"directory; try: vhdtool relink --search DIR "
		"/vm/child.vhd");
	assert_int_equal(image_close(img), 0);
	mem_fs_free(fs);
}

/* ---- What only a real file system has ---------------------------------- */

/* Copy a file out of memory. */
static void
export_file(struct fs *fs, const char *from, const char *to)
{
	struct io *in = NULL, *out = NULL;

	expect_ok(fs->ops->open(&in, fs, from, 0), from);
	expect_ok(fs_posix.ops->open(&out, &fs_posix, to,
				     FS_OPEN_WRITE | FS_OPEN_CREATE),
		  to);
	for (uint64_t at = 0; at < length_of(fs, from); at += 512) {
		uint8_t sector[512];

		expect_ok(in->ops->pread(in, sector, 512, at), from);
		expect_ok(out->ops->pwrite(out, sector, 512, at), to);
	}
	expect_ok(io_close(in), from);
	expect_ok(io_close(out), to);
}

static void
test_link_out_of_the_directory_is_not_followed(void **state)
{
	char top[] = "/tmp/test_locate.XXXXXX";
	const char *dirs[] = {"out"};
	const struct chain_opts opts = {.search = dirs, .nsearch = 1};
	struct fs *fs = new_fs();
	char child[64], base[64];

	(void)state;
	put_root(fs, "/b", 'p');
	put_child_at(fs, "/c", 'c', 'p', "base.vhd", NULL);
	assert_non_null(mkdtemp(top));
	assert_int_equal(chdir(top), 0);
	assert_int_equal(system("mkdir in out"), 0);
	snprintf(child, sizeof(child), "%s/in/child.vhd", top);
	snprintf(base, sizeof(base), "%s/out/base.vhd", top);
	export_file(fs, "/c", child);
	export_file(fs, "/b", base);
	assert_int_equal(symlink("../out/base.vhd", "in/base.vhd"), 0);
	expect_policy(&fs_posix, child, &none, "out/base.vhd");
	expect_located(&fs_posix, child, &opts, VHD_PARENT_OK, base);
	assert_int_equal(system("rm in/base.vhd && mkfifo in/base.vhd"), 0);
	expect_located(&fs_posix, child, &none, VHD_PARENT_MISSING, NULL);
	assert_int_equal(system("rm -r in out"), 0);
	assert_int_equal(rmdir(top), 0);
	mem_fs_free(fs);
}

/* Reading one file fails. */
static void
strike(struct fs *fs, enum fault_kind kind, const char *name, void *user)
{
	bool it = kind == FAULT_READ && !strcmp(name, user);

	fault_arm(fs, &(struct fault){.at = it, .kinds = FAULT_READ});
}

static struct fs *
new_fault_fs(struct fs *below, char *unreadable)
{
	struct fs *fs = NULL;

	expect_ok(fault_fs_new(&fs, below), "the fault injector");
	fault_set_hook(fs, strike, unreadable);
	return fs;
}

static void
test_unreadable_parent_is_not_replaced_by_a_copy(void **state)
{
	char base[] = "/vm/base.vhd";
	struct fs *fs = new_fs(), *faulty = new_fault_fs(fs, base);
	struct located l = {0};

	(void)state;
	put_root(fs, base, 'p');
	put_root(fs, "/vm/an old copy.vhd", 'p');
	put_child_at(fs, CHILD, 'c', 'p', "base.vhd", NULL);
	assert_int_equal(locate(&l, faulty, CHILD, &none), VHD_E_IO);
	assert_non_null(strstr(error_message(), base));
	fault_fs_free(faulty);
	mem_fs_free(fs);
}

static void
test_unreadable_stranger_matters_only_where_none_is_found(void **state)
{
	char stranger[] = "/vm/a stranger.vhd";
	struct fs *fs = new_fs(), *faulty = new_fault_fs(fs, stranger);
	struct located l = {0};

	(void)state;
	put_root(fs, stranger, 's');
	put_child_at(fs, CHILD, 'c', 'p', "gone.vhd", NULL);
	assert_int_equal(locate(&l, faulty, CHILD, &none), VHD_E_IO);
	assert_non_null(strstr(error_message(), stranger));
	put_root(fs, "/vm/renamed.vhd", 'p');
	expect_located(faulty, CHILD, &none, VHD_PARENT_OK, "/vm/renamed.vhd");
	fault_fs_free(faulty);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relative_path_comes_first),
		cmocka_unit_test(test_other_case_is_a_second_try),
		cmocka_unit_test(test_of_two_with_one_uuid_none_is_guessed),
		cmocka_unit_test(test_renamed_parent_is_found_by_uuid),
		cmocka_unit_test(test_wrong_file_is_remembered_and_passed_over),
		cmocka_unit_test(test_search_directories_are_looked_through),
		cmocka_unit_test(test_climbing_path_needs_permission),
		cmocka_unit_test(test_absolute_path_needs_permission),
		cmocka_unit_test(test_path_out_and_back_is_harmless),
		cmocka_unit_test(
			test_child_called_like_its_parent_is_not_the_wrong_file),
		cmocka_unit_test(test_time_that_differs_is_told),
		cmocka_unit_test(test_raw_parent_needs_permission),
		cmocka_unit_test(test_failure_says_what_was_wanted),
		cmocka_unit_test(
			test_link_out_of_the_directory_is_not_followed),
		cmocka_unit_test(
			test_unreadable_parent_is_not_replaced_by_a_copy),
		cmocka_unit_test(
			test_unreadable_stranger_matters_only_where_none_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
