/* SPDX-License-Identifier: BSD-3-Clause */
/* test_batmap.c - maps of full blocks that are not where they say.  What is
 * written to the disk must never become the map of its image. */
#include <setjmp.h>
#include <stdarg.h>

#include "hand_image.h"
#include "image/batmap.h"
#include "image/image.h"

static struct hand h;
static struct fs *fs;

/* A disk by XenServer, with a map of one sector there. */
static void
make(uint64_t offset, uint32_t sectors, uint32_t creator_version)
{
	struct disk_batmap *map;

	hand_make(&h);
	memcpy(hand_footer(&h, 0)->creator_app, "tap", 4);
	store_be32(hand_footer(&h, 0)->creator_version, creator_version);
	hand_copy_footer(&h);
	hand_seal_all(&h);
	map = (struct disk_batmap *)(h.bytes + HAND_TABLE + 512);
	memset(map, 0, sizeof(*map));
	memcpy(map->cookie, "tdbatmap", 8);
	store_be64(map->offset, offset);
	store_be32(map->sectors, sectors);
	store_be32(map->version, BATMAP_UNSIGNED);
	store_be32(map->checksum, UINT32_MAX);
	assert_int_equal(mem_fs_new(&fs), 0);
	hand_put(&h, fs, "disk.vhd");
}

static int
leave(void **state)
{
	(void)state;
	mem_fs_free(fs);
	hand_free(&h);
	return 0;
}

static int
open_disk(struct image **ret, unsigned flags)
{
	return image_open(ret, hand_open(fs, "disk.vhd"), flags);
}

static void
expect_refused(const char *because)
{
	struct image *img;

	assert_int_equal(open_disk(&img, IMAGE_WRITE), VHD_E_CORRUPT);
	if (!strstr(error_message(), because))
		fail_msg("expected a message with \"%s\", got \"%s\"", because,
			 error_message());
}

/* A new block, which is dropped again, so that its bit is cleared. */
static void
expect_ignored(void)
{
	static const uint8_t data[512] = {1};
	struct image *img;

	assert_int_equal(open_disk(&img, IMAGE_WRITE), 0);
	assert_int_equal(image_pwrite(img, data, 512, HAND_BLOCK), 0);
	assert_int_equal(image_flush(img), 0);
	assert_int_equal(image_close(img), 0);
	assert_int_equal(open_disk(&img, IMAGE_WRITE), 0);
	assert_int_equal(image_close(img), 0);
}

static void
test_a_map_past_the_end_stops_writing_but_not_reading(void **state)
{
	struct image *img;

	(void)state;
	make(HAND_LENGTH, 1, 0x10003);
	expect_refused("the batmap at 0x104000 ends past the end of the data");
	assert_int_equal(open_disk(&img, 0), 0);
	assert_int_equal(image_close(img), 0);
}

static void
test_a_map_that_is_too_large_is_ignored(void **state)
{
	(void)state;
	make(HAND_LENGTH, 9, 0x10003);
	expect_ignored();
}

static void
test_a_map_over_the_footer_is_ignored(void **state)
{
	(void)state;
	make(0, 1, 0x10003);
	expect_ignored();
}

static void
test_who_made_no_maps_has_none(void **state)
{
	(void)state;
	make(HAND_LENGTH, 1, 0x10000);
	expect_ignored();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_a_map_past_the_end_stops_writing_but_not_reading,
			leave),
		cmocka_unit_test_teardown(
			test_a_map_that_is_too_large_is_ignored, leave),
		cmocka_unit_test_teardown(test_a_map_over_the_footer_is_ignored,
					  leave),
		cmocka_unit_test_teardown(test_who_made_no_maps_has_none,
					  leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
