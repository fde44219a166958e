/* SPDX-License-Identifier: BSD-3-Clause */
/* test_chain_open.c - files that change while they are being opened. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hand_image.h"
#include "make_chain.h"
#include "scratch.h"

/* ---- Names -------------------------------------------------------------- */

/* At its n-th opening the name `suffix` becomes a link to somewhere else. */
static struct {
	const char *suffix;
	char target[300];
	unsigned n;
} swap;

static int
swapping_open(struct io **ret, const struct fs *fs, const char *path,
	      unsigned flags)
{
	size_t n = strlen(path), end = strlen(swap.suffix);

	(void)fs;
	if (n > end && !strcmp(path + n - end, swap.suffix) && !--swap.n) {
		assert_int_equal(unlink(path), 0);
		assert_int_equal(symlink(swap.target, path), 0);
	}
	return fs_posix.ops->open(ret, &fs_posix, path, flags);
}

static void
expect_not_followed(const char *suffix, unsigned n)
{
	struct fs_ops ops = *fs_posix.ops;
	struct fs fs = {&ops};
	struct scratch scratch;
	struct chain *c = NULL;
	char child[300];

	scratch_make(&scratch);
	ops.open = swapping_open;
	assert_int_equal(mkdir(scratch_path(&scratch, "out"), 0700), 0);
	swap.suffix = suffix;
	swap.n = 0;
	put_root(&fs, scratch_path(&scratch, "base.vhd"), 'p');
	(void)snprintf(child, sizeof(child), "%s/child.vhd", scratch.dir);
	put_child_at(&fs, child, 'c', 'p', "base.vhd", NULL);
	(void)snprintf(swap.target, sizeof(swap.target), "%s/out/copy.vhd",
		       scratch.dir);
	put_root(&fs, swap.target, 'p');
	swap.n = n;
	assert_int_equal(chain_open(&c, &fs, child, &(struct chain_opts){0}),
			 VHD_E_POLICY);
	if (!strstr(error_message(), "symbolic link"))
		fail_msg("it is said \"%s\"", error_message());
	scratch_remove(&scratch);
}

/* The first opening is for its UUID. */
static void
test_a_link_in_place_of_the_parent_found_is_not_followed(void **state)
{
	(void)state;
	expect_not_followed("/base.vhd", 2);
}

static void
test_a_link_in_place_of_the_disk_is_not_followed(void **state)
{
	(void)state;
	expect_not_followed("/child.vhd", 1);
}

/* ---- Bytes -------------------------------------------------------------- */

#define OTHER_TABLE 0xa00u

/* From the n-th read on the header names another table, whose entries are
 * those of the first, exchanged. */
static unsigned reads_left;
static const struct io_ops *honest;
static struct io_ops lying;

static int
lying_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	int err = honest->pread(io, buf, len, offset);
	uint8_t header[1024];

	if (reads_left && --reads_left)
		return err;
	if (offset != HAND_HEADER || len != sizeof(header))
		return err;
	store_be64(((struct disk_dynhdr *)buf)->bat_offset, OTHER_TABLE);
	memcpy(header, buf, sizeof(header));
	hand_seal(header, sizeof(header), 36);
	memcpy(buf, header, sizeof(header));
	return err;
}

/* One image or the other, but never a mixture of them; and once the image is
 * open, its header and its table are not looked at again. */
static bool
open_lying(struct fs *fs, unsigned n)
{
	static uint8_t got[HAND_SIZE];
	struct image *img = NULL;
	struct io *io = hand_open(fs, "/disk.vhd");
	bool reached;

	honest = io->ops;
	lying = *honest;
	lying.pread = lying_pread;
	io->ops = &lying;
	reads_left = n;
	if (image_open(&img, io, IMAGE_WRITE) != 0)
		return true;
	reached = !reads_left;
	reads_left = 1;
	expect_ok(image_pread(img, got, HAND_SIZE, 0), "reading");
	if (got[0] == 'a' ? got[2 * HAND_BLOCK] != 'c'
			  : got[0] != 'c' || got[2 * HAND_BLOCK] != 'a')
		fail_msg("lying from read %u on: '%c' and '%c'", n, got[0],
			 got[2 * HAND_BLOCK]);
	expect_ok(image_close(img), "closing");
	return reached;
}

static void
test_metadata_that_changes_meanwhile_is_not_mixed(void **state)
{
	struct fs *fs = new_fs();
	struct hand h;

	(void)state;
	hand_make(&h);
	memset(h.bytes + OTHER_TABLE, 0xff, 16);
	store_be32(h.bytes + OTHER_TABLE, HAND_BLOCK_2 / 512);
	store_be32(h.bytes + OTHER_TABLE + 8, HAND_BLOCK_0 / 512);
	hand_put(&h, fs, "/disk.vhd");
	for (unsigned n = 1; open_lying(fs, n); n++)
		assert_in_range(n, 1, 50);
	hand_free(&h);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_link_in_place_of_the_parent_found_is_not_followed),
		cmocka_unit_test(
			test_a_link_in_place_of_the_disk_is_not_followed),
		cmocka_unit_test(
			test_metadata_that_changes_meanwhile_is_not_mixed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
