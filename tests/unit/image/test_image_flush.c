/* SPDX-License-Identifier: BSD-3-Clause */
/* test_image_flush.c - a flush that fails on its way, and what a power cut
 * leaves of the next one. */
#include <setjmp.h>
#include <stdarg.h>

#include "io_crash.h"
#include "io_fault.h"
#include "make_image.h"

#define PATH  "child.vhd"
#define BLOCK (2u << 20)
#define FAR   (200 * (uint64_t)BLOCK) /* its entry is in another sector */

/* D3: a sector that is said to be there holds what was written to it. */
static int
check_state(const struct crash_state *state, void *user)
{
	char bytes[SECTOR_SIZE], text[4096];
	struct image *img = open_image(state->fs, PATH, 0);
	enum presence presence;
	uint8_t map[1];

	expect_ok(image_presence(&presence, map, img, 1, 1), "presence");
	expect_ok(image_pread(img, bytes, sizeof(bytes), SECTOR_SIZE), "read");
	if (presence == PRESENT_ALL && bytes[0] != 'c') {
		crash_state_text(text, sizeof(text), state);
		fail_msg(
			"after a flush whose write %u failed, and a power cut "
			"in "
			"the next one, a sector is said to be stored but "
			"reads %#x, not 'c'; what was written of the rest:\n%s",
			*(unsigned *)user, bytes[0], text);
	}
	return image_close(img);
}

static void
look(struct fs *fs, void *user)
{
	const struct crash_limits limits = {.exhaustive = 1024,
					    .sampled = 1024};
	uint64_t count = 0;

	expect_ok(crash_each_state(&count, fs, &limits, check_state, user),
		  "states");
}

static void
put_letter(struct image *img, char letter, uint64_t offset)
{
	char bytes[SECTOR_SIZE];

	memset(bytes, letter, sizeof(bytes));
	expect_ok(image_pwrite(img, bytes, sizeof(bytes), offset), "write");
}

/* Two new blocks, a flush whose write number `at` fails, then more for the
 * first of them.  False: there was no such write. */
static bool
fail_at(const struct fs *memory, unsigned at)
{
	AUTO(crash_fs_free) struct fs *crash = NULL;
	AUTO(fault_fs_free) struct fs *fs = NULL;
	struct image *img;
	bool fired;

	expect_ok(crash_fs_from(&crash, memory), "crash_fs_from");
	expect_ok(fault_fs_new(&fs, crash), "fault_fs_new");
	img = open_image(fs, PATH, IMAGE_WRITE);
	put_letter(img, 'a', 0);
	put_letter(img, 'b', FAR);
	fault_arm(fs, &(struct fault){.at = at,
				      .kinds = FAULT_WRITE,
				      .what = FAULT_ENOSPC});
	fired = image_flush(img) != 0;
	fault_arm(fs, &(struct fault){.at = 0});
	put_letter(img, 'c', SECTOR_SIZE);
	crash_set_hook(crash, look, &at);
	expect_ok(image_flush(img), "the next flush");
	crash_set_hook(crash, NULL, NULL);
	expect_ok(image_close(img), "close");
	return fired;
}

static void
bits_wait_for_their_data_after_a_flush_that_failed(void **state)
{
	struct fs *memory = new_fs();
	unsigned at = 1;

	(void)state;
	put_sized(memory, PATH, FAR + BLOCK, 'c', 'p');
	while (fail_at(memory, at))
		at++;
	assert_true(at > 4); /* two bitmaps, and two sectors of the table */
	mem_fs_free(memory);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			bits_wait_for_their_data_after_a_flush_that_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
