/* SPDX-License-Identifier: BSD-3-Clause */
/* test_refused.c - what a write that was refused half-way leaves reads the
 * same before and after the disk is closed. */
#include <string.h>

#include "make_chain.h"

#define BLOCK (512u << 10)
#define TWO   (8u << 10) /* on both sides of where two blocks meet */

static void
put_disk(struct fs *fs)
{
	struct footer f = {.current_size = MADE_SIZE,
			   .geometry = geometry_for(MADE_SIZE)};

	put_root(fs, "/root.vhd", 'r');
	write_pattern(fs, "/root.vhd", 0, 2u << 20, 'r');
	memset(f.uuid, 'r', 16);
	put_formatted(fs, "/disk.vhd",
		      &(struct image_create){.type = VHD_TYPE_DIFFERENCING,
					     .size = MADE_SIZE,
					     .block_size = BLOCK,
					     .uuid = uuid_of('d'),
					     .parent = &f,
					     .parent_relative = "root.vhd"});
}

/* A write over two blocks, with so much space to spare. */
static bool
is_refused_half_way(struct fs *fs, uint64_t spare)
{
	uint8_t live[TWO], again[TWO], data[TWO];
	const uint64_t at = BLOCK - TWO / 2;
	struct chain *c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	bool refused;

	memset(data, 'n', sizeof(data));
	expect_ok(chain_pread(c, live, TWO, at), "read");
	mem_fs_set_limit(fs, spare);
	refused = chain_pwrite(c, data, TWO, at, 0) == VHD_E_NOSPACE;
	mem_fs_set_limit(fs, UINT64_MAX);
	expect_ok(chain_pread(c, live, TWO, at), "read");
	close_disk(c);
	c = open_disk(fs, "/disk.vhd", 0);
	expect_ok(chain_pread(c, again, TWO, at), "read again");
	close_disk(c);
	assert_memory_equal(live, again, TWO);
	return refused && again[0] == 'n';
}

static void
test_half_a_write_reads_the_same_later(void **state)
{
	bool seen = false;

	(void)state;
	for (uint64_t spare = 0; spare < 96; spare++) {
		struct fs *fs = new_fs();

		put_disk(fs);
		seen |= is_refused_half_way(fs, (2u << 20) + spare * 1024);
		mem_fs_free(fs);
	}
	assert_true(seen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_half_a_write_reads_the_same_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
