/* SPDX-License-Identifier: BSD-3-Clause */
/* test_chain_io.c - requests at the edges of a disk. */
#include <setjmp.h>
#include <stdarg.h>

#include "chain/chain.h"
#include "make_image.h"

#define ODD 1000u /* bytes: the last sector is cut off */

/* A plain disk is nobody's but its owner's: its length is his affair. */
static void
a_plain_disk_of_odd_length_keeps_it(void **state)
{
	const struct chain_opts opts = {.flags = VHD_OPEN_RDWR | VHD_OPEN_RAW};
	char bytes[ODD], read[ODD];
	struct fs *fs = new_fs();
	struct chain *c;

	(void)state;
	memset(bytes, 'a', sizeof(bytes));
	expect_ok(mem_fs_put(fs, "/disk.raw", bytes, sizeof(bytes)), "put");
	expect_ok(chain_open(&c, fs, "/disk.raw", &opts), "open");
	bytes[ODD - 1] = 'b';
	expect_ok(chain_pwrite(c, "b", 1, ODD - 1, 0), "write");
	assert_int_equal(length_of(fs, "/disk.raw"), ODD);
	expect_ok(chain_pread(c, read, ODD, 0), "read");
	assert_memory_equal(read, bytes, ODD);
	expect_ok(chain_zero(c, 0, ODD, VHD_IO_FUA), "zero");
	expect_ok(chain_close(c), "close");
	assert_int_equal(length_of(fs, "/disk.raw"), ODD);
	mem_fs_free(fs);
}

/* It would show what the parent stores there. */
static void
a_trim_of_a_disk_opened_alone_drops_no_block(void **state)
{
	const struct chain_opts opts = {.flags = VHD_OPEN_RDWR |
						 VHD_OPEN_NOPARENT};
	struct fs *fs = new_fs();
	struct chain *c;

	(void)state;
	put_child(fs, "/disk.vhd", 'd', 'p');
	expect_ok(chain_open(&c, fs, "/disk.vhd", &opts), "open");
	expect_ok(chain_pwrite(c, "x", 1, 0, VHD_IO_FUA), "write");
	expect_ok(chain_discard(c, 0, MADE_SIZE, VHD_IO_FUA), "discard");
	assert_true(image_has_block(c->layers[0].img, 0));
	expect_ok(chain_close(c), "close");
	mem_fs_free(fs);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_disk_of_odd_length_keeps_it),
		cmocka_unit_test(a_trim_of_a_disk_opened_alone_drops_no_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
