/* SPDX-License-Identifier: BSD-3-Clause */
/* image_stream.c - a new image, written in one go.
 *
 * The table of a dynamic image comes before its blocks, so that whoever writes
 * to a pipe must know beforehand which blocks there will be.  The layout is
 * that of image_create.c, with the blocks in the order of the disk and nothing
 * between them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "image/image.h"

#define PAGE        4096u
#define TABLE       0x600u
#define TABLE_CHUNK 16384u /* entries */

static const uint8_t zeros[PAGE];

static int
put(struct image_stream *s, const void *bytes, size_t len)
{
	int err = s->to->ops->pwrite(s->to, bytes, len, s->position);

	if (!err)
		s->position += len;
	return err;
}

static int
put_zeros_until(struct image_stream *s, uint64_t position)
{
	int err = 0;

	while (!err && s->position < position)
		err = put(s, zeros,
			  (size_t)min_u64(position - s->position, PAGE));
	return err;
}

static uint64_t
length_for(const struct image_stream *s, uint64_t blocks)
{
	return image_length_for(VHD_TYPE_DYNAMIC, s->footer.current_size,
				s->block_size, blocks);
}

static uint32_t
bitmap_bytes(const struct image_stream *s)
{
	return (uint32_t)round_up(ceil_div(s->block_size / SECTOR_SIZE, 8),
				  SECTOR_SIZE);
}

/* Where the n-th block in the file ends; its data is aligned. */
static uint64_t
region_end(const struct image_stream *s, uint64_t n)
{
	return length_for(s, n + 1) - PAGE;
}

static uint64_t
region_start(const struct image_stream *s, uint64_t n)
{
	return region_end(s, n) - s->block_size - bitmap_bytes(s);
}

static int
too_big(const struct image_stream *s, uint64_t block)
{
	return fail(VHD_E_TOOBIG,
		    "%s: block %" PRIu64 " would begin past 2 TiB, which no "
		    "entry of the table can say; larger blocks take less room",
		    s->to->name, block);
}

/* ---- Head -------------------------------------------------------------- */

static int
put_entries(struct image_stream *s, const uint8_t *blocks, uint32_t first,
	    uint32_t n, uint64_t *used)
{
	AUTO_FREE uint8_t *table = malloc((size_t)n * 4);

	if (!table)
		return fail_nomem();
	for (uint32_t i = 0; i < n; i++) {
		uint64_t sector = BAT_UNUSED;

		if (bit_get(blocks, first + i)) {
			sector = region_start(s, (*used)++) >> SECTOR_SHIFT;
			if (sector >= BAT_UNUSED)
				return too_big(s, first + i);
		}
		store_be32(table + 4 * i, (uint32_t)sector);
	}
	return put(s, table, (size_t)n * 4);
}

static int
put_table(struct image_stream *s, const uint8_t *blocks, uint32_t n)
{
	uint8_t ones[PAGE];
	uint64_t used = 0;
	int err = 0;

	for (uint32_t i = 0; i < n && !err; i += TABLE_CHUNK)
		err = put_entries(s, blocks, i,
				  (uint32_t)min_u64(n - i, TABLE_CHUNK), &used);
	memset(ones, 0xff, sizeof(ones));
	if (!err)
		err = put(s, ones,
			  (size_t)(length_for(s, 0) - PAGE - s->position));
	return err;
}

static int
put_head(struct image_stream *s, const uint8_t *blocks)
{
	uint32_t n = (uint32_t)ceil_div(s->footer.current_size, s->block_size);
	struct disk_footer footer;
	struct disk_dynhdr disk;
	struct dynhdr hdr;
	int err;

	dynhdr_init(&hdr, TABLE, n, s->block_size);
	footer_encode(&footer, &s->footer);
	dynhdr_encode(&disk, &hdr);
	err = put(s, &footer, sizeof(footer));
	if (!err)
		err = put(s, &disk, sizeof(disk));
	return err ? err : put_table(s, blocks, n);
}

int
image_stream_begin(struct image_stream *ret, struct io *to,
		   const struct image_create *how, const uint8_t *blocks)
{
	struct image_stream s = {.to = to};
	int err = image_create_footer(&s.footer, &s.block_size, to->name, how);

	if (err)
		return err;
	if (how->type == VHD_TYPE_FIXED)
		s.block_size = 0;
	else
		err = put_head(&s, blocks);
	if (!err)
		*ret = s;
	return err;
}

/* ---- Body and tail ----------------------------------------------------- */

/* Sectors past the end of the disk are not said to be present. */
static int
make_bitmap(uint8_t **ret, const struct image_stream *s, uint64_t block)
{
	uint64_t start = block * s->block_size;
	uint64_t inside =
		min_u64(s->footer.current_size - start, s->block_size);
	uint8_t *bitmap = calloc(1, bitmap_bytes(s));

	if (!bitmap)
		return fail_nomem();
	bits_set(bitmap, 0, (uint32_t)(inside >> SECTOR_SHIFT));
	*ret = bitmap;
	return 0;
}

int
image_stream_block(struct image_stream *s, uint32_t block, const void *data)
{
	AUTO_FREE uint8_t *bitmap = NULL;
	int err = make_bitmap(&bitmap, s, block);

	if (!err)
		err = put_zeros_until(s, region_start(s, s->used));
	if (!err)
		err = put(s, bitmap, bitmap_bytes(s));
	s->used++;
	return err ? err : put(s, data, s->block_size);
}

int
image_stream_end(struct image_stream *s)
{
	struct disk_footer footer;
	int err = 0;

	if (s->block_size)
		err = put_zeros_until(s, length_for(s, s->used) - FOOTER_SIZE);
	footer_encode(&footer, &s->footer);
	if (!err)
		err = put(s, &footer, sizeof(footer));
	return err ? err : s->to->ops->flush(s->to);
}

/* ---- Into a file ------------------------------------------------------- */

int
image_pack_begin(struct image_pack *ret, struct io *to,
		 const struct image_create *how)
{
	struct image_pack p = {.s = {.to = to}};
	struct image_stream *s = &p.s;
	int err =
		image_create_footer(&s->footer, &s->block_size, to->name, how);

	if (err)
		return err;
	p.blocks =
		calloc(1, (size_t)(ceil_div(how->size, s->block_size) / 8 + 1));
	if (!p.blocks)
		return fail_nomem();
	*ret = p;
	return 0;
}

void
image_pack_free(struct image_pack *p)
{
	free(p->blocks);
}

static int
add_block(struct image_pack *p, uint64_t block)
{
	AUTO_FREE uint8_t *bitmap = NULL;
	struct image_stream *s = &p->s;
	uint64_t at = region_start(s, s->used);
	int err = make_bitmap(&bitmap, s, block);

	if (err)
		return err;
	if (at >> SECTOR_SHIFT >= BAT_UNUSED)
		return too_big(s, block);
	err = s->to->ops->pwrite(s->to, bitmap, bitmap_bytes(s), at);
	if (err)
		return err;
	bits_set(p->blocks, (uint32_t)block, 1);
	s->used++;
	return 0;
}

/* Pieces ascend, so that a block that is there is the last one. */
int
image_pack_data(struct image_pack *p, const void *data, size_t len,
		uint64_t offset)
{
	struct image_stream *s = &p->s;
	const uint8_t *from = data;
	int err = 0;

	while (!err && len) {
		uint64_t block = offset / s->block_size;
		uint64_t within = offset % s->block_size;
		size_t n = (size_t)min_u64(len, s->block_size - within);

		if (!bit_get(p->blocks, (uint32_t)block))
			err = add_block(p, block);
		if (!err)
			err = s->to->ops->pwrite(s->to, from, n,
						 region_end(s, s->used - 1) -
							 s->block_size +
							 within);
		from += n;
		offset += n;
		len -= n;
	}
	return err;
}

/* What lies between the pieces is a hole, and reads as zero. */
int
image_pack_end(struct image_pack *p)
{
	int err = put_head(&p->s, p->blocks);

	p->s.position = length_for(&p->s, p->s.used) - FOOTER_SIZE;
	return err ? err : image_stream_end(&p->s);
}
