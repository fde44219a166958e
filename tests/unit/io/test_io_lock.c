/* SPDX-License-Identifier: BSD-3-Clause */
/* test_io_lock.c - locks between processes, and the process behind a lock. */
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/holder.h"
#include "io/io.h"
#include "scratch.h"

struct place {
	struct scratch scratch;
	const char *path;
	struct io *io;
	pid_t other; /* a process to end; 0: none */
};

static int
enter(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	scratch_make(&place->scratch);
	place->path = scratch_path(&place->scratch, "disk");
	assert_int_equal(fs_posix.ops->open(&place->io, &fs_posix, place->path,
					    FS_OPEN_CREATE),
			 0);
	assert_int_equal(place->io->ops->truncate(place->io, 1 << 20), 0);
	*state = place;
	return 0;
}

static int
leave(void **state)
{
	struct place *place = *state;

	if (place->other) {
		(void)kill(place->other, SIGKILL);
		(void)waitpid(place->other, NULL, 0);
	}
	(void)io_close(place->io);
	scratch_remove(&place->scratch);
	free(place);
	return 0;
}

static int
lock(struct place *place, enum io_lock mode)
{
	return place->io->ops->lock(place->io, mode);
}

/* In a child: open, lock, say so with one byte, and sleep. */
static void
hold_in_child(const char *path, enum io_lock mode, int report)
{
	struct io *io;
	char ok;

	ok = fs_posix.ops->open(&io, &fs_posix, path, FS_OPEN_WRITE) == 0 &&
	     io->ops->lock(io, mode) == 0;
	if (write(report, &ok, 1) == 1)
		(void)pause();
	_exit(0);
}

static void
start_holder(struct place *place, enum io_lock mode)
{
	int ends[2];
	char ok = 0;

	assert_int_equal(pipe(ends), 0);
	place->other = fork();
	if (place->other == 0)
		hold_in_child(place->path, mode, ends[1]);
	assert_int_equal(read(ends[0], &ok, 1), 1);
	assert_true(ok);
	close(ends[0]);
	close(ends[1]);
}

static void
test_two_processes_may_read(void **state)
{
	start_holder(*state, IO_LOCK_READ);
	assert_int_equal(lock(*state, IO_LOCK_READ), 0);
}

static void
test_reader_elsewhere_keeps_a_writer_away(void **state)
{
	start_holder(*state, IO_LOCK_READ);
	assert_int_equal(lock(*state, IO_LOCK_WRITE), VHD_E_BUSY);
}

static void
test_writer_elsewhere_keeps_a_reader_away(void **state)
{
	start_holder(*state, IO_LOCK_WRITE);
	assert_int_equal(lock(*state, IO_LOCK_READ), VHD_E_BUSY);
	assert_int_equal(lock(*state, IO_LOCK_WRITE), VHD_E_BUSY);
}

static void
test_lock_ends_with_its_process(void **state)
{
	struct place *place = *state;

	start_holder(place, IO_LOCK_WRITE);
	assert_int_equal(kill(place->other, SIGKILL), 0);
	assert_int_equal(waitpid(place->other, NULL, 0), place->other);
	place->other = 0;
	assert_int_equal(lock(place, IO_LOCK_WRITE), 0);
}

static void
test_busy_message_names_the_process(void **state)
{
	struct place *place = *state;
	char pid[32];

	start_holder(place, IO_LOCK_WRITE);
	assert_int_equal(lock(place, IO_LOCK_WRITE), VHD_E_BUSY);
	(void)snprintf(pid, sizeof(pid), "(pid %d, since 20", place->other);
	if (!strstr(error_message(), pid) ||
	    !strstr(error_message(), "unit-io-io_lock"))
		fail_msg("\"%s\" should name unit-io-io_lock %s",
			 error_message(), pid);
}

static void
test_holder_is_found_without_locking(void **state)
{
	struct place *place = *state;
	struct vhd_holder holder = VHD_HOLDER_INIT;

	assert_int_equal(holder_find(&holder, place->path), 0);
	assert_false(holder.in_use);
	start_holder(place, IO_LOCK_WRITE);
	assert_int_equal(holder_find(&holder, place->path), 0);
	assert_true(holder.in_use);
	assert_true(holder.writer);
	assert_int_equal(holder.pid, place->other);
	assert_in_range(holder.since, time(NULL) - 60, time(NULL) + 2);
	assert_string_equal(holder.program, "unit-io-io_lock");
	assert_int_equal(holder.struct_size, sizeof(holder));
}

static void
test_holder_that_reads_is_no_writer(void **state)
{
	struct place *place = *state;
	struct vhd_holder holder = VHD_HOLDER_INIT;

	start_holder(place, IO_LOCK_READ);
	assert_int_equal(holder_find(&holder, place->path), 0);
	assert_true(holder.in_use);
	assert_false(holder.writer);
	assert_int_equal(holder.pid, place->other);
}

static void
test_holder_of_a_missing_file(void **state)
{
	struct place *place = *state;
	struct vhd_holder holder = VHD_HOLDER_INIT;

	assert_int_equal(
		holder_find(&holder, scratch_path(&place->scratch, "none")),
		VHD_E_NOTFOUND);
}

static void
test_replaced_file_is_noticed(void **state)
{
	struct place *place = *state;
	char path[256];
	struct io *io;

	strcpy(path, place->path);
	assert_int_equal(fs_posix.ops->open(&io, &fs_posix,
					    scratch_path(&place->scratch, "n"),
					    FS_OPEN_CREATE),
			 0);
	assert_int_equal(io_close(io), 0);
	assert_int_equal(rename(place->scratch.path, path), 0);
	assert_int_equal(lock(place, IO_LOCK_READ), VHD_E_BUSY);
	assert_non_null(strstr(error_message(), "replaced"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(lock(place, IO_LOCK_READ), VHD_E_NOTFOUND);
}

static void
test_renamed_file_keeps_and_changes_its_lock(void **state)
{
	struct place *place = *state;
	char path[256];

	strcpy(path, place->path);
	assert_int_equal(lock(place, IO_LOCK_READ), 0);
	assert_int_equal(rename(path, scratch_path(&place->scratch, "n")), 0);
	assert_int_equal(lock(place, IO_LOCK_WRITE), 0);
	assert_int_equal(lock(place, IO_LOCK_READ), 0);
}

/* QEMU lets readers of a raw disk share it with a writer, but not those of an
 * image, so the file becomes one.  It is another inode then. */
static void
make_image(struct place *place)
{
	char command[600];

	if (system("command -v qemu-io >/dev/null") != 0)
		skip();
	(void)snprintf(command, sizeof(command),
		       "qemu-img create -q -f vpc %s 4M", place->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(io_close(place->io), 0);
	assert_int_equal(fs_posix.ops->open(&place->io, &fs_posix, place->path,
					    FS_OPEN_WRITE),
			 0);
}

/* Start qemu-io on the file and wait until it holds it. */
static void
start_qemu(struct place *place, const char *options)
{
	struct vhd_holder holder = VHD_HOLDER_INIT;
	char command[600];
	struct timespec wait = {0, 20000000};

	make_image(place);
	(void)snprintf(command, sizeof(command),
		       "sleep 60 | exec qemu-io %s -f vpc %s >/dev/null 2>&1",
		       options, place->path);
	place->other = fork();
	if (place->other == 0) {
		(void)setpgid(0, 0);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500 && !holder.in_use; i++) {
		(void)nanosleep(&wait, NULL);
		assert_int_equal(holder_find(&holder, place->path), 0);
	}
	assert_true(holder.in_use);
	assert_string_equal(holder.program, "qemu-io");
	/* It takes its bytes one after the other. */
	wait.tv_nsec = 200000000;
	(void)nanosleep(&wait, NULL);
}

static int
leave_qemu(void **state)
{
	struct place *place = *state;

	if (place->other)
		(void)kill(-place->other, SIGKILL);
	return leave(state);
}

static void
test_qemu_writing_keeps_us_away(void **state)
{
	start_qemu(*state, "");
	assert_int_equal(lock(*state, IO_LOCK_READ), VHD_E_BUSY);
	assert_int_equal(lock(*state, IO_LOCK_WRITE), VHD_E_BUSY);
	assert_non_null(strstr(error_message(), "qemu-io (pid "));
}

static void
test_qemu_reading_lets_us_read_only(void **state)
{
	start_qemu(*state, "-r");
	assert_int_equal(lock(*state, IO_LOCK_WRITE), VHD_E_BUSY);
	assert_int_equal(lock(*state, IO_LOCK_READ), 0);
}

static int
run_qemu(struct place *place, const char *options)
{
	char command[600];

	if (system("command -v qemu-io >/dev/null") != 0)
		skip();
	(void)snprintf(command, sizeof(command),
		       "qemu-io %s -f vpc -c 'read 0 512' %s >/dev/null 2>&1",
		       options, place->path);
	return system(command);
}

static void
test_our_writer_keeps_qemu_away(void **state)
{
	make_image(*state);
	assert_int_equal(lock(*state, IO_LOCK_WRITE), 0);
	assert_int_not_equal(run_qemu(*state, ""), 0);
	assert_int_not_equal(run_qemu(*state, "-r"), 0);
	assert_int_equal(lock(*state, IO_LOCK_NONE), 0);
	assert_int_equal(run_qemu(*state, ""), 0);
}

static void
test_our_reader_lets_qemu_read_only(void **state)
{
	make_image(*state);
	assert_int_equal(lock(*state, IO_LOCK_READ), 0);
	assert_int_not_equal(run_qemu(*state, ""), 0);
	assert_int_equal(run_qemu(*state, "-r"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_DIR(test)    cmocka_unit_test_setup_teardown(test, enter, leave)
#define WITH_QEMU(test) cmocka_unit_test_setup_teardown(test, enter, leave_qemu)
		IN_DIR(test_two_processes_may_read),
		IN_DIR(test_reader_elsewhere_keeps_a_writer_away),
		IN_DIR(test_writer_elsewhere_keeps_a_reader_away),
		IN_DIR(test_lock_ends_with_its_process),
		IN_DIR(test_busy_message_names_the_process),
		IN_DIR(test_holder_is_found_without_locking),
		IN_DIR(test_holder_that_reads_is_no_writer),
		IN_DIR(test_holder_of_a_missing_file),
		IN_DIR(test_replaced_file_is_noticed),
		IN_DIR(test_renamed_file_keeps_and_changes_its_lock),
		WITH_QEMU(test_qemu_writing_keeps_us_away),
		WITH_QEMU(test_qemu_reading_lets_us_read_only),
		WITH_QEMU(test_our_writer_keeps_qemu_away),
		WITH_QEMU(test_our_reader_lets_qemu_read_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
