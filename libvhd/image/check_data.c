/* SPDX-License-Identifier: BSD-3-Clause */
/* check_data.c - rules V82 to V87 and V89: what bitmaps say, and whether the
 * data agrees (format 11, 20.3).
 *
 * Blocks are visited in file order.  Data is read where a bit is clear, and,
 * to see whether a block is all zero, up to its first byte that is not; holes
 * are not read at all. */
#include "image/check.h"

#include <inttypes.h>
#include <string.h>

#include "base/bits.h"
#include "image/image.h"

#define BITMAPS_AHEAD 128

/* What is counted over all blocks, and told once. */
struct tally {
	uint64_t stray;     /* V84 */
	uint64_t zero;      /* V85 */
	uint64_t leftovers; /* V86 */
};

/* ---- The walk ----------------------------------------------------------- */

bool
check_in_batmap(const struct check *c, uint32_t block)
{
	return c->batmap.valid && block / 8 < c->batmap.bytes &&
	       bit_get(c->batmap.map, block);
}

static void
look_at_bitmap(struct block_view *v, const struct check *c)
{
	uint64_t bytes = check_block_bytes(c, v->block) - c->bitmap_bytes;

	v->sectors = (uint32_t)(bytes / SECTOR_SIZE);
	v->none = bits_none_set(v->bitmap, 0, v->sectors);
	v->all = bits_all_set(v->bitmap, 0, v->sectors);
	v->stray = !bits_none_set(v->bitmap, v->sectors,
				  c->bitmap_bytes * 8 - v->sectors);
	v->in_batmap = c->batmap.valid && v->block / 8 < c->batmap.bytes &&
		       bit_get(c->batmap.map, v->block);
}

/* Is this failure about the file rather than about us? */
static bool
is_read_error(int err)
{
	return err == VHD_E_IO || err == VHD_E_CORRUPT;
}

/* tap 0.1 stores the bits of each byte the other way round (format 11.2). */
static void
reverse_bits(uint8_t *ret, const uint8_t *from, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++) {
		ret[i] = 0;
		for (unsigned bit = 0; bit < 8; bit++)
			if (from[i] & 1u << bit)
				ret[i] |= (uint8_t)(0x80u >> bit);
	}
}

static int
visit(struct check *c, struct reader *r, uint32_t block, block_fn fn,
      void *user)
{
	AUTO_FREE uint8_t *turned = NULL;
	struct block_view v = {.block = block};
	int err;

	v.offset = check_block_start(c, block);
	if (!range_ok(v.offset, check_block_bytes(c, block), c->file_size))
		return 0;
	err = reader_get(&v.bitmap, r, v.offset, c->bitmap_bytes);
	if (err)
		return err;
	if (findings_has(c->findings, V90)) {
		turned = malloc(c->bitmap_bytes);
		if (!turned)
			return fail_nomem();
		reverse_bits(turned, v.bitmap, c->bitmap_bytes);
		v.bitmap = turned;
	}
	look_at_bitmap(&v, c);
	return fn(c, r, &v, user);
}

/* Bitmaps lie apart, so the system would fetch one at a time: ask for many,
 * well before they are needed. */
static uint32_t
ask_ahead(const struct check *c, uint32_t n, uint32_t asked)
{
	for (; asked < c->used && asked < n + BITMAPS_AHEAD; asked++)
		c->io->ops->readahead(c->io,
				      check_block_start(c, c->order[asked]),
				      c->bitmap_bytes);
	return asked;
}

int
check_walk(struct check *c, block_fn fn, void *user)
{
	uint32_t asked = 0;
	struct reader reader;
	int err = reader_init(&reader, c->io);

	if (err)
		return err;
	for (uint32_t n = 0; !err && n < c->used; n++) {
		uint32_t block = c->order[n];

		asked = ask_ahead(c, n, asked);
		err = visit(c, &reader, block, fn, user);
		if (is_read_error(err)) {
			tell(c, V87, check_block_start(c, block),
			     "block %u cannot be read: %s", block,
			     error_message());
			err = 0;
		}
		if (!err)
			err = check_step(c, c->region);
	}
	reader_free(&reader);
	return err;
}

/* ---- Rules -------------------------------------------------------------- */

static uint64_t
data_of(const struct check *c, const struct block_view *v)
{
	return v->offset + c->bitmap_bytes;
}

static int
empty_bitmap_rule(struct check *c, struct reader *r, const struct block_view *v)
{
	bool zero;
	int err = reader_is_zero(&zero, r, data_of(c, v),
				 (uint64_t)v->sectors * SECTOR_SIZE);

	if (err)
		return err;
	if (zero)
		tell(c, V83, v->offset,
		     "block %u is stored, but none of its sectors is present",
		     v->block);
	else
		findings_add(c->findings, V83, VHD_WARNING, false, v->offset,
			     "block %u is stored with data, but none of its "
			     "sectors is marked as present",
			     v->block);
	return 0;
}

/* The first sector that is not zero among those whose bit is `set`;
 * v->sectors if there is none. */
static int
first_data(uint32_t *ret, struct check *c, struct reader *r,
	   const struct block_view *v, const uint8_t *bitmap, bool set)
{
	uint32_t run;

	for (uint32_t s = 0; s < v->sectors; s += run) {
		bool zero = true;
		int err = 0;

		run = bits_run(bitmap, s, v->sectors - s);
		if (bit_get(bitmap, s) == set)
			err = reader_is_zero(&zero, r,
					     data_of(c, v) +
						     (uint64_t)s * SECTOR_SIZE,
					     (uint64_t)run * SECTOR_SIZE);
		if (err)
			return err;
		if (!zero) {
			*ret = s;
			return 0;
		}
	}
	*ret = v->sectors;
	return 0;
}

static int
clear_bits_rule(struct check *c, struct reader *r, const struct block_view *v,
		const uint8_t *bitmap, struct tally *t)
{
	uint32_t sector = 0;
	int err = first_data(&sector, c, r, v, bitmap, false);

	if (err || sector == v->sectors)
		return err;
	if (c->found.footer.type == VHD_TYPE_DIFFERENCING)
		t->leftovers++;
	else
		tell(c, V82, data_of(c, v) + (uint64_t)sector * SECTOR_SIZE,
		     "block %u has data in sectors marked as not present, from "
		     "sector %u on; QEMU reads it, others read zeros",
		     v->block, sector);
	return 0;
}

static int
zero_block_rule(struct check *c, struct reader *r, const struct block_view *v,
		const uint8_t *bitmap, struct tally *t)
{
	uint32_t sector = 0;
	int err;

	if (c->found.footer.type != VHD_TYPE_DYNAMIC)
		return 0;
	err = first_data(&sector, c, r, v, bitmap, true);
	if (!err && sector == v->sectors)
		t->zero++;
	return err;
}

/* The bitmap that the reader holds is gone once data is read. */
static int
present_rules(struct check *c, struct reader *r, const struct block_view *v,
	      struct tally *t)
{
	AUTO_FREE uint8_t *bitmap = malloc(c->bitmap_bytes);
	int err = 0;

	if (!bitmap)
		return fail_nomem();
	memcpy(bitmap, v->bitmap, c->bitmap_bytes);
	if (!v->all)
		err = clear_bits_rule(c, r, v, bitmap, t);
	if (!err)
		err = zero_block_rule(c, r, v, bitmap, t);
	return err;
}

static int
examine(struct check *c, struct reader *r, const struct block_view *v,
	void *user)
{
	struct tally *t = user;

	t->stray += v->stray;
	if (v->in_batmap && !v->all)
		tell(c, V89, v->offset,
		     "the batmap calls block %u full, its bitmap does not",
		     v->block);
	if (v->none)
		return empty_bitmap_rule(c, r, v);
	return present_rules(c, r, v, t);
}

static void
batmap_rule(struct check *c)
{
	for (uint32_t b = 0; c->batmap.valid && b < c->blocks; b++)
		if (check_in_batmap(c, b) && bat_get(c->bat, b) == BAT_UNUSED)
			tell(c, V89, c->batmap.offset + b / 8,
			     "the batmap calls block %u full, which is not "
			     "stored",
			     b);
}

static void
tell_counts(struct check *c, const struct tally *t)
{
	if (t->stray)
		tell(c, V84, 0,
		     "%" PRIu64 " bitmaps have bits set behind the end of "
		     "the block or of the disk",
		     t->stray);
	if (t->zero)
		tell(c, V85, 0,
		     "%" PRIu64 " blocks are stored and all zero; compacting "
		     "gives their space back",
		     t->zero);
	if (t->leftovers)
		tell(c, V86, 0,
		     "%" PRIu64 " blocks have old data in sectors that come "
		     "from the parent",
		     t->leftovers);
}

int
check_data(struct check *c)
{
	struct tally tally = {0};
	int err;

	if (c->opts->flags & VHD_CHECK_NO_DATA)
		return 0;
	batmap_rule(c);
	err = check_phase(c, "check data", c->used * c->region);
	if (!err)
		err = check_walk(c, examine, &tally);
	if (!err)
		tell_counts(c, &tally);
	return err;
}
