/* SPDX-License-Identifier: BSD-3-Clause */
/* test_room.c - room for metadata, and space for blocks, are not the same. */
#include <cmocka.h>
#include <string.h>

#include "image/room.h"
#include "make_image.h"
#include "relayout.h"

#define BLOCK (2u << 20)

static void
write_block(struct image *img, uint32_t block)
{
	uint8_t data[512];

	memset(data, 'd', sizeof(data));
	expect_ok(
		image_pwrite(img, data, sizeof(data), (uint64_t)block * BLOCK),
		"write");
}

static uint64_t
place_of(struct image *img, uint32_t block)
{
	uint64_t at, run;

	expect_ok(image_locate(&at, &run, img, (uint64_t)block * BLOCK),
		  "locate");
	return at - img->bitmap_bytes;
}

static void
expect_apart(struct image *img, uint32_t block, const struct room *room)
{
	uint64_t at = place_of(img, block);

	for (unsigned i = 0; i < room->n; i++)
		if (ranges_overlap(at, image_region_bytes(img),
				   room->taken[i].offset,
				   room->taken[i].length))
			fail_msg("block %u at %llu is on the room at %llu",
				 block, (unsigned long long)at,
				 (unsigned long long)room->taken[i].offset);
}

/* D2: a region that was free becomes room for locators, and then no block. */
static void
room_is_given_to_no_block(void **unused)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct room room = {0};
	struct image *img;
	uint64_t at;

	(void)unused;
	put_child(fs, "/disk.vhd", 'd', 'p');
	img = open_image(fs, "/disk.vhd", IMAGE_WRITE);
	for (uint32_t b = 0; b < 3; b++)
		write_block(img, b);
	expect_ok(image_flush(img), "flush");
	for (uint32_t b = 0; b < 3; b++)
		expect_ok(image_drop_block(img, b), "drop");
	expect_ok(image_flush(img), "flush");
	while (room.n < ROOM_MOST)
		expect_ok(room_take(&at, &room, img, 64u << 10), "room");
	for (uint32_t b = 0; b < 4; b++) {
		write_block(img, b);
		expect_apart(img, b, &room);
	}
	expect_ok(image_close(img), "close");
}

/* A child whose table reaches to the first block, with its locators behind
 * that. */
static struct image *
open_with_locators_behind(struct fs *fs)
{
	struct image *img;
	struct io *io;
	uint64_t blocks;

	put_child(fs, "/disk.vhd", 'd', 'p');
	expect_ok(fs->ops->open(&io, fs, "/disk.vhd", FS_OPEN_WRITE), "open");
	expect_ok(relayout(io, LAYOUT_BEHIND), "relayout");
	expect_ok(io_close(io), "close");
	img = open_image(fs, "/disk.vhd", IMAGE_WRITE);
	write_block(img, 0);
	blocks = (place_of(img, 0) - img->table_at) / 4;
	expect_ok(image_resize(img, blocks * BLOCK, 0, NULL), "resize");
	expect_ok(image_resize(img, 4ull * BLOCK, 0, NULL), "resize");
	expect_ok(image_close(img), "close");
	return open_image(fs, "/disk.vhd", IMAGE_WRITE);
}

/* The same where a block was in front of the locators. */
static void
room_before_locators_is_given_to_no_block(void **unused)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct room room = {0};
	struct image *img = open_with_locators_behind(fs);
	uint64_t at;

	(void)unused;
	assert_true(place_of(img, 0) < image_end_of_metadata(img));
	write_block(img, 3);
	expect_ok(image_drop_block(img, 0), "drop");
	expect_ok(image_flush(img), "flush");
	expect_ok(room_take(&at, &room, img, 64u << 10), "room");
	for (uint32_t b = 0; b < 4; b++) {
		write_block(img, b);
		expect_apart(img, b, &room);
	}
	expect_ok(image_close(img), "close");
}

/* D7: what an entry on disk may still name is no room either. */
static void
what_was_dropped_is_no_room_before_the_flush(void **unused)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct room room = {0};
	struct image *img;
	uint64_t at, old;

	(void)unused;
	put_child(fs, "/disk.vhd", 'd', 'p');
	img = open_image(fs, "/disk.vhd", IMAGE_WRITE);
	write_block(img, 0);
	expect_ok(image_flush(img), "flush");
	old = place_of(img, 0);
	expect_ok(image_drop_block(img, 0), "drop");
	expect_ok(room_take(&at, &room, img, 1u << 20), "room");
	if (ranges_overlap(at, 1u << 20, old, image_region_bytes(img)))
		fail_msg("room at %llu is on the dropped block at %llu",
			 (unsigned long long)at, (unsigned long long)old);
	expect_ok(image_close(img), "close");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_is_given_to_no_block),
		cmocka_unit_test(room_before_locators_is_given_to_no_block),
		cmocka_unit_test(what_was_dropped_is_no_room_before_the_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
