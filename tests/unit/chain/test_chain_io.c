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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_disk_of_odd_length_keeps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
