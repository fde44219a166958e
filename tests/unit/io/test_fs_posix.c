/* SPDX-License-Identifier: BSD-3-Clause */
/* test_fs_posix.c - what only the machine's file system has: other kinds of
 * file, symbolic links, owners and attributes. */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "io/io.h"
#include "scratch.h"

static int
enter(void **state)
{
	struct scratch *scratch = calloc(1, sizeof(*scratch));

	scratch_make(scratch);
	*state = scratch;
	return 0;
}

static int
leave(void **state)
{
	scratch_remove(*state);
	free(*state);
	return 0;
}

static int
open_path(struct io **ret, const char *path, unsigned flags)
{
	return fs_posix.ops->open(ret, &fs_posix, path, flags);
}

static void
touch(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
expect_refused(const char *path, unsigned flags, const char *kind)
{
	struct io *io;

	assert_int_equal(open_path(&io, path, flags), VHD_E_INVALID);
	if (!strstr(error_message(), kind))
		fail_msg("the message \"%s\" does not say %s", error_message(),
			 kind);
}

static void
test_pipe_is_refused_at_once(void **state)
{
	const char *path = scratch_path(*state, "pipe");

	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(path, 0, "a pipe");
	expect_refused(path, FS_OPEN_WRITE, "a pipe");
}

static void
test_directory_is_refused(void **state)
{
	struct scratch *scratch = *state;

	expect_refused(scratch->dir, 0, "a directory");
	expect_refused(scratch->dir, FS_OPEN_WRITE, "a directory");
}

static void
test_character_device_is_refused(void **state)
{
	(void)state;
	expect_refused("/dev/null", 0, "a character device");
	expect_refused("/dev/null", FS_OPEN_WRITE, "a character device");
}

static void
test_symlink_is_followed_unless_told_otherwise(void **state)
{
	struct scratch *scratch = *state;
	char target[256];
	struct io *io;

	strcpy(target, scratch_path(scratch, "target"));
	touch(target, 0600);
	assert_int_equal(symlink("target", scratch_path(scratch, "link")), 0);
	assert_int_equal(open_path(&io, scratch->path, 0), 0);
	assert_int_equal(io_close(io), 0);
	assert_int_equal(open_path(&io, scratch->path, FS_OPEN_NOFOLLOW),
			 VHD_E_POLICY);
}

static void
test_descriptor_is_not_inherited(void **state)
{
	struct io *io;
	pid_t pid;
	int status;

	touch(scratch_path(*state, "a"), 0600);
	assert_int_equal(open_path(&io, scratch_path(*state, "a"), 0), 0);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c",
		      "for fd in /proc/self/fd/*; do "
		      "case $(readlink $fd) in */a) exit 1;; esac; done",
		      (char *)NULL);
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(io_close(io), 0);
}

static void
test_read_only_store_refuses_writes(void **state)
{
	struct io *io;

	touch(scratch_path(*state, "a"), 0600);
	assert_int_equal(open_path(&io, scratch_path(*state, "a"), 0), 0);
	assert_false(io->writable);
	assert_int_equal(io->ops->pwrite(io, "x", 1, 0), VHD_E_IO);
	assert_int_equal(error_sys(), EBADF);
	assert_int_equal(io->ops->flush(io), 0);
	assert_int_equal(io_close(io), 0);
}

static void
test_attributes_are_carried_over(void **state)
{
	struct scratch *scratch = *state;
	char from[256], value[16] = "";
	struct stat st;
	struct timespec times[2] = {{1234567, 0}, {7654321, 0}};

	strcpy(from, scratch_path(scratch, "from"));
	touch(from, 0640);
	touch(scratch_path(scratch, "to"), 0600);
	if (setxattr(from, "user.vhd-test", "kept", 4, 0) < 0)
		skip();
	assert_int_equal(utimensat(AT_FDCWD, from, times, 0), 0);
	assert_int_equal(
		fs_posix.ops->copy_attributes(&fs_posix, from, scratch->path),
		0);
	assert_int_equal(stat(scratch->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_mtime, 7654321);
	assert_int_equal(getxattr(scratch->path, "user.vhd-test", value,
				  sizeof(value) - 1),
			 4);
	assert_string_equal(value, "kept");
}

/* user::rw-, user:7:r--, group::---, mask::r--, other::--- as the system
 * stores it. */
static const uint8_t acl[] = {
	2,    0, 0, 0,                         /* version */
	1,    0, 6, 0, 0xff, 0xff, 0xff, 0xff, /* owner */
	2,    0, 4, 0, 7,    0,    0,    0,    /* user 7 */
	4,    0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* group */
	0x10, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, /* mask */
	0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, /* other */
};

static void
test_access_list_is_carried_over(void **state)
{
	struct scratch *scratch = *state;
	uint8_t got[sizeof(acl) + 1];
	char from[256];

	strcpy(from, scratch_path(scratch, "from"));
	touch(from, 0600);
	touch(scratch_path(scratch, "to"), 0600);
	if (setxattr(from, "system.posix_acl_access", acl, sizeof(acl), 0) < 0)
		skip();
	assert_int_equal(
		fs_posix.ops->copy_attributes(&fs_posix, from, scratch->path),
		0);
	assert_int_equal(getxattr(scratch->path, "system.posix_acl_access", got,
				  sizeof(got)),
			 sizeof(acl));
	assert_memory_equal(got, acl, sizeof(acl));
}

static int
copy_as_nobody(const char *from, const char *to)
{
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	return fs_posix.ops->copy_attributes(&fs_posix, from, to) != 0;
}

/* A stranger may read what the group may, only if everybody may. */
static void
test_lost_group_gets_no_more_than_everybody(void **state)
{
	struct scratch *scratch = *state;
	char from[256];
	struct stat st;
	int status;
	pid_t pid;

	strcpy(from, scratch_path(scratch, "from"));
	touch(from, 0674);
	touch(scratch_path(scratch, "to"), 0600);
	if (chown(scratch->path, 65534, 65534) < 0 ||
	    chmod(scratch->dir, 0755) < 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(copy_as_nobody(from, scratch->path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(stat(scratch->path, &st), 0);
	assert_int_equal(st.st_gid, 65534);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void
test_set_readonly_and_back(void **state)
{
	struct stat st;
	const char *path = scratch_path(*state, "a");

	touch(path, 0664);
	assert_int_equal(fs_posix.ops->set_readonly(&fs_posix, path, true), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0444);
	assert_int_equal(fs_posix.ops->set_readonly(&fs_posix, path, false), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, enter, leave)
		IN_DIR(test_pipe_is_refused_at_once),
		IN_DIR(test_directory_is_refused),
		IN_DIR(test_character_device_is_refused),
		IN_DIR(test_symlink_is_followed_unless_told_otherwise),
		IN_DIR(test_descriptor_is_not_inherited),
		IN_DIR(test_read_only_store_refuses_writes),
		IN_DIR(test_attributes_are_carried_over),
		IN_DIR(test_access_list_is_carried_over),
		IN_DIR(test_lost_group_gets_no_more_than_everybody),
		IN_DIR(test_set_readonly_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
