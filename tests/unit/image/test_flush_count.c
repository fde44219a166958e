/* SPDX-License-Identifier: BSD-3-Clause */
/* test_flush_count.c - how often a file is flushed: twice at most for one
 * flush of the guest, once in the steady state of a dynamic image, and never
 * for a write (docs/durability.md). */
#include "io_fault.h"
#include "make_image.h"

#define DISK   "/disk.vhd"
#define BLOCK  4096u
#define BLOCKS 600u
#define WARM   20u /* flushes until regions are there ahead of need */

static struct {
	struct fs *memory, *fs;
	struct image *img;
} t;

static void
begin(char parent)
{
	struct footer f = {.current_size = BLOCKS * BLOCK};

	memset(f.uuid, 'p', 16);
	t.memory = new_fs();
	assert_int_equal(fault_fs_new(&t.fs, t.memory), 0);
	put_formatted(
		t.fs, DISK,
		&(struct image_create){.type = parent ? VHD_TYPE_DIFFERENCING
						      : VHD_TYPE_DYNAMIC,
				       .size = f.current_size,
				       .block_size = BLOCK,
				       .parent = parent ? &f : NULL,
				       .parent_relative = "p.vhd"});
	t.img = open_image(t.fs, DISK, IMAGE_WRITE);
	fault_arm(t.fs, &(struct fault){.kinds = FAULT_FLUSH});
}

static int
end(void **state)
{
	(void)state;
	expect_ok(image_close(t.img), "close");
	fault_fs_free(t.fs);
	mem_fs_free(t.memory);
	return 0;
}

static void
write_sector(uint32_t block, uint32_t sector)
{
	uint64_t before = fault_count(t.fs);
	uint8_t data[512];

	memset(data, 'w', sizeof(data));
	expect_ok(image_pwrite(t.img, data, sizeof(data),
			       (uint64_t)block * BLOCK + 512u * sector),
		  "write");
	if (fault_count(t.fs) != before)
		fail_msg("a write to block %u flushed the file", block);
}

static void
expect_flushes(unsigned least, unsigned most, const char *after)
{
	uint64_t before = fault_count(t.fs), n;

	expect_ok(image_flush(t.img), "flush");
	n = fault_count(t.fs) - before;
	if (n < least || n > most)
		fail_msg("after %s a flush took %u, expected %u to %u", after,
			 (unsigned)n, least, most);
}

static void
test_a_dynamic_image_takes_one_in_steady_state(void **state)
{
	(void)state;
	begin(0);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		write_sector(b, 3);
		expect_flushes(1, b < WARM ? 2 : 1, "a new block");
		write_sector(b / 2, b % 8);
		expect_flushes(1, 1, "an old block");
	}
	expect_flushes(0, 0, "nothing");
}

static void
test_many_new_blocks_take_no_more_than_two(void **state)
{
	(void)state;
	begin(0);
	for (uint32_t b = 0; b < BLOCKS; b++) {
		write_sector(b, 0);
		if (b % 150 == 149)
			expect_flushes(1, 2, "150 new blocks");
	}
}

static void
test_a_differencing_image_takes_two_at_most(void **state)
{
	(void)state;
	begin('p');
	for (uint32_t b = 0; b < BLOCKS; b++) {
		write_sector(b, 3);
		expect_flushes(2, 2, "a new block");
		write_sector(b, 4);
		expect_flushes(2, 2, "a new sector");
		write_sector(b, 4);
		expect_flushes(1, 1, "a sector that is there");
	}
	expect_flushes(0, 0, "nothing");
}

static void
test_dropped_blocks_take_no_more_than_two(void **state)
{
	(void)state;
	begin(0);
	for (uint32_t b = 0; b < BLOCKS; b++)
		write_sector(b, 0);
	expect_flushes(1, 2, "writing");
	for (uint32_t b = 0; b < BLOCKS; b += 2)
		expect_ok(image_drop_block(t.img, b), "drop");
	expect_flushes(1, 2, "dropping");
	for (uint32_t b = 0; b < BLOCKS; b += 2) {
		write_sector(b, 0);
		expect_flushes(1, 2, "writing again");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_a_dynamic_image_takes_one_in_steady_state, end),
		cmocka_unit_test_teardown(
			test_many_new_blocks_take_no_more_than_two, end),
		cmocka_unit_test_teardown(
			test_a_differencing_image_takes_two_at_most, end),
		cmocka_unit_test_teardown(
			test_dropped_blocks_take_no_more_than_two, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
