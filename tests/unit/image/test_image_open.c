/* SPDX-License-Identifier: BSD-3-Clause */
/* test_image_open.c - what may be written to. */
#include <setjmp.h>
#include <stdarg.h>

#include "hand_image.h"
#include "image/image.h"

/* A disk whose bitmaps, if it has any, run backwards. */
static int
open_for_writing(uint32_t type)
{
	struct image *img = NULL;
	struct disk_footer *f;
	struct hand h;
	struct fs *fs;
	int err;

	hand_make(&h);
	f = hand_footer(&h, 0);
	memcpy(f->creator_app, "tap", 4);
	store_be32(f->creator_version, 1);
	store_be32(f->disk_type, type);
	if (type == VHD_TYPE_FIXED)
		store_be64(f->current_size, HAND_END);
	hand_copy_footer(&h);
	hand_seal_all(&h);
	assert_int_equal(mem_fs_new(&fs), 0);
	hand_put(&h, fs, "disk.vhd");
	err = image_open(&img, hand_open(fs, "disk.vhd"), IMAGE_WRITE);
	if (!err)
		assert_int_equal(image_close(img), 0);
	mem_fs_free(fs);
	hand_free(&h);
	return err;
}

static void
test_bitmaps_that_run_backwards_are_not_written(void **state)
{
	(void)state;
	assert_int_equal(open_for_writing(VHD_TYPE_DYNAMIC), VHD_E_UNSUPPORTED);
}

static void
test_a_fixed_disk_has_no_bitmaps_to_run_backwards(void **state)
{
	(void)state;
	assert_int_equal(open_for_writing(VHD_TYPE_FIXED), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_bitmaps_that_run_backwards_are_not_written),
		cmocka_unit_test(
			test_a_fixed_disk_has_no_bitmaps_to_run_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
