/* SPDX-License-Identifier: BSD-3-Clause */
/* test_punch.c - freed space is punched in few calls, and only freed space
 * (D7). */
#include "make_image.h"

#define BLOCKS 8u

/* The calls that the file gets. */
static struct {
	struct io_ops ops;
	const struct io_ops *real;
	unsigned punches, syncs;
} file;

static int
counted_punch(struct io *io, uint64_t offset, uint64_t length)
{
	file.punches++;
	assert_true(file.syncs > 0);
	return file.real->punch(io, offset, length);
}

static int
counted_flush(struct io *io)
{
	file.syncs++;
	return file.real->flush(io);
}

/* A disk of eight blocks, each full of its own letter, and the file's calls
 * counted from now on. */
static struct image *
full_image(struct fs *fs, uint32_t block_size)
{
	AUTO_FREE char *data = malloc(block_size);
	struct image *img;

	put_formatted(fs, "a.vhd",
		      &(struct image_create){.type = VHD_TYPE_DYNAMIC,
					     .size = BLOCKS * block_size,
					     .block_size = block_size});
	img = open_image(fs, "a.vhd", IMAGE_WRITE);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		memset(data, 'a' + (int)b, block_size);
		expect_ok(image_pwrite(img, data, block_size,
				       (uint64_t)b * block_size),
			  "write");
	}
	expect_ok(image_flush(img), "flush");
	memset(&file, 0, sizeof(file));
	file.real = img->io->ops;
	file.ops = *file.real;
	file.ops.punch = counted_punch;
	file.ops.flush = counted_flush;
	img->io->ops = &file.ops;
	return img;
}

static void
drop(struct image *img, uint32_t first, uint32_t step)
{
	for (uint32_t b = first; b < BLOCKS; b += step)
		expect_ok(image_drop_block(img, b), "drop");
	expect_ok(image_flush(img), "flush");
}

static void
expect_block(struct image *img, uint32_t block, char letter)
{
	AUTO_FREE char *data = malloc(img->block_size);

	expect_ok(image_pread(img, data, img->block_size,
			      (uint64_t)block * img->block_size),
		  "read");
	for (uint32_t i = 0; i < img->block_size; i++)
		if (data[i] != letter)
			fail_msg("block %u, byte %u: %d, expected %d", block, i,
				 data[i], letter);
}

static void
neighbours_are_punched_together(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct image *img = full_image(fs, 64u << 10);

	(void)state;
	drop(img, 0, 1);
	/* At most where the file grew, an old footer lies between. */
	assert_in_range(file.punches, 1, 2);
	expect_ok(image_close(img), "close");
}

static void
a_block_between_is_kept(uint32_t block_size)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct image *img = full_image(fs, block_size);

	drop(img, 0, 2);
	assert_int_equal(file.punches, BLOCKS / 2);
	for (uint32_t b = 0; b < BLOCKS; b++)
		expect_block(img, b, b % 2 ? (char)('a' + b) : 0);
	expect_ok(image_close(img), "close");
	img = open_image(fs, "a.vhd", 0);
	for (uint32_t b = 0; b < BLOCKS; b++)
		expect_block(img, b, b % 2 ? (char)('a' + b) : 0);
	expect_ok(image_close(img), "close again");
}

static void
a_large_block_between_is_kept(void **state)
{
	(void)state;
	a_block_between_is_kept(64u << 10);
}

static void
the_smallest_block_between_is_kept(void **state)
{
	(void)state;
	a_block_between_is_kept(4096);
}

static void
a_file_that_will_go_is_not_punched(void **state)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct image *img = full_image(fs, 64u << 10);

	(void)state;
	img->vanishing = true;
	drop(img, 0, 1);
	assert_int_equal(file.punches, 0);
	expect_ok(image_close(img), "close");
	img = open_image(fs, "a.vhd", IMAGE_WRITE);
	assert_int_equal(image_count_blocks(img), 0);
	expect_block(img, 0, 0);
	expect_ok(image_close(img), "close again");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(neighbours_are_punched_together),
		cmocka_unit_test(a_large_block_between_is_kept),
		cmocka_unit_test(the_smallest_block_between_is_kept),
		cmocka_unit_test(a_file_that_will_go_is_not_punched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
