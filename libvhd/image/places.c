/* SPDX-License-Identifier: BSD-3-Clause */
/* places.c - where metadata is, and the order of blocks in a file.
 *
 * Blocks are ordered by a radix sort of block numbers that swaps in place:
 * four bytes a block, and time in proportion to their number. */
#include "image/places.h"

#include "base/arith.h"
#include "format/footer.h"

#define SMALL_RUN 24

const char what_locator[] = "a parent locator";

struct place
place_make(uint64_t start, uint64_t length, const char *what)
{
	struct place place = {start, UINT64_MAX, what};

	(void)add_ok(&place.end, start, length);
	return place;
}

uint64_t
bat_bytes(const struct dynhdr *hdr)
{
	return round_up(4 * (uint64_t)hdr->max_entries, SECTOR_SIZE);
}

uint32_t
bitmap_bytes_for(uint32_t block_size)
{
	uint32_t sectors = block_size / SECTOR_SIZE;

	return (uint32_t)round_up(ceil_div(sectors, 8), SECTOR_SIZE);
}

size_t
places_of_metadata(struct place ret[static MAX_METADATA], uint64_t data_offset,
		   const struct dynhdr *hdr, uint64_t batmap_offset,
		   uint64_t batmap_bytes)
{
	size_t n = 0;

	ret[n++] = place_make(0, FOOTER_SIZE, "the footer copy");
	ret[n++] = place_make(data_offset, DYNHDR_SIZE, "the header");
	ret[n++] = place_make(hdr->table_offset, bat_bytes(hdr),
			      "the block table");
	for (unsigned i = 0; i < MAX_LOCATORS; i++) {
		const struct locator *l = &hdr->locator[i];

		if (l->code != PLATFORM_NONE && l->length)
			ret[n++] =
				place_make(l->offset, l->length, what_locator);
	}
	if (batmap_offset) {
		ret[n++] = place_make(ret[2].end, SECTOR_SIZE,
				      "the batmap header");
		ret[n++] =
			place_make(batmap_offset, batmap_bytes, "the batmap");
	}
	return n;
}

static void
sort_small(uint32_t *blocks, size_t n, const _Atomic uint32_t *bat)
{
	for (size_t i = 1; i < n; i++) {
		uint32_t block = blocks[i];
		uint32_t key = bat_get(bat, block);
		size_t j = i;

		for (; j && bat_get(bat, blocks[j - 1]) > key; j--)
			blocks[j] = blocks[j - 1];
		blocks[j] = block;
	}
}

/* Send every block to its digit's part of the array; ends[d] is where the
 * part of digit d ends afterwards. */
static void
sort_digit(size_t ends[static 256], uint32_t *blocks, size_t n,
	   const _Atomic uint32_t *bat, unsigned shift)
{
	size_t next[256], count[256] = {0}, sum = 0;

	for (size_t i = 0; i < n; i++)
		count[bat_get(bat, blocks[i]) >> shift & 0xff]++;
	for (unsigned d = 0; d < 256; d++) {
		next[d] = sum;
		sum += count[d];
		ends[d] = sum;
	}
	for (unsigned d = 0; d < 256; d++) {
		while (next[d] < ends[d]) {
			uint32_t block = blocks[next[d]];
			unsigned to = bat_get(bat, block) >> shift & 0xff;

			blocks[next[d]] = blocks[next[to]];
			blocks[next[to]++] = block;
		}
	}
}

static void
sort_run(uint32_t *blocks, size_t n, const _Atomic uint32_t *bat,
	 unsigned shift)
{
	size_t ends[256], start = 0;

	if (n <= SMALL_RUN) {
		sort_small(blocks, n, bat);
		return;
	}
	sort_digit(ends, blocks, n, bat, shift);
	for (unsigned d = 0; shift && d < 256; d++) {
		sort_run(blocks + start, ends[d] - start, bat, shift - 8);
		start = ends[d];
	}
}

void
blocks_sort(uint32_t *blocks, size_t n, const _Atomic uint32_t *bat)
{
	for (size_t i = 1; i < n; i++) {
		if (bat_get(bat, blocks[i - 1]) > bat_get(bat, blocks[i])) {
			sort_run(blocks, n, bat, 24);
			return;
		}
	}
}
