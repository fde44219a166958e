/* SPDX-License-Identifier: BSD-3-Clause */
/* test_io_file_lost.c - an error of writing back is told once to a descriptor,
 * to whoever asks first; a flush must not miss it (D8).
 *
 * The two calls of the system that may be told it are replaced here. */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>

#include "io/io.h"
#include "scratch.h"

static int fail_with; /* errno of the two calls, or 0 */

int
sync_file_range(int fd, off_t offset, off_t length, unsigned flags)
{
	(void)fd, (void)offset, (void)length, (void)flags;
	errno = fail_with;
	return fail_with ? -1 : 0;
}

ssize_t
pwritev2(int fd, const struct iovec *parts, int n, off_t offset, int flags)
{
	(void)flags;
	errno = fail_with;
	return fail_with ? -1 : pwritev(fd, parts, n, offset);
}

static struct scratch scratch;
static struct io *io;

static int
enter(void **state)
{
	(void)state;
	scratch_make(&scratch);
	fail_with = 0;
	return fs_posix.ops->open(&io, &fs_posix, scratch_path(&scratch, "f"),
				  FS_OPEN_WRITE | FS_OPEN_CREATE);
}

static int
leave(void **state)
{
	(void)state;
	(void)io_close(io);
	scratch_remove(&scratch);
	return 0;
}

static void
test_a_flush_fails_after_writing_out_failed(void **state)
{
	(void)state;
	io->ops->write_out(io, 0, 4096);
	assert_int_equal(io->ops->flush(io), 0);
	fail_with = EIO;
	io->ops->write_out(io, 0, 4096);
	fail_with = 0;
	assert_int_equal(io->ops->flush(io), VHD_E_IO);
	assert_int_equal(io->ops->flush(io), VHD_E_IO);
}

static void
test_a_system_that_cannot_write_out_loses_nothing(void **state)
{
	(void)state;
	fail_with = ENOSYS;
	io->ops->write_out(io, 0, 4096);
	assert_int_equal(io->ops->flush(io), 0);
}

static void
test_a_flush_fails_after_a_durable_write_failed(void **state)
{
	(void)state;
	fail_with = EIO;
	assert_int_equal(io->ops->pwrite_durable(io, "x", 1, 0), VHD_E_IO);
	fail_with = 0;
	assert_int_equal(io->ops->flush(io), VHD_E_IO);
	assert_int_equal(io->ops->pwrite_durable(io, "x", 1, 0), VHD_E_IO);
}

/* The write itself succeeds when it is tried alone, so it was the writing
 * back that had no room. */
static void
test_a_flush_fails_when_writing_back_had_no_room(void **state)
{
	(void)state;
	fail_with = ENOSPC;
	assert_int_equal(io->ops->pwrite_durable(io, "x", 1, 0), VHD_E_NOSPACE);
	fail_with = 0;
	assert_int_equal(io->ops->flush(io), VHD_E_IO);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(test_a_flush_fails_after_writing_out_failed),
		TEST(test_a_system_that_cannot_write_out_loses_nothing),
		TEST(test_a_flush_fails_after_a_durable_write_failed),
		TEST(test_a_flush_fails_when_writing_back_had_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
