/* SPDX-License-Identifier: BSD-3-Clause */
/* test_image_header.c - changes of what an image stands on. */
#include <cmocka.h>
#include <string.h>

#include "base/iszero.h"
#include "io_crash.h"
#include "make_image.h"

/* D6: what an unanswered write left under a clear bit was hidden as long as
 * the parent counted, and must not be there when it does not. */
static void
root_has_zeros_where_nothing_was(void **unused)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	uint8_t data[3 * 512], read[512];
	uint64_t at, rest;
	struct image *img;

	(void)unused;
	put_child(fs, "/disk.vhd", 'd', 'p');
	img = open_image(fs, "/disk.vhd", IMAGE_WRITE);
	memset(data, 'x', sizeof(data));
	expect_ok(image_pwrite(img, data, 512, 512), "write");
	expect_ok(image_flush(img), "flush");
	expect_ok(image_locate(&at, &rest, img, 0), "locate");
	expect_ok(img->io->ops->pwrite(img->io, data, 3 * 512, at), "write");
	image_fill_new(img, true);
	expect_ok(image_fill_block(img, 0), "fill");
	expect_ok(image_make_root(img), "make root");
	expect_ok(img->io->ops->pread(img->io, read, 512, at), "read");
	assert_true(is_zero(read, 512));
	expect_ok(img->io->ops->pread(img->io, read, 512, at + 512), "read");
	assert_memory_equal(read, data, 512);
	expect_ok(img->io->ops->pread(img->io, read, 512, at + 1024), "read");
	assert_true(is_zero(read, 512));
	assert_true(bitmaps_full(img, 0));
	expect_ok(image_close(img), "close");
}

static int
open_state(const struct crash_state *state, void *user)
{
	struct io *io = NULL;
	struct image *img;

	(void)user;
	expect_ok(state->fs->ops->open(&io, state->fs, "/disk.vhd",
				       FS_OPEN_WRITE),
		  "open");
	expect_ok(image_open(&img, io, IMAGE_WRITE), "after a power cut");
	return image_close(img);
}

static void
open_states(struct fs *fs, void *user)
{
	const struct crash_limits limits = {.exhaustive = 256, .sampled = 256};
	uint64_t count = 0;

	expect_ok(crash_each_state(&count, fs, &limits, open_state, user),
		  "states");
}

/* The mark is not only on files that XenServer made. */
static void
half_a_change_of_the_mark_is_mended(void **unused)
{
	AUTO(mem_fs_free) struct fs *memory = new_fs();
	AUTO(crash_fs_free) struct fs *fs = NULL;
	struct image *img;

	(void)unused;
	put_root(memory, "/disk.vhd", 'd');
	expect_ok(crash_fs_from(&fs, memory), "crash_fs_from");
	img = open_image(fs, "/disk.vhd", IMAGE_WRITE);
	crash_set_hook(fs, open_states, NULL);
	expect_ok(image_set_time(img, img->footer.timestamp, 1), "set_time");
	expect_ok(image_close(img), "close");
	crash_set_hook(fs, NULL, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_has_zeros_where_nothing_was),
		cmocka_unit_test(half_a_change_of_the_mark_is_mended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
