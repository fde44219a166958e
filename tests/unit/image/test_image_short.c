/* SPDX-License-Identifier: BSD-3-Clause */
/* test_image_short.c - an image whose file ends with its disk, within its last
 * block (format 11.1).  What is done to all of a block leaves the end footer,
 * which lies where the rest of that block would be, alone (D1). */
#include <setjmp.h>
#include <stdarg.h>

#include "hand_image.h"
#include "image/image.h"
#include "make_image.h"

#define PATH "disk.vhd"
#define LAST 3u

static struct hand h;
static struct fs *fs;
static struct image *img;

static void
open_cut(bool child, uint8_t first_bits)
{
	if (child)
		hand_make_child(&h);
	else
		hand_make(&h);
	hand_cut_last(&h);
	h.bytes[HAND_BLOCK_3] = first_bits;
	fs = new_fs();
	hand_put(&h, fs, PATH);
	img = open_image(fs, PATH, IMAGE_WRITE);
}

static int
leave(void **state)
{
	(void)state;
	mem_fs_free(fs);
	hand_free(&h);
	return 0;
}

static void
expect_end_footer(const char *when)
{
	struct image *now = open_image(fs, PATH, 0);

	if (now->defects & DEFECT_END_MISSING)
		fail_msg("%s: the end footer is gone", when);
	expect_ok(image_close(now), "close");
}

static void
expect_writable(void)
{
	img = open_image(fs, PATH, IMAGE_WRITE);
	expect_ok(image_close(img), "close");
}

static void
a_last_block_that_is_dropped_leaves_the_footer(void **state)
{
	(void)state;
	open_cut(false, 0xff);
	expect_ok(image_drop_block(img, LAST), "drop");
	expect_ok(image_flush(img), "flush");
	expect_end_footer("after the flush");
	expect_ok(image_close(img), "close");
	expect_end_footer("after closing");
}

static void
a_last_block_that_is_filled_leaves_the_footer(void **state)
{
	(void)state;
	open_cut(true, 0x0f);
	expect_ok(image_fill_block(img, LAST), "fill");
	expect_ok(image_flush(img), "flush");
	expect_end_footer("after the flush");
	expect_ok(image_close(img), "close");
	expect_end_footer("after closing");
}

static void
a_new_link_is_not_put_where_the_last_block_ends(void **state)
{
	struct image_link link = {.relative = "other.vhd"};

	(void)state;
	open_cut(true, 0xff);
	expect_ok(image_set_parent(img, &link), "set_parent");
	expect_ok(image_close(img), "close");
	expect_end_footer("after closing");
	expect_writable();
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_last_block_that_is_dropped_leaves_the_footer, leave),
		cmocka_unit_test_teardown(
			a_last_block_that_is_filled_leaves_the_footer, leave),
		cmocka_unit_test_teardown(
			a_new_link_is_not_put_where_the_last_block_ends, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
