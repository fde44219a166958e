/* SPDX-License-Identifier: BSD-3-Clause */
/* test_io_contract.c - what io.h promises, asked of every file system. */
#include <cmocka.h>
#include <string.h>

#include "io/io_mem.h"
#include "scratch.h"

struct place {
	struct scratch scratch;
	struct fs *memory; /* NULL: the machine's own */
	const struct fs *fs;
};

static int
enter_posix(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	scratch_make(&place->scratch);
	place->fs = &fs_posix;
	*state = place;
	return 0;
}

static int
enter_memory(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	scratch_make(&place->scratch);
	assert_int_equal(mem_fs_new(&place->memory), 0);
	place->fs = place->memory;
	*state = place;
	return 0;
}

static int
leave(void **state)
{
	struct place *place = *state;

	mem_fs_free(place->memory);
	scratch_remove(&place->scratch);
	free(place);
	return 0;
}

static const char *
at(struct place *place, const char *name)
{
	return scratch_path(&place->scratch, name);
}

static struct io *
make(struct place *place, const char *name)
{
	struct io *io = NULL;

	assert_int_equal(place->fs->ops->open(&io, place->fs, at(place, name),
					      FS_OPEN_CREATE),
			 0);
	return io;
}

static void
put(struct io *io, uint64_t offset, char letter, size_t len)
{
	char *buf = malloc(len);

	memset(buf, letter, len);
	assert_int_equal(io->ops->pwrite(io, buf, len, offset), 0);
	free(buf);
}

static void
expect_bytes(struct io *io, uint64_t offset, char letter, size_t len)
{
	char *buf = malloc(len);

	assert_int_equal(io->ops->pread(io, buf, len, offset), 0);
	for (size_t i = 0; i < len; i++)
		if (buf[i] != letter)
			fail_msg("byte %zu of %zu at offset %llu is %#x, "
				 "should be %#x",
				 i, len, (unsigned long long)offset,
				 (unsigned)buf[i], (unsigned)letter);
	free(buf);
}

static uint64_t
size_of(struct io *io)
{
	uint64_t size = 0;

	assert_int_equal(io->ops->size(&size, io), 0);
	return size;
}

static void
test_reads_what_was_written(void **state)
{
	struct io *io = make(*state, "a");

	put(io, 1000, 'x', 100000);
	put(io, 5000, 'y', 3);
	expect_bytes(io, 0, 0, 1000);
	expect_bytes(io, 1000, 'x', 4000);
	expect_bytes(io, 5000, 'y', 3);
	expect_bytes(io, 5003, 'x', 95997);
	assert_int_equal(size_of(io), 101000);
	assert_int_equal(io_close(io), 0);
}

static void
test_reading_past_the_end_is_corrupt(void **state)
{
	struct io *io = make(*state, "a");
	char buf[10];

	put(io, 0, 'x', 5);
	assert_int_equal(io->ops->pread(io, buf, 6, 0), VHD_E_CORRUPT);
	assert_non_null(strstr(error_message(), "past the end"));
	assert_int_equal(io->ops->pread(io, buf, 1, 1ull << 40), VHD_E_CORRUPT);
	assert_int_equal(io_close(io), 0);
}

static void
test_durable_write_and_flush(void **state)
{
	struct io *io = make(*state, "a");

	assert_int_equal(io->ops->pwrite_durable(io, "hello", 5, 4096), 0);
	assert_int_equal(io->ops->flush(io), 0);
	expect_bytes(io, 4096, 'h', 1);
	assert_int_equal(size_of(io), 4101);
	assert_int_equal(io_close(io), 0);
}

static void
test_truncate_cuts_and_grows_with_zeros(void **state)
{
	struct io *io = make(*state, "a");

	put(io, 0, 'x', 10000);
	assert_int_equal(io->ops->truncate(io, 100), 0);
	assert_int_equal(size_of(io), 100);
	assert_int_equal(io->ops->truncate(io, 20000), 0);
	expect_bytes(io, 0, 'x', 100);
	expect_bytes(io, 100, 0, 19900);
	assert_int_equal(io_close(io), 0);
}

static void
test_punch_zeroes_and_keeps_the_size(void **state)
{
	struct io *io = make(*state, "a");
	uint64_t before, after;

	put(io, 0, 'x', 1 << 20);
	assert_int_equal(io->ops->flush(io), 0);
	assert_int_equal(io->ops->actual_size(&before, io), 0);
	if (io->ops->punch(io, 5000, 900000) == VHD_E_UNSUPPORTED) {
		assert_int_equal(io_close(io), 0);
		skip();
	}
	assert_int_equal(io->ops->actual_size(&after, io), 0);
	assert_true(after < before);
	assert_int_equal(size_of(io), 1 << 20);
	expect_bytes(io, 0, 'x', 5000);
	expect_bytes(io, 5000, 0, 900000);
	expect_bytes(io, 905000, 'x', (1 << 20) - 905000);
	assert_int_equal(io_close(io), 0);
}

static void
test_extent_tells_data_from_holes(void **state)
{
	struct io *io = make(*state, "a");
	uint64_t end;
	bool data;

	put(io, 1 << 20, 'x', 65536);
	assert_int_equal(io->ops->truncate(io, 4 << 20), 0);
	assert_int_equal(io->ops->extent(&data, &end, io, 0), 0);
	if (data && end == 4 << 20) {
		assert_int_equal(io_close(io), 0);
		skip();
	}
	assert_false(data);
	assert_int_equal(end, 1 << 20);
	assert_int_equal(io->ops->extent(&data, &end, io, 1 << 20), 0);
	assert_true(data);
	assert_int_equal(end, (1 << 20) + 65536);
	assert_int_equal(io->ops->extent(&data, &end, io, end), 0);
	assert_false(data);
	assert_int_equal(end, 4 << 20);
	assert_int_equal(io->ops->extent(&data, &end, io, 4 << 20),
			 VHD_E_CORRUPT);
	assert_int_equal(io_close(io), 0);
}

static void
test_write_zeros_reaches_past_the_end(void **state)
{
	struct io *io = make(*state, "a");

	put(io, 0, 'x', 10000);
	assert_int_equal(io_write_zeros(io, 100, 50), 0);
	assert_int_equal(io_write_zeros(io, 9000, 200000), 0);
	assert_int_equal(io_write_zeros(io, 9000, 0), 0);
	expect_bytes(io, 0, 'x', 100);
	expect_bytes(io, 100, 0, 50);
	expect_bytes(io, 150, 'x', 8850);
	expect_bytes(io, 9000, 0, 200000);
	assert_int_equal(size_of(io), 209000);
	assert_int_equal(io_close(io), 0);
}

static void
test_copy_moves_any_range(void **state)
{
	struct io *from = make(*state, "from");
	struct io *to = make(*state, "to");

	put(from, 0, 'x', 3 << 20);
	put(to, 0, 'o', 5 << 20);
	assert_int_equal(io_copy(to, 4096, from, 4096, 2 << 20), 0);
	assert_int_equal(io_copy(to, 3000001, from, 17, 100003), 0);
	assert_int_equal(io_copy(to, 5 << 20, from, 0, 0), 0);
	expect_bytes(to, 0, 'o', 4096);
	expect_bytes(to, 4096, 'x', 2 << 20);
	expect_bytes(to, (2 << 20) + 4096, 'o', 100);
	expect_bytes(to, 3000000, 'o', 1);
	expect_bytes(to, 3000001, 'x', 100003);
	expect_bytes(to, 3100004, 'o', 100);
	assert_int_equal(size_of(to), 5 << 20);
	assert_int_equal(io_copy(to, 0, from, 3 << 20, 1), VHD_E_CORRUPT);
	assert_int_equal(io_close(from), 0);
	assert_int_equal(io_close(to), 0);
}

static void
test_readers_share_and_a_writer_is_alone(void **state)
{
	struct place *place = *state;
	struct io *a = make(place, "a"), *b, *c;

	assert_int_equal(place->fs->ops->open(&b, place->fs, at(place, "a"), 0),
			 0);
	assert_int_equal(place->fs->ops->open(&c, place->fs, at(place, "a"), 0),
			 0);
	assert_int_equal(a->ops->lock(a, IO_LOCK_READ), 0);
	assert_int_equal(b->ops->lock(b, IO_LOCK_READ), 0);
	assert_int_equal(c->ops->lock(c, IO_LOCK_WRITE), VHD_E_BUSY);
	assert_int_equal(a->ops->lock(a, IO_LOCK_WRITE), VHD_E_BUSY);
	assert_int_equal(b->ops->lock(b, IO_LOCK_NONE), 0);
	assert_int_equal(a->ops->lock(a, IO_LOCK_WRITE), 0);
	assert_int_equal(b->ops->lock(b, IO_LOCK_READ), VHD_E_BUSY);
	assert_int_equal(c->ops->lock(c, IO_LOCK_WRITE), VHD_E_BUSY);
	assert_int_equal(a->ops->lock(a, IO_LOCK_READ), 0);
	assert_int_equal(b->ops->lock(b, IO_LOCK_READ), 0);
	assert_int_equal(io_close(a), 0);
	assert_int_equal(io_close(b), 0);
	assert_int_equal(c->ops->lock(c, IO_LOCK_WRITE), 0);
	assert_int_equal(io_close(c), 0);
}

static void
test_failed_upgrade_keeps_the_old_lock(void **state)
{
	struct place *place = *state;
	struct io *a = make(place, "a"), *b;

	assert_int_equal(place->fs->ops->open(&b, place->fs, at(place, "a"), 0),
			 0);
	assert_int_equal(a->ops->lock(a, IO_LOCK_READ), 0);
	assert_int_equal(b->ops->lock(b, IO_LOCK_READ), 0);
	assert_int_equal(a->ops->lock(a, IO_LOCK_WRITE), VHD_E_BUSY);
	assert_int_equal(b->ops->lock(b, IO_LOCK_WRITE), VHD_E_BUSY);
	assert_int_equal(io_close(b), 0);
	assert_int_equal(a->ops->lock(a, IO_LOCK_WRITE), 0);
	assert_int_equal(io_close(a), 0);
}

static void
test_create_is_exclusive_and_open_needs_a_file(void **state)
{
	struct place *place = *state;
	struct io *io = make(place, "a");

	assert_int_equal(io_close(io), 0);
	assert_int_equal(place->fs->ops->open(&io, place->fs, at(place, "a"),
					      FS_OPEN_CREATE),
			 VHD_E_EXISTS);
	assert_int_equal(
		place->fs->ops->open(&io, place->fs, at(place, "b"), 0),
		VHD_E_NOTFOUND);
}

static void
test_names_rename_link_exchange_unlink(void **state)
{
	struct place *place = *state;
	const struct fs_ops *ops = place->fs->ops;
	char a[256], b[256];
	struct fs_stat st;
	struct io *io;

	strcpy(a, at(place, "a"));
	strcpy(b, at(place, "b"));
	io = make(place, "a");
	put(io, 0, 'a', 1);
	assert_int_equal(io_close(io), 0);
	assert_int_equal(ops->link(place->fs, a, b), 0);
	assert_int_equal(ops->link(place->fs, a, b), VHD_E_EXISTS);
	assert_int_equal(ops->stat(&st, place->fs, b), 0);
	assert_int_equal(st.links, 2);
	assert_true(st.regular);
	assert_int_equal(ops->unlink(place->fs, b), 0);
	io = make(place, "b");
	put(io, 0, 'b', 2);
	assert_int_equal(io_close(io), 0);
	assert_int_equal(ops->exchange(place->fs, a, b), 0);
	assert_int_equal(ops->stat(&st, place->fs, a), 0);
	assert_int_equal(st.size, 2);
	assert_int_equal(ops->rename(place->fs, b, a), 0);
	assert_int_equal(ops->stat(&st, place->fs, a), 0);
	assert_int_equal(st.size, 1);
	assert_int_equal(ops->stat(&st, place->fs, b), VHD_E_NOTFOUND);
	assert_int_equal(ops->sync_dir(place->fs, a), 0);
	assert_int_equal(ops->unlink(place->fs, b), VHD_E_NOTFOUND);
}

static int
count_name(const char *name, void *user)
{
	if (strcmp(name, "a") == 0 || strcmp(name, "b") == 0)
		++*(int *)user;
	else
		*(int *)user = -100;
	return *(int *)user == 2 ? VHD_E_CANCELLED : 0;
}

static void
test_list_gives_each_name_until_told_to_stop(void **state)
{
	struct place *place = *state;
	int n = 0;

	assert_int_equal(io_close(make(place, "a")), 0);
	assert_int_equal(place->fs->ops->list(place->fs, place->scratch.dir,
					      count_name, &n),
			 0);
	assert_int_equal(n, 1);
	assert_int_equal(io_close(make(place, "b")), 0);
	n = 0;
	assert_int_equal(place->fs->ops->list(place->fs, place->scratch.dir,
					      count_name, &n),
			 VHD_E_CANCELLED);
	assert_int_equal(n, 2);
}

static void
test_one_file_is_the_same_through_two_names(void **state)
{
	struct place *place = *state;
	struct io *a = make(place, "a"), *b = make(place, "b"), *c;
	char from[256];

	strcpy(from, at(place, "a"));
	assert_int_equal(place->fs->ops->link(place->fs, from, at(place, "c")),
			 0);
	assert_int_equal(place->fs->ops->open(&c, place->fs, at(place, "c"), 0),
			 0);
	assert_true(io_id_equal(a->id, c->id));
	assert_false(io_id_equal(a->id, b->id));
	assert_int_equal(io_close(a), 0);
	assert_int_equal(io_close(b), 0);
	assert_int_equal(io_close(c), 0);
}

static void
test_resolve_takes_dots_out(void **state)
{
	struct place *place = *state;
	char *resolved = NULL, *plain = NULL;
	const struct fs_ops *ops = place->fs->ops;

	assert_int_equal(io_close(make(place, "a")), 0);
	assert_int_equal(ops->resolve(&plain, place->fs, at(place, "a")), 0);
	assert_int_equal(
		ops->resolve(&resolved, place->fs, at(place, "./../././/a")),
		VHD_E_NOTFOUND);
	assert_int_equal(
		ops->resolve(&resolved, place->fs, at(place, ".//./a")), 0);
	assert_string_equal(resolved, plain);
	free(resolved);
	free(plain);
}

static void
test_free_space_of_a_file_to_be(void **state)
{
	struct place *place = *state;
	uint64_t space = 0;

	assert_int_equal(place->fs->ops->free_space(&space, place->fs,
						    at(place, "none")),
			 0);
	assert_true(space > 0);
}

static int
run_all(const char *name, CMFixtureFunction enter)
{
	const struct CMUnitTest tests[] = {
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter, leave)
		IN_PLACE(test_reads_what_was_written),
		IN_PLACE(test_reading_past_the_end_is_corrupt),
		IN_PLACE(test_durable_write_and_flush),
		IN_PLACE(test_truncate_cuts_and_grows_with_zeros),
		IN_PLACE(test_punch_zeroes_and_keeps_the_size),
		IN_PLACE(test_extent_tells_data_from_holes),
		IN_PLACE(test_write_zeros_reaches_past_the_end),
		IN_PLACE(test_copy_moves_any_range),
		IN_PLACE(test_readers_share_and_a_writer_is_alone),
		IN_PLACE(test_failed_upgrade_keeps_the_old_lock),
		IN_PLACE(test_create_is_exclusive_and_open_needs_a_file),
		IN_PLACE(test_names_rename_link_exchange_unlink),
		IN_PLACE(test_list_gives_each_name_until_told_to_stop),
		IN_PLACE(test_one_file_is_the_same_through_two_names),
		IN_PLACE(test_resolve_takes_dots_out),
		IN_PLACE(test_free_space_of_a_file_to_be),
	};

	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int
main(void)
{
	int failed = run_all("files of the machine", enter_posix);

	return failed + run_all("files in memory", enter_memory);
}
