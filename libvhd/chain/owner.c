/* SPDX-License-Identifier: BSD-3-Clause */
/* owner.c - which layer stores a sector (format 13.2).
 *
 * From the leaf down: a differencing layer owns the sectors its bitmap has,
 * and what it lacks is asked of the next; any other layer ends the search. */
#include <string.h>

#include "base/bits.h"
#include "chain/chain.h"

/* Give sectors that have no owner yet, and are in map, to owner. */
static uint32_t
claim(uint16_t *owners, uint8_t *open, const uint8_t *map, uint16_t owner)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < WINDOW_SECTORS / 8; i++) {
		uint8_t mine = open[i] & map[i];

		for (uint32_t bit = 0; mine && bit < 8; bit++)
			if (mine & (0x80 >> bit))
				owners[i * 8 + bit] = owner;
		open[i] &= (uint8_t)~map[i];
		left |= open[i];
	}
	return left;
}

static void
put_bits(uint8_t *to, uint32_t at, const uint8_t *from, uint32_t n)
{
	for (uint32_t i = 0, run; i < n; i += run) {
		run = bits_run(from, i, n - i);
		if (bit_get(from, i))
			bits_set(to, at + i, run);
	}
}

/* The leaf while it is being pushed.  Of a block that was moved nothing is
 * asked: a generation may be clearing it at this moment. */
static int
leaf_presence(enum presence *ret, uint8_t *map, struct chain *c,
	      uint64_t sector, uint32_t n)
{
	struct image *img = c->layers[0].img;
	uint64_t spb = img->block_size >> SECTOR_SHIFT;
	uint8_t some[WINDOW_SECTORS / 8];
	int err = 0;

	*ret = PRESENT_SOME;
	memset(map, 0, WINDOW_SECTORS / 8);
	for (uint64_t s = sector, run; s < sector + n && !err; s += run) {
		enum presence p;

		run = min_u64(spb - (s & (spb - 1)), sector + n - s);
		if (moved_has(c, s << SECTOR_SHIFT))
			continue;
		err = image_presence(&p, some, img, s, (uint32_t)run);
		if (!err && p != PRESENT_NONE)
			put_bits(map, (uint32_t)(s - sector), some,
				 (uint32_t)run);
	}
	return err;
}

/* What a layer has of a window, without the blocks that were moved away. */
static int
layer_presence(enum presence *ret, uint8_t *map, struct chain *c,
	       uint32_t layer, uint64_t sector, uint32_t n)
{
	if (layer == 0 && c->moved.bits)
		return leaf_presence(ret, map, c, sector, n);
	return image_presence(ret, map, c->layers[layer].img, sector, n);
}

static void
fill(uint16_t *owners, uint32_t from, uint32_t to, uint16_t owner)
{
	for (uint32_t i = from; i < to; i++)
		owners[i] = owner;
}

/* Sectors inside the disk in this window. */
static uint32_t
window_sectors(const struct chain *c, uint64_t window)
{
	uint64_t sector = window * WINDOW_SECTORS;
	uint64_t end = ceil_div(c->size, SECTOR_SIZE);

	return (uint32_t)min_u64(WINDOW_SECTORS,
				 end > sector ? end - sector : 0);
}

/* How many of n sectors lie inside an image?  What lies past its end is zero,
 * whatever its parents hold there. */
static uint32_t
sectors_inside(const struct image *img, uint64_t sector, uint32_t n)
{
	uint64_t end = ceil_div(img->size, SECTOR_SIZE);

	return (uint32_t)min_u64(n, end > sector ? end - sector : 0);
}

static int
resolve(uint16_t *owners, void *user, uint64_t window)
{
	struct chain *c = user;
	uint32_t n = window_sectors(c, window), left = n, inside;
	uint8_t open[WINDOW_SECTORS / 8] = {0}, map[WINDOW_SECTORS / 8];

	fill(owners, 0, WINDOW_SECTORS, OWNER_ZERO);
	bits_set(open, 0, n);
	for (uint32_t i = 0; i < c->depth && left; i++) {
		struct image *img = c->layers[i].img;
		enum presence p;
		int err;

		inside = sectors_inside(img, window * WINDOW_SECTORS, n);
		bits_clear(open, inside, n - inside);
		memset(map, 0, sizeof(map));
		err = layer_presence(&p, map, c, i, window * WINDOW_SECTORS, n);
		if (err)
			return err;
		if (p != PRESENT_NONE)
			left = claim(owners, open, map, (uint16_t)i);
		if (img->type != VHD_TYPE_DIFFERENCING)
			break;
	}
	/* So that the last window can have one owner too. */
	if (n)
		fill(owners, n, WINDOW_SECTORS, owners[n - 1]);
	return 0;
}

int
chain_owner(uint16_t *ret_owner, uint32_t *ret_run, struct chain *c,
	    uint64_t sector, uint32_t limit)
{
	uint64_t window = sector / WINDOW_SECTORS;
	uint32_t first = (uint32_t)(sector % WINDOW_SECTORS);

	if (limit > WINDOW_SECTORS - first)
		limit = WINDOW_SECTORS - first;
	return map_lookup(ret_owner, ret_run, &c->map, window, first, limit,
			  resolve, c);
}

int
chain_zero_below(bool *ret, struct chain *c, uint32_t layer, uint64_t offset,
		 uint64_t len)
{
	uint8_t map[WINDOW_SECTORS / 8];
	enum presence p = PRESENT_NONE;
	uint64_t sector = offset >> SECTOR_SHIFT;
	uint32_t n = (uint32_t)ceil_div(len, SECTOR_SIZE);

	for (uint32_t i = layer; i < c->depth && p == PRESENT_NONE; i++) {
		struct image *img = c->layers[i].img;
		int err;

		err = image_presence(&p, map, img, sector, n);
		if (err)
			return err;
		if (img->type != VHD_TYPE_DIFFERENCING)
			break;
	}
	/* What a parent that was not opened stores is not known. */
	*ret = p == PRESENT_NONE && !c->no_parent;
	return 0;
}

uint64_t
chain_size_below(const struct chain *c, uint32_t layer)
{
	return layer + 1 < c->depth ? c->layers[layer + 1].img->size : 0;
}

uint32_t
chain_target(const struct chain *c, uint64_t offset)
{
	return moved_has(c, offset) ? 1 : 0;
}
