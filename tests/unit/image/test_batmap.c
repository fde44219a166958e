/* SPDX-License-Identifier: BSD-3-Clause */
/* test_batmap.c - maps of full blocks that are not where they say.  What is
 * written to the disk must never become the map of its image. */
#include <setjmp.h>
#include <stdarg.h>

#include "hand_image.h"
#include "image/batmap.h"
#include "image/image.h"
#include "io_crash.h"
#include "io_fault.h"
#include "make_image.h"

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

/* ---- A longer table ends the map ---- */

#define MAP  (HAND_TABLE + 1024u)
#define LONG ((uint64_t)HAND_BLOCK * 2000)

static int
open_state(const struct crash_state *state, void *user)
{
	char text[4096];
	struct image *img;

	(void)user;
	if (image_open(&img, hand_open(state->fs, "disk.vhd"), IMAGE_WRITE)) {
		crash_state_text(text, sizeof(text), state);
		fail_msg("after a power cut: %s\n%s", error_message(), text);
	}
	return image_close(img);
}

static void
open_states(struct fs *crash, void *user)
{
	const struct crash_limits limits = {.exhaustive = 256, .sampled = 256};
	uint64_t count = 0;

	expect_ok(crash_each_state(&count, crash, &limits, open_state, user),
		  "states");
}

static void
test_a_disk_that_grew_until_a_power_cut_is_written_to(void **state)
{
	AUTO(crash_fs_free) struct fs *crash = NULL;
	struct image *img;

	(void)state;
	make(MAP, 1, 0x10003);
	expect_ok(crash_fs_from(&crash, fs), "crash_fs_from");
	img = open_image(crash, "disk.vhd", IMAGE_WRITE);
	crash_set_hook(crash, open_states, NULL);
	expect_ok(image_resize(img, LONG, 0, NULL), "resize");
	expect_ok(image_close(img), "close");
	crash_set_hook(crash, NULL, NULL);
}

/* Grow, and have an operation fail; then drop block 0, whose bit is set. */
static bool
fail_to_grow(uint64_t at)
{
	AUTO(fault_fs_free) struct fs *faulty = NULL;
	struct image *img;
	bool fired;
	int err;

	make(MAP, 1, 0x10003);
	h.bytes[MAP] = 0x80;
	hand_put(&h, fs, "disk.vhd");
	expect_ok(fault_fs_new(&faulty, fs), "fault_fs_new");
	img = open_image(faulty, "disk.vhd", IMAGE_WRITE);
	fault_arm(faulty, &(struct fault){.at = at, .what = FAULT_ENOSPC});
	err = image_resize(img, LONG, 0, NULL);
	fired = fault_fired(faulty);
	fault_arm(faulty, &(struct fault){.at = 0});
	if (fired && err && !img->failed) {
		expect_ok(image_drop_block(img, 0), "drop");
		expect_ok(image_flush(img), "flush");
	}
	(void)image_close(img);
	return fired;
}

static void
test_a_disk_that_could_not_grow_can_be_written_to_again(void **state)
{
	bool more = true;

	(void)state;
	for (uint64_t at = 1; more; at++) {
		struct image *img;
		uint8_t bits;

		more = fail_to_grow(at);
		img = open_image(fs, "disk.vhd", IMAGE_WRITE);
		expect_ok(img->io->ops->pread(img->io, &bits, 1, MAP), "read");
		if (img->batmap_header && !image_has_block(img, 0) && bits)
			fail_msg("operation %u of growing failed, then block 0 "
				 "was dropped: its bit is still set",
				 (unsigned)at);
		expect_ok(image_close(img), "close");
		mem_fs_free(fs);
		hand_free(&h);
	}
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
		cmocka_unit_test_teardown(
			test_a_disk_that_grew_until_a_power_cut_is_written_to,
			leave),
		cmocka_unit_test(
			test_a_disk_that_could_not_grow_can_be_written_to_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
