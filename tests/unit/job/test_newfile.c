/* SPDX-License-Identifier: BSD-3-Clause */
/* test_newfile.c - a name is taken by a complete file, or stays as it was. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/newfile.h"
#include "make_image.h"

static int
begin_and_write(struct newfile *nf, const struct fs *fs, const char *path,
		bool force)
{
	int err = newfile_begin(nf, fs, path, force);

	if (!err)
		expect_ok(nf->io->ops->pwrite(nf->io, "new", 3, 0), "write");
	return err;
}

static void
expect_text(const struct fs *fs, const char *path, const char *want)
{
	struct io *io = NULL;
	char got[4] = "";

	expect_ok(fs->ops->open(&io, fs, path, 0), path);
	expect_ok(io->ops->pread(io, got, 3, 0), path);
	assert_string_equal(got, want);
	expect_ok(io_close(io), path);
}

static int
count_name(const char *name, void *user)
{
	(void)name;
	++*(int *)user;
	return 0;
}

static int
files_in(const struct fs *fs, const char *dir)
{
	int n = 0;

	expect_ok(fs->ops->list(fs, dir, count_name, &n), dir);
	return n;
}

static void
test_name_appears_at_the_end(void **state)
{
	struct fs *fs = new_fs();
	struct newfile nf;
	struct fs_stat st;

	(void)state;
	expect_ok(begin_and_write(&nf, fs, "/d/x", false), "begin");
	assert_int_equal(fs->ops->stat(&st, fs, "/d/x"), VHD_E_NOTFOUND);
	expect_ok(newfile_end(&nf, 0), "end");
	expect_text(fs, "/d/x", "new");
	assert_int_equal(files_in(fs, "/d"), 1);
	mem_fs_free(fs);
}

static void
test_failure_is_kept_and_leaves_nothing(void **state)
{
	struct fs *fs = new_fs();
	struct newfile nf;

	(void)state;
	expect_ok(begin_and_write(&nf, fs, "/d/x", false), "begin");
	assert_int_equal(newfile_end(&nf, fail(VHD_E_RANGE, "the reason")),
			 VHD_E_RANGE);
	assert_string_equal(error_message(), "the reason");
	assert_int_equal(files_in(fs, "/d"), 0);
	mem_fs_free(fs);
}

static void
test_name_taken_meanwhile_is_not_replaced(void **state)
{
	struct fs *fs = new_fs();
	struct newfile nf;

	(void)state;
	expect_ok(begin_and_write(&nf, fs, "/d/x", false), "begin");
	expect_ok(mem_fs_put(fs, "/d/x", "old", 3), "put");
	assert_int_equal(newfile_end(&nf, 0), VHD_E_EXISTS);
	expect_text(fs, "/d/x", "old");
	assert_int_equal(files_in(fs, "/d"), 1);
	mem_fs_free(fs);
}

static void
test_replaced_file_keeps_its_mode_and_its_link(void **state)
{
	char top[] = "/tmp/test_newfile.XXXXXX";
	struct newfile nf;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(top));
	assert_int_equal(chdir(top), 0);
	assert_int_equal(system("mkdir d && printf old >d/x && chmod 640 d/x &&"
				" ln -s d/x link"),
			 0);
	assert_int_equal(begin_and_write(&nf, &fs_posix, "link", false),
			 VHD_E_EXISTS);
	expect_ok(begin_and_write(&nf, &fs_posix, "link", true), "begin");
	expect_text(&fs_posix, "d/x", "old");
	expect_ok(newfile_end(&nf, 0), "end");
	expect_text(&fs_posix, "d/x", "new");
	assert_int_equal(lstat("link", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat("d/x", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(files_in(&fs_posix, "d"), 1);
	assert_int_equal(system("rm -r d link"), 0);
	assert_int_equal(rmdir(top), 0);
}

static void
test_room_is_asked_before(void **state)
{
	struct fs *fs = new_fs();
	uint64_t room = 0;
	bool device = true;

	(void)state;
	mem_fs_set_limit(fs, 12345);
	expect_ok(newfile_room(&room, &device, fs, "/d/x", false), "room");
	assert_false(device);
	assert_true(room > 0 && room <= 12345);
	expect_ok(mem_fs_put(fs, "/d/x", "old", 3), "put");
	assert_int_equal(newfile_room(&room, &device, fs, "/d/x", false),
			 VHD_E_EXISTS);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_appears_at_the_end),
		cmocka_unit_test(test_failure_is_kept_and_leaves_nothing),
		cmocka_unit_test(test_name_taken_meanwhile_is_not_replaced),
		cmocka_unit_test(
			test_replaced_file_keeps_its_mode_and_its_link),
		cmocka_unit_test(test_room_is_asked_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
