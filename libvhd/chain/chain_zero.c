/* SPDX-License-Identifier: BSD-3-Clause */
/* chain_zero.c - zero a range, or let the guest forget it.
 *
 * A block may be dropped only where nothing below it holds data, because
 * dropping uncovers what is below (D4, P22, format 12.4); elsewhere zeros are
 * stored, as a hole under set bits.  While a block is moved, its target is the
 * layer it was moved to (P12). */
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "image/mutant.h"

/* The part of [offset, offset + len) in one window and in one block of its
 * target. [gate closed around it] */
static uint64_t
piece_length(const struct chain *c, uint64_t offset, uint64_t len)
{
	uint64_t n = WINDOW_SIZE - (offset & (WINDOW_SIZE - 1));

	for (uint32_t i = 0; i < c->depth && i < 2; i++) {
		const struct image *img = c->layers[i].img;

		if (image_is_sparse(img))
			n = min_u64(n,
				    img->block_size -
					    (offset & (img->block_size - 1)));
	}
	return min_u64(n, len);
}

static bool
covers_block(const struct chain *c, const struct image *img, uint64_t offset,
	     uint64_t len)
{
	uint64_t size = img->block_size;

	return image_is_sparse(img) && size <= WINDOW_SIZE &&
	       (offset & (size - 1)) == 0 &&
	       (len == size || offset + len == c->size);
}

/* Drop the block when that reads as zero, behind the end as well: a disk that
 * grows may have hidden there what a longer parent has. */
static int
try_drop(bool *ret, struct chain *c, uint32_t layer, uint64_t offset,
	 uint64_t len)
{
	struct image *img = c->layers[layer].img;
	bool zero = true;
	int err = 0;

	*ret = false;
	/* The leaf must not get a block back behind a push (P3). */
	if (!covers_block(c, img, offset, len) || (c->moved.bits && layer == 0))
		return 0;
	if (img->type == VHD_TYPE_DIFFERENCING &&
	    !(layer ? mutant(MOVED_TRIM_UNCOVERS) : mutant(PULL_TRIM_UNCOVERS)))
		err = chain_zero_below(&zero, c, layer + 1, offset,
				       img->block_size);
	if (!err && zero)
		err = image_drop_block(img, image_block_of(img, offset));
	*ret = !err && zero;
	return err;
}

static void
set_owner(struct chain *c, uint64_t offset, uint64_t len, uint16_t owner)
{
	map_set(&c->map, offset >> WINDOW_SHIFT,
		(uint32_t)((offset & (WINDOW_SIZE - 1)) >> SECTOR_SHIFT),
		(uint32_t)ceil_div(len, SECTOR_SIZE), owner);
}

/* Runs that somebody owns get zeros; the others read as zero already. */
static int
store_zeros(struct chain *c, uint32_t layer, uint64_t offset, uint64_t len,
	    bool only_own)
{
	while (len) {
		uint16_t owner;
		uint32_t run;
		uint64_t n;
		int err = chain_owner(&owner, &run, c, offset >> SECTOR_SHIFT,
				      (uint32_t)(len >> SECTOR_SHIFT));

		if (err)
			return err;
		n = (uint64_t)run << SECTOR_SHIFT;
		if (owner == layer || (owner != OWNER_ZERO && !only_own)) {
			err = image_write_zeros(c->layers[layer].img, offset,
						n);
			if (!err)
				set_owner(c, offset, n, (uint16_t)layer);
		}
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

/* Whole sectors, within one window and one block. [gate closed] */
static int
zero_piece(struct chain *c, uint64_t offset, uint64_t len, bool may_drop,
	   bool only_own)
{
	uint32_t layer = chain_target(c, offset);
	bool dropped = false;
	int err = 0;

	if (may_drop)
		err = try_drop(&dropped, c, layer, offset, len);
	if (!err && dropped)
		set_owner(c, offset, len, OWNER_ZERO);
	else if (!err)
		err = store_zeros(c, layer, offset, len, only_own);
	return err;
}

/* A write of zeros to part of a sector is a write like any other. */
static int
zero_edges(struct chain *c, uint64_t *offset, uint64_t *len)
{
	static const uint8_t zeros[SECTOR_SIZE];
	uint64_t head = round_up(*offset, SECTOR_SIZE) - *offset, tail;
	int err = 0;

	head = min_u64(head, *len);
	if (head)
		err = chain_pwrite(c, zeros, (size_t)head, *offset, 0);
	*offset += head;
	*len -= head;
	tail = *len % SECTOR_SIZE;
	*len -= tail;
	if (!err && tail)
		err = chain_pwrite(c, zeros, (size_t)tail, *offset + *len, 0);
	return err;
}

/* Whole sectors within one window. [its gate closed] */
static int
zero_window(struct chain *c, uint64_t offset, uint64_t len, bool may_drop,
	    bool only_own)
{
	int err = 0;

	while (!err && len) {
		uint64_t n = piece_length(c, offset, len);

		err = zero_piece(c, offset, n, may_drop, only_own);
		offset += n;
		len -= n;
	}
	return err;
}

static uint64_t
in_window(uint64_t offset, uint64_t len)
{
	return min_u64(len, WINDOW_SIZE - (offset & (WINDOW_SIZE - 1)));
}

static int
zero_sectors(struct chain *c, uint64_t offset, uint64_t len, bool may_drop,
	     bool only_own)
{
	int err = 0;

	while (!err && len) {
		uint64_t n = in_window(offset, len);

		gate_visit(&c->gate, offset >> WINDOW_SHIFT);
		gate_close(&c->gate, offset, n);
		err = zero_window(c, offset, n, may_drop, only_own);
		gate_open(&c->gate, offset, n);
		offset += n;
		len -= n;
	}
	return err;
}

/* Nobody owns it, or its block can be dropped. [gate of the window] */
static int
piece_is_fast(bool *ret, struct chain *c, uint64_t offset, uint64_t len)
{
	const struct image *img = c->layers[chain_target(c, offset)].img;
	uint16_t owner;
	uint32_t run;
	int err = chain_owner(&owner, &run, c, offset >> SECTOR_SHIFT,
			      (uint32_t)ceil_div(len, SECTOR_SIZE));

	if (!err)
		*ret = (owner == OWNER_ZERO &&
			(uint64_t)run << SECTOR_SHIFT >= len) ||
		       (covers_block(c, img, offset, len) &&
			img->type != VHD_TYPE_DIFFERENCING);
	return err;
}

static int
window_is_fast(bool *ret, struct chain *c, uint64_t offset, uint64_t len)
{
	int err = 0;

	while (!err && *ret && len) {
		uint64_t n = piece_length(c, offset, len);

		err = piece_is_fast(ret, c, offset, n);
		offset += n;
		len -= n;
	}
	return err;
}

/* Would zeroing this change no data: blocks dropped, or nothing to do? */
static int
is_fast(struct chain *c, uint64_t offset, uint64_t len)
{
	bool fast = true;

	while (fast && len) {
		uint64_t n = in_window(offset, len);
		uint64_t window = offset >> WINDOW_SHIFT;
		int err;

		gate_share(&c->gate, window);
		err = window_is_fast(&fast, c, offset, n);
		gate_unshare(&c->gate, window);
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return fast ? 0
		    : fail(VHD_E_UNSUPPORTED,
			   "%s: zeroing this would have to write zeros",
			   c->name);
}

static int
check_range(struct chain *c, uint64_t offset, uint64_t len)
{
	/* An empty write has the same conditions, and tells them. */
	int err = chain_pwrite(c, "", 0, offset, 0);

	if (!err && !range_ok(offset, len, c->size))
		err = fail(VHD_E_RANGE,
			   "%s: %llu bytes at %llu asked for, the disk has "
			   "%llu",
			   c->name, (unsigned long long)len,
			   (unsigned long long)offset,
			   (unsigned long long)c->size);
	return err;
}

int
chain_zero(struct chain *c, uint64_t offset, uint64_t len, uint32_t flags)
{
	int err = check_range(c, offset, len);

	if (!err && (flags & VHD_IO_FAST))
		err = is_fast(c, offset, len);
	if (!err)
		err = zero_edges(c, &offset, &len);
	if (!err)
		err = zero_sectors(c, offset, len, flags & VHD_IO_MAY_TRIM,
				   false);
	if (!err && (flags & VHD_IO_FUA))
		err = chain_flush(c);
	return err;
}

int
chain_discard(struct chain *c, uint64_t offset, uint64_t len, uint32_t flags)
{
	uint64_t first = round_up(offset, SECTOR_SIZE);
	uint64_t end = round_down(offset + len, SECTOR_SIZE);
	int err = check_range(c, offset, len);

	if (!err && end > first)
		err = zero_sectors(c, first, end - first, true, true);
	if (!err && (flags & VHD_IO_FUA))
		err = chain_flush(c);
	return err;
}
