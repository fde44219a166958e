/* SPDX-License-Identifier: BSD-3-Clause */
/* test_resize_fixed.c - in every state that a power cut may leave of a fixed
 * disk that grows, the guest sees its data and, behind it, zeros. */
#include <cmocka.h>
#include <string.h>

#include "base/iszero.h"
#include "image/image.h"
#include "io_crash.h"

#define OLD_SIZE (8u * 512)
#define NEW_SIZE (16u * 512)

struct growth {
	unsigned old_states, new_states;
};

static struct image *
open_image(const struct fs *fs, unsigned flags)
{
	struct image *img;
	struct io *io;

	assert_int_equal(fs->ops->open(&io, fs, "disk.vhd",
				       flags & IMAGE_WRITE ? FS_OPEN_WRITE : 0),
			 0);
	assert_int_equal(image_open(&img, io, flags), 0);
	return img;
}

static int
look(const struct crash_state *state, void *user)
{
	struct image *img = open_image(state->fs, 0);
	struct growth *growth = user;
	uint8_t want[OLD_SIZE], data[NEW_SIZE];

	memset(want, 'x', sizeof(want));
	assert_true(img->size == OLD_SIZE || img->size == NEW_SIZE);
	assert_int_equal(image_pread(img, data, (size_t)img->size, 0), 0);
	assert_memory_equal(data, want, OLD_SIZE);
	assert_true(is_zero(data + OLD_SIZE, (size_t)img->size - OLD_SIZE));
	if (img->size == OLD_SIZE)
		growth->old_states++;
	else
		growth->new_states++;
	assert_int_equal(image_close(img), 0);
	return 0;
}

static void
before_flush(struct fs *fs, void *user)
{
	const struct crash_limits limits = {.exhaustive = 1000};
	uint64_t count = 0;

	assert_int_equal(crash_each_state(&count, fs, &limits, look, user), 0);
}

static void
make_disk(struct fs *fs)
{
	struct image_create how = {.type = VHD_TYPE_FIXED, .size = OLD_SIZE};
	uint8_t data[OLD_SIZE];
	struct image *img;
	struct io *io;

	memset(data, 'x', sizeof(data));
	assert_int_equal(fs->ops->open(&io, fs, "disk.vhd", FS_OPEN_CREATE), 0);
	assert_int_equal(image_format(io, &how), 0);
	assert_int_equal(io_close(io), 0);
	assert_int_equal(fs->ops->sync_dir(fs, "disk.vhd"), 0);
	img = open_image(fs, IMAGE_WRITE);
	assert_int_equal(image_pwrite(img, data, OLD_SIZE, 0), 0);
	assert_int_equal(image_close(img), 0);
}

static void
test_growing_never_shows_the_old_footer(void **state)
{
	AUTO(crash_fs_free) struct fs *fs = NULL;
	struct growth growth = {0};
	struct image *img;

	(void)state;
	assert_int_equal(crash_fs_new(&fs), 0);
	make_disk(fs);
	crash_set_hook(fs, before_flush, &growth);
	img = open_image(fs, IMAGE_WRITE);
	assert_int_equal(image_resize(img, NEW_SIZE, 0, NULL), 0);
	assert_int_equal(image_close(img), 0);
	assert_true(growth.old_states && growth.new_states);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growing_never_shows_the_old_footer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
