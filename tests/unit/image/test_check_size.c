/* SPDX-License-Identifier: BSD-3-Clause */
/* test_check_size.c - the largest dynamic disk, 2040 GiB in 1,044,480 blocks
 * of 2 MiB, all stored and in no order, is checked in bounded memory.
 *
 * The store is a function: metadata out of small buffers, bitmaps full, data
 * not zero, no byte of it kept anywhere. */
#include <cmocka.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "look.h"

#define BLOCKS       1044480u
#define BLOCK        (2u << 20)
#define REGION       (BLOCK + 4096u) /* from one bitmap to the next */
#define DISK         (UINT64_C(2040) << 30)
#define TABLE_END    (HAND_TABLE + 4 * BLOCKS)
#define FIRST        ((TABLE_END + 4095) / 4096 * 4096 + 4096 - 512)
#define FOOTER       (FIRST + (uint64_t)BLOCKS * REGION)
#define MEMORY_LIMIT (64u << 20)
#define STEP         524309u /* has no divisor in common with BLOCKS */

static struct hand h;

/* Where in the file a block is: the blocks go round in large steps. */
static uint32_t
entry_of(uint32_t block)
{
	uint64_t place = (uint64_t)block * STEP % BLOCKS;

	return (uint32_t)((FIRST + place * REGION) / 512);
}

static uint8_t
byte_at(uint64_t at)
{
	uint64_t inside;

	if (at < HAND_TABLE)
		return h.bytes[at];
	if (at < TABLE_END) {
		uint8_t entry[4];

		store_be32(entry, entry_of((uint32_t)(at - HAND_TABLE) / 4));
		return entry[at % 4];
	}
	if (at >= FOOTER)
		return h.bytes[at - FOOTER];
	if (at < FIRST)
		return 0xff;
	inside = (at - FIRST) % REGION;
	return inside < 512 ? 0xff : 'd';
}

static int
big_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	uint8_t *to = buf;

	(void)io;
	for (size_t i = 0; i < len; i++)
		to[i] = byte_at(offset + i);
	return 0;
}

static int
big_size(uint64_t *ret, struct io *io)
{
	(void)io;
	*ret = FOOTER + 512;
	return 0;
}

static int
big_extent(bool *ret_data, uint64_t *ret_end, struct io *io, uint64_t offset)
{
	(void)offset;
	*ret_data = true;
	return big_size(ret_end, io);
}

static const struct io_ops big_ops = {
	.pread = big_pread,
	.size = big_size,
	.extent = big_extent,
};

static void
make(void)
{
	hand_make(&h);
	store_be64(hand_footer(&h, 0)->current_size, DISK);
	store_be64(hand_footer(&h, 0)->original_size, DISK);
	memcpy(hand_footer(&h, 0)->geometry, "\xff\xff\x10\xff", 4);
	store_be32(hand_header(&h)->bat_entries, BLOCKS);
	store_be32(hand_header(&h)->block_size, BLOCK);
	hand_seal_all(&h);
}

/* Sanitizers reserve memory of their own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LIMIT_WORKS false
#else
#define LIMIT_WORKS true
#endif

/* So much more than now may be mapped; 0: no limit. */
static void
limit_memory(uint64_t more)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	if (f)
		(void)fclose(f);
	if (more && pages)
		limit.rlim_cur = pages * (uint64_t)getpagesize() + more;
	if (LIMIT_WORKS)
		(void)setrlimit(RLIMIT_AS, &limit);
}

static void
test_a_million_blocks_are_checked_in_64_mib(void **state)
{
	struct io io = {.ops = &big_ops, .name = (char[]){"big.vhd"}};
	struct findings f;
	char got[128];

	(void)state;
	make();
	limit_memory(MEMORY_LIMIT);
	look_io(&f, &io, VHD_CHECK_NO_DATA);
	limit_memory(0);
	look_text(got, sizeof(got), &f, VHD_NOTE);
	assert_string_equal(got, "V81 note");
	findings_free(&f);
	hand_free(&h);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_million_blocks_are_checked_in_64_mib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
