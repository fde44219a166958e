/* SPDX-License-Identifier: BSD-3-Clause */
/* check_blocks.c - rules V70 to V75, V78 and V81: where the table says that
 * blocks are (format 20.3).
 *
 * All blocks take the same room, so that in file order only neighbours need
 * to be compared, and their ends are in order as well. */
#include "image/check.h"

#include <inttypes.h>

#include "image/image.h"

/* ---- Where blocks are --------------------------------------------------- */

uint64_t
check_block_start(const struct check *c, uint32_t block)
{
	return (uint64_t)bat_get(c->bat, block) << SECTOR_SHIFT;
}

uint64_t
check_block_bytes(const struct check *c, uint32_t block)
{
	uint64_t size = c->found.footer.current_size;
	uint64_t begin = (uint64_t)block * c->found.hdr.block_size;
	uint64_t left = round_up(size - begin, SECTOR_SIZE);

	return c->bitmap_bytes + min_u64(left, c->found.hdr.block_size);
}

static uint64_t
nth_start(const struct check *c, uint32_t n)
{
	return check_block_start(c, c->order[n]);
}

uint32_t
check_first_behind(const struct check *c, uint64_t offset)
{
	uint32_t low = 0, high = c->used;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (nth_start(c, mid) + c->region > offset)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

bool
check_block_meets(const struct check *c, uint64_t offset, uint64_t length)
{
	uint32_t n = check_first_behind(c, offset);

	return n < c->used && nth_start(c, n) < offset + length;
}

/* ---- Rules about blocks ------------------------------------------------- */

static bool
meets_earlier(const struct check *c, size_t place, uint32_t block)
{
	struct place mine =
		place_make(check_block_start(c, block), c->region, NULL);

	for (size_t i = 0; i < place; i++)
		if (places_meet(&mine, &c->meta[i]))
			return true;
	return false;
}

static void
metadata_rule(struct check *c)
{
	for (size_t i = 0; i < c->nmeta; i++) {
		const struct place *p = &c->meta[i];
		uint32_t n = check_first_behind(c, p->start);

		for (; n < c->used && nth_start(c, n) < p->end; n++)
			if (!meets_earlier(c, i, c->order[n]))
				tell(c, V70, nth_start(c, n),
				     "block %u at %#" PRIx64 " overlaps %s at "
				     "%#" PRIx64,
				     c->order[n], nth_start(c, n), p->what,
				     p->start);
	}
}

static void
past_the_end_rule(struct check *c)
{
	uint64_t limit = c->found.footer_offset;

	limit = min_u64(limit, c->file_size);
	for (uint32_t n = c->used; n > 0; n--) {
		uint32_t block = c->order[n - 1];
		uint64_t start = nth_start(c, n - 1);

		if (start + c->region <= c->file_size)
			break;
		if (range_ok(start, check_block_bytes(c, block), limit))
			tell_as(c, V71, VHD_WARNING, start,
				"the last block, %u, is cut short behind the "
				"end of the disk",
				block);
		else
			tell(c, V71, start,
			     "block %u at %#" PRIx64 " ends at %#" PRIx64
			     ", past the end of the file at %#" PRIx64,
			     block, start, start + c->region, c->file_size);
	}
}

static void
end_footer_rule(struct check *c)
{
	uint64_t footer = c->found.footer_offset;
	uint32_t n;

	if (footer == NO_OFFSET)
		return;
	for (n = check_first_behind(c, footer); n < c->used; n++) {
		uint64_t start = nth_start(c, n);
		uint64_t bytes = check_block_bytes(c, c->order[n]);

		if (start < footer + c->found.tail_length &&
		    !range_ok(start, bytes, footer))
			tell(c, V72, start,
			     "block %u at %#" PRIx64
			     " overlaps the end footer at %#" PRIx64,
			     c->order[n], start, footer);
	}
}

static void
apart_rule(struct check *c)
{
	for (uint32_t n = 1; n < c->used; n++) {
		uint32_t a = c->order[n - 1], b = c->order[n];
		uint64_t gap = nth_start(c, n) - nth_start(c, n - 1);

		if (gap == 0)
			tell(c, V73, nth_start(c, n),
			     "blocks %u and %u are both at %#" PRIx64, a, b,
			     nth_start(c, n));
		else if (gap < c->region)
			tell(c, V74, nth_start(c, n),
			     "block %u at %#" PRIx64 " overlaps block %u at "
			     "%#" PRIx64,
			     a, nth_start(c, n - 1), b, nth_start(c, n));
	}
}

static uint64_t
end_of_metadata(const struct check *c)
{
	uint64_t end = 0;

	for (size_t i = 0; i < c->nmeta; i++)
		if (c->meta[i].end <= c->file_size)
			end = max_u64(end, c->meta[i].end);
	return end;
}

/* What is counted over all blocks, and told once. */
static void
layout_rule(struct check *c)
{
	uint64_t metadata = end_of_metadata(c);
	uint32_t misaligned = 0, below = 0, disorder = 0;

	for (uint32_t n = 0; n < c->used; n++) {
		uint64_t start = nth_start(c, n);

		misaligned += (start + c->bitmap_bytes) % PAGE_SIZE_4K != 0;
		below += start < metadata;
		disorder += n && c->order[n] < c->order[n - 1];
	}
	if (misaligned)
		tell(c, V75, 0, "%u of %u blocks are not aligned to 4 KiB",
		     misaligned, c->used);
	if (below)
		tell(c, V78, 0,
		     "%u of %u blocks are below the end of the metadata at "
		     "%#" PRIx64 ", which XenServer refuses",
		     below, c->used, metadata);
	if (disorder)
		tell(c, V81, 0,
		     "blocks are not in the order of the disk: %u steps back",
		     disorder);
}

int
check_blocks(struct check *c)
{
	static void (*const rules[])(struct check *) = {
		metadata_rule, past_the_end_rule, end_footer_rule,
		apart_rule,    layout_rule,
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		rules[i](c);
	return 0;
}
