/* SPDX-License-Identifier: BSD-3-Clause */
/* test_owner.c - which layer a sector is read from when the sizes in a chain
 * differ (format 13.2). */
#include <string.h>

#include "chain/chain.h"
#include "make_image.h"

#define KIB   (1u << 10)
#define SMALL (64 * KIB)

/* A root of `root` bytes full of 'r', a middle of `middle` with nothing in it
 * and a leaf of `leaf` with nothing either. */
static struct chain *
open_three(struct fs *fs, uint64_t root, uint64_t middle, uint64_t leaf)
{
	struct chain_opts opts = {0};
	struct chain *c = NULL;

	put_sized(fs, "/root.vhd", root, 'r', 0);
	fill_image(fs, "/root.vhd", root, 'r');
	put_sized(fs, "/middle.vhd", middle, 'm', 'r');
	put_sized(fs, "/leaf.vhd", leaf, 'l', 'm');
	expect_ok(chain_open(&c, fs, "/leaf.vhd", &opts), "chain_open");
	assert_int_equal(c->depth, 3);
	return c;
}

static char
byte_at(struct chain *c, uint64_t offset)
{
	char byte = '?';

	expect_ok(chain_pread(c, &byte, 1, offset), "chain_pread");
	return byte;
}

static void
test_past_the_end_of_a_shorter_middle_is_zero(void **state)
{
	struct fs *fs = new_fs();
	struct chain *c = open_three(fs, 2 * SMALL, SMALL, 2 * SMALL);

	(void)state;
	assert_int_equal(byte_at(c, SMALL - 1), 'r');
	assert_int_equal(byte_at(c, SMALL), 0);
	assert_int_equal(byte_at(c, 2 * SMALL - 1), 0);
	assert_int_equal(chain_close(c), 0);
	mem_fs_free(fs);
}

static void
test_past_the_end_of_a_shorter_root_is_zero(void **state)
{
	struct fs *fs = new_fs();
	struct chain *c = open_three(fs, SMALL, 2 * SMALL, 2 * SMALL);

	(void)state;
	assert_int_equal(byte_at(c, SMALL - 1), 'r');
	assert_int_equal(byte_at(c, SMALL), 0);
	assert_int_equal(chain_close(c), 0);
	mem_fs_free(fs);
}

/* A job may take the middle out. */
static void
test_what_a_shorter_middle_hides_is_not_zero_below(void **state)
{
	struct fs *fs = new_fs();
	struct chain *c = open_three(fs, 2 * SMALL, SMALL, 2 * SMALL);
	bool zero;

	(void)state;
	expect_ok(chain_zero_below(&zero, c, 1, SMALL, SMALL), "in the tail");
	assert_false(zero);
	expect_ok(chain_zero_below(&zero, c, 3, SMALL, SMALL), "below all");
	assert_true(zero);
	assert_int_equal(chain_close(c), 0);
	mem_fs_free(fs);
}

/* A fixed disk of 1000 bytes with 24 more in front of its footer. */
static void
put_odd_fixed(struct fs *fs, const char *path, char letter)
{
	uint8_t bytes[1024 + 512];
	struct disk_footer disk;
	struct footer f;

	memset(bytes, 'f', 1024);
	footer_init(&f, VHD_TYPE_FIXED, 1000, uuid_of(letter), VHD_EPOCH,
		    "win ");
	footer_encode(&disk, &f);
	memcpy(bytes + 1024, &disk, sizeof(disk));
	expect_ok(mem_fs_put(fs, path, bytes, sizeof(bytes)), path);
}

static void
test_rest_of_the_last_sector_of_a_parent_is_zero(void **state)
{
	struct fs *fs = new_fs();
	struct chain_opts opts = {0};
	struct chain *c = NULL;

	(void)state;
	put_odd_fixed(fs, "/parent.vhd", 'p');
	put_sized(fs, "/leaf.vhd", 2048, 'l', 'p');
	expect_ok(chain_open(&c, fs, "/leaf.vhd", &opts), "chain_open");
	assert_int_equal(byte_at(c, 999), 'f');
	assert_int_equal(byte_at(c, 1000), 0);
	assert_int_equal(byte_at(c, 1024), 0);
	assert_int_equal(byte_at(c, 2047), 0);
	assert_int_equal(chain_close(c), 0);
	mem_fs_free(fs);
}

static void
test_disk_of_an_odd_size_is_not_written_to(void **state)
{
	struct fs *fs = new_fs();
	struct image *img = NULL;
	struct io *io = NULL;

	(void)state;
	put_odd_fixed(fs, "/odd.vhd", 'o');
	expect_ok(fs->ops->open(&io, fs, "/odd.vhd", FS_OPEN_WRITE), "open");
	assert_int_equal(image_open(&img, io, IMAGE_WRITE), VHD_E_CORRUPT);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_past_the_end_of_a_shorter_middle_is_zero),
		cmocka_unit_test(test_past_the_end_of_a_shorter_root_is_zero),
		cmocka_unit_test(
			test_what_a_shorter_middle_hides_is_not_zero_below),
		cmocka_unit_test(
			test_rest_of_the_last_sector_of_a_parent_is_zero),
		cmocka_unit_test(test_disk_of_an_odd_size_is_not_written_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
