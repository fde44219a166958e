/* SPDX-License-Identifier: BSD-3-Clause */
/* test_io_mem.c - what only memory has: shared contents, a limit, no time. */
#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "io/io_mem.h"

static struct io *
open_file(struct fs *fs, const char *path, unsigned flags)
{
	struct io *io = NULL;

	assert_int_equal(fs->ops->open(&io, fs, path, flags), 0);
	return io;
}

static void
test_contents_are_shared_until_written(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = NULL, *copy = NULL;
	struct mem_data *data;
	struct io *io;
	char buf[4];

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	assert_int_equal(mem_fs_new(&copy), 0);
	assert_int_equal(mem_fs_put(fs, "a", "old!", 4), 0);
	assert_int_equal(mem_fs_get_data(&data, fs, "/a"), 0);
	assert_int_equal(mem_fs_put_data(copy, "b", data), 0);
	mem_data_free(data);
	io = open_file(copy, "b", FS_OPEN_WRITE);
	assert_int_equal(io->ops->pwrite(io, "new!", 4, 0), 0);
	assert_int_equal(io_close(io), 0);
	io = open_file(fs, "a", 0);
	assert_int_equal(io->ops->pread(io, buf, 4, 0), 0);
	assert_memory_equal(buf, "old!", 4);
	assert_int_equal(io_close(io), 0);
}

static void
test_far_offsets_take_no_room(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = NULL;
	uint64_t actual;
	struct io *io;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	io = open_file(fs, "a", FS_OPEN_CREATE);
	assert_int_equal(io->ops->pwrite(io, "x", 1, 1ull << 60), 0);
	assert_int_equal(io->ops->actual_size(&actual, io), 0);
	assert_int_equal(actual, 4096);
	assert_int_equal(io->ops->pwrite(io, "x", 1, INT64_MAX), VHD_E_RANGE);
	assert_int_equal(io_close(io), 0);
}

static void
test_limit_is_no_space(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = NULL;
	static const char bytes[16384] = "x";
	uint64_t space;
	struct io *io;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	mem_fs_set_limit(fs, 20000);
	io = open_file(fs, "a", FS_OPEN_CREATE);
	assert_int_equal(io->ops->pwrite(io, bytes, 16384, 0), 0);
	assert_int_equal(io->ops->pwrite(io, bytes, 16384, 0), 0);
	assert_int_equal(io->ops->pwrite(io, bytes, 1, 16384), VHD_E_NOSPACE);
	assert_int_equal(io->ops->punch(io, 4096, 4096), 0);
	assert_int_equal(fs->ops->free_space(&space, fs, "a"), 0);
	assert_int_equal(space, 4096);
	assert_int_equal(io->ops->pwrite(io, bytes, 1, 16384), 0);
	assert_int_equal(io_close(io), 0);
	assert_int_equal(fs->ops->unlink(fs, "a"), 0);
	assert_int_equal(fs->ops->free_space(&space, fs, "a"), 0);
	assert_int_equal(space, 16384);
}

static void
test_deleted_file_lives_while_open(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = NULL;
	struct io *io;
	char c;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	assert_int_equal(mem_fs_put(fs, "a", "x", 1), 0);
	io = open_file(fs, "a", 0);
	assert_int_equal(fs->ops->unlink(fs, "a"), 0);
	assert_int_equal(io->ops->pread(io, &c, 1, 0), 0);
	assert_int_equal(c, 'x');
	assert_int_equal(io_close(io), 0);
}

static void
test_paths_have_one_form(void **state)
{
	static const char *const pairs[][2] = {
		{"a", "/a"},           {"/a//b/", "/a/b"},
		{"./a/./b", "/a/b"},   {"a/../b", "/b"},
		{"../../a", "/a"},     {"", "/"},
		{"a/b/../../..", "/"}, {"..a/.b", "/..a/.b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *got = mem_path(pairs[i][0]);

		assert_string_equal(got, pairs[i][1]);
		free(got);
	}
}

static void
test_read_only_file_opens_for_reading(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = NULL;
	struct io *io;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	assert_int_equal(mem_fs_put(fs, "a", "x", 1), 0);
	assert_int_equal(fs->ops->set_readonly(fs, "a", true), 0);
	assert_int_equal(fs->ops->open(&io, fs, "a", FS_OPEN_WRITE), VHD_E_IO);
	io = open_file(fs, "a", 0);
	assert_int_equal(io->ops->pwrite(io, "y", 1, 0), VHD_E_IO);
	assert_int_equal(io_close(io), 0);
}

static void
test_time_is_what_it_is_set_to(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = NULL;
	struct fs_stat st;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	mem_fs_set_time(fs, 77);
	assert_int_equal(mem_fs_put(fs, "d/a", "x", 1), 0);
	assert_int_equal(fs->ops->stat(&st, fs, "d/a"), 0);
	assert_int_equal(st.mtime, 77);
	assert_int_equal(fs->ops->stat(&st, fs, "d"), 0);
	assert_true(st.directory);
}

/* Each thread has its own sector of every page. */
static void *
write_stripe(void *user)
{
	struct io *io = user;
	static _Atomic int next;
	int self = next++ % 8;
	char buf[512], got[512];

	memset(buf, 'a' + self, sizeof(buf));
	for (uint64_t i = 0; i < 400; i++) {
		uint64_t offset = (i * 37 % 100 * 8 + (uint64_t)self) * 512;

		if (io->ops->pwrite(io, buf, 512, offset) ||
		    io->ops->pread(io, got, 512, offset) ||
		    memcmp(buf, got, 512) != 0)
			return io;
	}
	return NULL;
}

static void
test_threads_may_share_a_store(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = NULL;
	pthread_t threads[8];
	struct io *io;
	void *failed;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	io = open_file(fs, "a", FS_OPEN_CREATE);
	for (int i = 0; i < 8; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, write_stripe, io), 0);
	for (int i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(io_close(io), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contents_are_shared_until_written),
		cmocka_unit_test(test_far_offsets_take_no_room),
		cmocka_unit_test(test_limit_is_no_space),
		cmocka_unit_test(test_deleted_file_lives_while_open),
		cmocka_unit_test(test_paths_have_one_form),
		cmocka_unit_test(test_read_only_file_opens_for_reading),
		cmocka_unit_test(test_time_is_what_it_is_set_to),
		cmocka_unit_test(test_threads_may_share_a_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
