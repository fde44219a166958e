/* SPDX-License-Identifier: BSD-3-Clause */
/* chain_io.c - cut a guest's request by window and by owner.
 *
 * Aligned requests hold the gate of their window shared, from asking who owns
 * a sector until the owner is told of the write (P1).  What must not run
 * beside another write of the same window holds it closed: a write of part of
 * a sector, which reads the rest first, and giving up blocks. */
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "image/mutant.h"

/* How much of a request lies in the window of offset. */
static size_t
in_window(uint64_t offset, uint64_t len)
{
	return (size_t)min_u64(len, WINDOW_SIZE - (offset & (WINDOW_SIZE - 1)));
}

static int
check_range(const struct chain *c, uint64_t offset, uint64_t len)
{
	if (range_ok(offset, len, c->size))
		return 0;
	return fail(VHD_E_RANGE,
		    "%s: %llu bytes at %llu asked for, the disk has %llu",
		    c->name, (unsigned long long)len,
		    (unsigned long long)offset, (unsigned long long)c->size);
}

static int
check_write(const struct chain *c, uint64_t offset, uint64_t len)
{
	if (!c->writable)
		return fail(VHD_E_READONLY, "%s: opened for reading only",
			    c->name);
	if (c->failed)
		return fail(VHD_E_IO,
			    "%s: an earlier flush failed, so nothing more is "
			    "written; close the disk and open it again",
			    c->name);
	return check_range(c, offset, len);
}

/* ---- Read ---- */

/* [gate of the window] */
static int
read_window(struct chain *c, uint8_t *to, size_t len, uint64_t offset)
{
	while (len) {
		uint64_t sector = offset >> SECTOR_SHIFT, skip, n;
		uint64_t sectors =
			ceil_div(len + offset % SECTOR_SIZE, SECTOR_SIZE);
		uint16_t owner;
		uint32_t run;
		int err =
			chain_owner(&owner, &run, c, sector, (uint32_t)sectors);

		if (err)
			return err;
		skip = offset % SECTOR_SIZE;
		n = min_u64(len, ((uint64_t)run << SECTOR_SHIFT) - skip);
		if (owner == OWNER_ZERO)
			memset(to, 0, n);
		else
			err = image_pread(c->layers[owner].img, to, n, offset);
		if (err)
			return err;
		to += n;
		offset += n;
		len -= n;
	}
	return 0;
}

int
chain_pread(struct chain *c, void *buf, size_t len, uint64_t offset)
{
	uint8_t *to = buf;
	int err = check_range(c, offset, len);

	while (!err && len) {
		size_t n = in_window(offset, len);
		uint64_t window = offset >> WINDOW_SHIFT;

		gate_share(&c->gate, window);
		err = read_window(c, to, n, offset);
		gate_unshare(&c->gate, window);
		to += n;
		offset += n;
		len -= n;
	}
	return err;
}

/* ---- Write ---- */

/* Until where do requests go to the same layer?  While blocks are being moved
 * each block of the leaf may differ. */
static size_t
in_target(const struct chain *c, uint64_t offset, size_t len)
{
	uint64_t block = c->layers[0].img->block_size;

	if (!c->moved.bits)
		return len;
	return (size_t)min_u64(len, block - (offset & (block - 1)));
}

/* Is the block of offset one that is all present? */
static bool
owns_block(const struct image *img, uint64_t offset)
{
	return image_is_sparse(img) &&
	       bitmaps_full(img, image_block_of(img, offset));
}

/* The layer wrote these sectors.  In a block that is all present, it owns the
 * rest as well: a new block of a dynamic image is zero where nobody wrote.
 * Below the leaf only as far as the block of the leaf that was moved (P3). */
static void
note_owner(struct chain *c, uint32_t layer, uint64_t offset, size_t len)
{
	const struct image *img = c->layers[layer].img;
	uint64_t window = offset >> WINDOW_SHIFT;
	uint64_t size = min_u64(img->block_size, WINDOW_SIZE);
	uint64_t from = offset & (WINDOW_SIZE - 1), to = from + len;

	if (layer > 0 && !mutant(NEIGHBOURS_CLAIMED))
		size = min_u64(size, c->layers[0].img->block_size);
	if (map_window(&c->map, window) == layer)
		return;
	if (owns_block(img, offset))
		from = round_down(from, size);
	if (owns_block(img, offset + len - 1))
		to = round_up(to, size);
	map_set(&c->map, window, (uint32_t)(from >> SECTOR_SHIFT),
		(uint32_t)((to - from) >> SECTOR_SHIFT), (uint16_t)layer);
}

/* Whole sectors within one window.  What fails may have been done in part, so
 * the images are asked again who owns what. [its gate] */
static int
write_sectors(struct chain *c, const uint8_t *from, size_t len, uint64_t offset)
{
	while (len) {
		size_t n = in_target(c, offset, len);
		uint32_t layer = chain_target(c, offset);
		struct image *img = c->layers[layer].img;
		int err = image_pwrite(img, from, n, offset);

		if (err) {
			map_forget(&c->map, offset >> WINDOW_SHIFT);
			return err;
		}
		note_owner(c, layer, offset, n);
		from += n;
		offset += n;
		len -= n;
	}
	return 0;
}

/* Part of one sector: the rest of it is read through the chain.  The last one
 * of a plain disk may be cut off. [gate closed] */
static int
write_partial(struct chain *c, const uint8_t *from, size_t len, uint64_t offset)
{
	uint64_t start = round_down(offset, SECTOR_SIZE);
	uint8_t sector[SECTOR_SIZE];
	int err = read_window(c, sector, SECTOR_SIZE, start);

	if (err)
		return err;
	memcpy(sector + (offset - start), from, len);
	return write_sectors(c, sector,
			     (size_t)min_u64(SECTOR_SIZE, c->size - start),
			     start);
}

/* The next piece that is either whole sectors or part of one. */
static size_t
next_piece(uint64_t offset, size_t len)
{
	size_t n = in_window(offset, len);
	uint64_t within = offset % SECTOR_SIZE;

	if (within || n < SECTOR_SIZE)
		return (size_t)min_u64(n, SECTOR_SIZE - within);
	return n - n % SECTOR_SIZE;
}

static int
write_piece(struct chain *c, const uint8_t *from, size_t n, uint64_t offset)
{
	uint64_t window = offset >> WINDOW_SHIFT;
	int err;

	if (offset % SECTOR_SIZE || n % SECTOR_SIZE) {
		gate_visit(&c->gate, window);
		gate_close(&c->gate, offset, n);
		err = write_partial(c, from, n, offset);
		gate_open(&c->gate, offset, n);
		return err;
	}
	gate_share_write(&c->gate, window);
	if (mutant(GATE_LEFT_EARLY))
		gate_unshare_write(&c->gate, window);
	err = write_sectors(c, from, n, offset);
	if (!mutant(GATE_LEFT_EARLY))
		gate_unshare_write(&c->gate, window);
	return err;
}

/* A durable write that needs no metadata takes a short cut; a moved block
 * always needs some (P11). */
static int
write_durable(bool *ret, struct chain *c, const uint8_t *from, size_t len,
	      uint64_t offset)
{
	uint64_t window = offset >> WINDOW_SHIFT;
	uint32_t layer = 0;
	int err = 0;

	*ret = false;
	if (offset % SECTOR_SIZE || len % SECTOR_SIZE || !len ||
	    in_window(offset, len) != len)
		return 0;
	gate_share_write(&c->gate, window);
	if (mutant(MOVED_SHORTCUT))
		layer = chain_target(c, offset);
	if (!c->moved.bits || mutant(MOVED_SHORTCUT))
		err = image_pwrite_durable(ret, c->layers[layer].img, from, len,
					   offset);
	if (*ret)
		note_owner(c, layer, offset, len);
	gate_unshare_write(&c->gate, window);
	return err;
}

int
chain_pwrite(struct chain *c, const void *buf, size_t len, uint64_t offset,
	     uint32_t flags)
{
	const uint8_t *from = buf;
	bool done = false;
	int err = check_write(c, offset, len);

	if (!err && (flags & VHD_IO_FUA))
		err = write_durable(&done, c, from, len, offset);
	if (err || done)
		return err;
	while (!err && len) {
		size_t n = next_piece(offset, len);

		err = write_piece(c, from, n, offset);
		from += n;
		offset += n;
		len -= n;
	}
	if (!err && (flags & VHD_IO_FUA))
		err = chain_flush(c);
	return err;
}

void
chain_readahead(struct chain *c, uint64_t offset, uint64_t len)
{
	for (size_t n; len; offset += n, len -= n) {
		uint64_t window = offset >> WINDOW_SHIFT, at, rest;
		uint16_t owner;
		uint32_t run;

		n = in_window(offset, len);
		gate_share(&c->gate, window);
		if (chain_owner(&owner, &run, c, offset >> SECTOR_SHIFT,
				WINDOW_SECTORS) == 0 &&
		    owner != OWNER_ZERO &&
		    image_locate(&at, &rest, c->layers[owner].img, offset) ==
			    0 &&
		    at != NO_OFFSET) {
			struct io *io = c->layers[owner].img->io;

			io->ops->readahead(io, at, min_u64(n, rest));
		}
		gate_unshare(&c->gate, window);
	}
}
