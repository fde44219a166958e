/* SPDX-License-Identifier: BSD-3-Clause */
/* test_overlap.c - image_check_overlap on tables written by hand.  Blocks of
 * 2 MiB, side by side, with the end footer behind them. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "image/image.h"
#include "image/places.h"

#define BLOCK  (2u << 20)
#define REGION 4097u /* sectors: bitmap and data */
#define FIRST  64u   /* sector of the first block */
#define MANY   5000u

static _Atomic uint32_t table[MANY];
static struct io file = {.name = (char[]){"disk.vhd"}};

/* Blocks side by side, the end footer right behind them. */
static struct image
make_image(uint32_t blocks)
{
	struct image img = {
		.io = &file,
		.type = VHD_TYPE_DYNAMIC,
		.block_size = BLOCK,
		.block_shift = 21,
		.bitmap_bytes = 512,
		.footer = {.data_offset = 512},
		.hdr = {.table_offset = 1536,
			.max_entries = blocks,
			.block_size = BLOCK},
		.blocks = blocks,
		.size = (uint64_t)blocks * BLOCK,
		.bat = table,
		.file_size = (FIRST + (uint64_t)blocks * REGION + 1) * 512,
	};

	for (uint32_t b = 0; b < blocks; b++)
		table[b] = FIRST + b * REGION;
	return img;
}

static void
assert_refused(const struct image *img, const char *because)
{
	int err = image_check_overlap(img);

	assert_int_equal(err, VHD_E_CORRUPT);
	if (!strstr(error_message(), because))
		fail_msg("expected a message with \"%s\", got \"%s\"", because,
			 error_message());
}

static void
test_blocks_side_by_side_are_accepted(void **state)
{
	struct image img = make_image(10);

	(void)state;
	assert_int_equal(image_check_overlap(&img), 0);
}

static void
test_an_empty_table_is_accepted(void **state)
{
	struct image img = make_image(10);

	(void)state;
	for (unsigned b = 0; b < 10; b++)
		table[b] = BAT_UNUSED;
	assert_int_equal(image_check_overlap(&img), 0);
}

static void
test_blocks_in_any_order_are_accepted(void **state)
{
	struct image img = make_image(MANY);

	(void)state;
	for (uint32_t b = 0; b < MANY; b++)
		table[b] = FIRST + (b * 1237 % MANY) * REGION;
	assert_int_equal(image_check_overlap(&img), 0);
}

static void
test_two_entries_with_one_value_are_refused(void **state)
{
	struct image img = make_image(MANY);

	(void)state;
	table[7] = table[4000];
	assert_refused(&img, "blocks 7 and 4000 overlap");
}

static void
test_two_blocks_sharing_one_sector_are_refused(void **state)
{
	struct image img = make_image(MANY);

	(void)state;
	for (uint32_t b = 0; b < MANY; b++)
		table[b] = FIRST + (b * 1237 % MANY) * REGION;
	table[3] = FIRST + 3 * 1237 % MANY * REGION - 1;
	assert_refused(&img, "overlap at");
}

static void
test_entry_zero_is_refused(void **state)
{
	struct image img = make_image(2);

	(void)state;
	table[1] = 0;
	table[0] = BAT_UNUSED;
	assert_refused(&img, "block 1 at 0 overlaps the footer copy");
}

static void
test_a_block_over_the_last_sector_of_the_table_is_refused(void **state)
{
	struct image img = make_image(2);

	(void)state;
	img.hdr.max_entries = 128 * (FIRST - 3) + 1;
	assert_refused(&img, "overlaps the block table");
}

static void
test_a_block_over_a_locator_is_refused(void **state)
{
	struct image img = make_image(2);

	(void)state;
	img.hdr.locator[5] = (struct locator){.code = PLATFORM_W2RU,
					      .length = 20,
					      .offset = FIRST * 512 - 19};
	assert_refused(&img, "overlaps a parent locator");
}

static void
test_a_block_over_the_batmap_is_refused(void **state)
{
	struct image img = make_image(2);

	(void)state;
	img.batmap_offset = (FIRST + REGION) * 512 + 512;
	img.batmap_bytes = 512;
	assert_refused(&img, "block 1 at 0x208200 overlaps the batmap");
}

static void
test_a_block_over_the_end_footer_is_refused(void **state)
{
	struct image img = make_image(3);

	(void)state;
	img.file_size -= 512;
	assert_refused(&img, "block 2");
}

/* A file of any length has its footer in its last 512 bytes, or 511. */
static void
test_a_block_over_a_footer_off_the_grid_is_refused(void **state)
{
	struct image img = make_image(3);

	(void)state;
	img.file_size -= 1;
	assert_int_equal(image_check_overlap(&img), 0);
	img.file_size -= 1;
	assert_refused(&img, "block 2");
}

static void
test_without_an_end_footer_blocks_may_use_the_whole_file(void **state)
{
	struct image img = make_image(3);

	(void)state;
	img.file_size -= 512;
	img.defects = DEFECT_END_MISSING;
	assert_int_equal(image_check_overlap(&img), 0);
}

static void
test_the_last_block_may_be_cut_behind_the_disk(void **state)
{
	struct image img = make_image(3);

	(void)state;
	img.size -= BLOCK - 1000;
	img.file_size -= BLOCK - 1024;
	assert_int_equal(image_check_overlap(&img), 0);
	img.file_size -= 512;
	assert_refused(&img, "ends past the end");
}

/* A table longer than the file: the file would grow into it. */
static void
test_a_table_past_the_end_of_the_file_is_refused(void **state)
{
	struct image img = make_image(4);

	(void)state;
	img.hdr.max_entries = 0xfffffffd;
	assert_refused(&img, "the block table at 0x600 ends past the end");
}

static void
test_a_table_over_the_header_is_refused(void **state)
{
	struct image img = make_image(4);

	(void)state;
	img.hdr.table_offset = 1024;
	assert_refused(&img, "the block table at 0x400 overlaps the header");
}

static void
test_a_locator_past_the_end_of_the_file_is_refused(void **state)
{
	struct image img = make_image(4);

	(void)state;
	img.hdr.locator[0] = (struct locator){
		.code = PLATFORM_W2RU, .length = 20, .offset = img.file_size};
	assert_refused(&img, "a parent locator at");
}

static void
test_locators_may_share_their_data(void **state)
{
	struct image img = make_image(4);

	(void)state;
	for (int i = 0; i < 2; i++)
		img.hdr.locator[i] = (struct locator){
			.code = PLATFORM_W2RU, .length = 20, .offset = 4096};
	assert_int_equal(image_check_overlap(&img), 0);
}

static void
test_blocks_are_sorted_by_place(void **state)
{
	static uint32_t order[MANY];

	(void)state;
	for (uint32_t b = 0; b < MANY; b++) {
		table[b] = b * 2654435761u ^ b << 16;
		order[b] = b;
	}
	blocks_sort(order, MANY, table);
	for (uint32_t i = 1; i < MANY; i++)
		assert_true(table[order[i - 1]] <= table[order[i]]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_side_by_side_are_accepted),
		cmocka_unit_test(test_an_empty_table_is_accepted),
		cmocka_unit_test(test_blocks_in_any_order_are_accepted),
		cmocka_unit_test(test_two_entries_with_one_value_are_refused),
		cmocka_unit_test(
			test_two_blocks_sharing_one_sector_are_refused),
		cmocka_unit_test(test_entry_zero_is_refused),
		cmocka_unit_test(
			test_a_block_over_the_last_sector_of_the_table_is_refused),
		cmocka_unit_test(test_a_block_over_a_locator_is_refused),
		cmocka_unit_test(test_a_block_over_the_batmap_is_refused),
		cmocka_unit_test(test_a_block_over_the_end_footer_is_refused),
		cmocka_unit_test(
			test_a_block_over_a_footer_off_the_grid_is_refused),
		cmocka_unit_test(
			test_without_an_end_footer_blocks_may_use_the_whole_file),
		cmocka_unit_test(
			test_the_last_block_may_be_cut_behind_the_disk),
		cmocka_unit_test(
			test_a_table_past_the_end_of_the_file_is_refused),
		cmocka_unit_test(test_a_table_over_the_header_is_refused),
		cmocka_unit_test(
			test_a_locator_past_the_end_of_the_file_is_refused),
		cmocka_unit_test(test_locators_may_share_their_data),
		cmocka_unit_test(test_blocks_are_sorted_by_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
