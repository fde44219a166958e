/* SPDX-License-Identifier: BSD-3-Clause */
/* test_reader.c - the buffered reader gives what is in the file, and reads
 * nothing of its holes. */
#include "image/reader.h"

#include "make_image.h"

#define DATA 4096u
#define SIZE (1u << 20)

static const struct io_ops *real;
static struct io_ops counted;
static uint64_t bytes_read;

static int
counted_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	bytes_read += len;
	return real->pread(io, buf, len, offset);
}

/* Data in the first page and in the last, a hole between. */
static struct io *
sparse_file(struct fs *fs)
{
	char data[DATA];
	struct io *io = NULL;

	memset(data, 'x', sizeof(data));
	expect_ok(fs->ops->open(&io, fs, "f", FS_OPEN_WRITE | FS_OPEN_CREATE),
		  "open");
	expect_ok(io->ops->pwrite(io, data, DATA, 0), "write");
	expect_ok(io->ops->pwrite(io, data, DATA, SIZE - DATA), "write");
	real = io->ops;
	counted = *real;
	counted.pread = counted_pread;
	io->ops = &counted;
	bytes_read = 0;
	return io;
}

static void
holes_are_not_read_ahead(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct io *io = sparse_file(fs);
	struct reader r;
	const uint8_t *data;
	bool data_first;
	uint64_t end;

	(void)state;
	expect_ok(io->ops->extent(&data_first, &end, io, 0), "extent");
	if (!data_first || end != DATA)
		skip(); /* a store that does not tell its holes */
	expect_ok(reader_init(&r, io), "init");
	expect_ok(reader_get(&data, &r, 0, 512), "get");
	assert_int_equal(data[0], 'x');
	if (bytes_read != DATA)
		fail_msg("%u bytes of data before a hole, and %llu were read",
			 DATA, (unsigned long long)bytes_read);
	reader_free(&r);
	expect_ok(io_close(io), "close");
}

static void
a_piece_across_data_and_hole_is_right(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct io *io = sparse_file(fs);
	struct reader r;
	const uint8_t *data;

	(void)state;
	expect_ok(reader_init(&r, io), "init");
	expect_ok(reader_get(&data, &r, 0, 512), "get");
	expect_ok(reader_get(&data, &r, DATA - 512, 2048), "get");
	for (unsigned i = 0; i < 2048; i++)
		assert_int_equal(data[i], i < 512 ? 'x' : 0);
	expect_ok(reader_get(&data, &r, SIZE - DATA - 512, 1024), "get");
	for (unsigned i = 0; i < 1024; i++)
		assert_int_equal(data[i], i < 512 ? 0 : 'x');
	reader_free(&r);
	expect_ok(io_close(io), "close");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holes_are_not_read_ahead),
		cmocka_unit_test(a_piece_across_data_and_hole_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
