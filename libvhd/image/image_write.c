/* SPDX-License-Identifier: BSD-3-Clause */
/* image_write.c - data into place, and what has to be published about it.
 *
 * Data goes to its place at once.  Entries and bits change in memory only
 * and wait in `pending` for the next flush (image_flush.c), so a guest that
 * never flushes never waits for metadata.  Room in the lists is found before
 * anything changes: a failure leaves memory as it was. */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "image/mutant.h"
#include "image/pending.h"

static int
may_write(const struct image *img)
{
	if (!img->writable)
		return fail(VHD_E_READONLY, "%s: opened for reading only",
			    img->io->name);
	if (img->failed)
		return fail(VHD_E_IO,
			    "%s: an earlier flush failed, so nothing more is "
			    "written; close it and open it again",
			    img->io->name);
	return 0;
}

/* Note that the entry of a block changed. [lock; room was reserved] */
static void
note_entry(struct image *img, uint32_t block, uint8_t new_flags)
{
	uint8_t *flags = &img->block_flags[block];
	struct pending *p = &img->pending;

	if (!(*flags & BLOCK_BAT_PENDING))
		p->bat[p->nbat++] = (struct bat_change){.block = block};
	*flags &= (uint8_t) ~(BLOCK_NEW | BLOCK_PREPARED);
	*flags |= (uint8_t)(BLOCK_BAT_PENDING | new_flags);
}

/* Give an unallocated block a region. [lock] */
static int
allocate(struct image *img, uint32_t block)
{
	struct region region;
	bool prepared;
	int err = pending_reserve(&img->pending, 1, 0, 0);

	if (!err)
		err = space_take(&region, img, UINT64_MAX);
	if (err)
		return err;
	prepared = region.prepared != REGION_DIRTY;
	err = bitmaps_new(img, block, prepared);
	if (err) {
		(void)space_give(img, region);
		return err;
	}
	note_entry(img, block,
		   prepared ? BLOCK_NEW | BLOCK_PREPARED : BLOCK_NEW);
	if (prepared)
		img->pending.prepared =
			max_u64(img->pending.prepared, region.prepared);
	img->allocated++;
	atomic_store_explicit(&img->bat[block],
			      (uint32_t)(region.offset >> SECTOR_SHIFT),
			      memory_order_release);
	return 0;
}

int
image_place(uint64_t *ret_file_offset, struct image *img, uint64_t offset)
{
	uint32_t block = image_block_of(img, offset);
	uint64_t run;
	int err = may_write(img);

	if (err)
		return err;
	if (image_is_sparse(img) && !image_has_block(img, block)) {
		pthread_mutex_lock(&img->lock);
		if (!image_has_block(img, block))
			err = allocate(img, block);
		pthread_mutex_unlock(&img->lock);
		if (err)
			return err;
	}
	return image_locate(ret_file_offset, &run, img, offset);
}

/* Set bits, and have the bitmap published by the next flush. */
static int
mark_present(struct image *img, uint32_t block, uint32_t first, uint32_t count)
{
	struct pending *p = &img->pending;
	bool changed;
	int err;

	pthread_mutex_lock(&img->lock);
	err = pending_reserve(p, 0, 1, 0);
	if (!err)
		err = bitmaps_set(&changed, img, block, first, count);
	if (!err && changed &&
	    !(img->block_flags[block] & BLOCK_BITMAP_PENDING)) {
		img->block_flags[block] |= BLOCK_BITMAP_PENDING;
		p->bitmaps[p->nbitmaps++] = block;
	}
	pthread_mutex_unlock(&img->lock);
	return err;
}

int
image_written(struct image *img, uint64_t offset, uint64_t len)
{
	uint32_t block, first;

	img->dirty = true;
	if (!image_is_sparse(img))
		return 0;
	block = image_block_of(img, offset);
	if (bitmaps_full(img, block))
		return 0;
	first = (uint32_t)((offset & (img->block_size - 1)) >> SECTOR_SHIFT);
	return mark_present(img, block, first,
			    (uint32_t)ceil_div(len, SECTOR_SIZE));
}

/* What waits may take so many bytes; then the writer that brings more
 * publishes it. */
#define PENDING_MOST (8u << 20)

static int
keep_bounded(struct image *img)
{
	size_t waiting;

	pthread_mutex_lock(&img->lock);
	waiting = img->pending.nbat + img->pending.nbitmaps;
	pthread_mutex_unlock(&img->lock);
	return waiting * (img->bitmap_bytes + 16u) > PENDING_MOST
		       ? image_flush(img)
		       : 0;
}

/* How much of a request lies in the block of offset. */
static size_t
in_block(const struct image *img, uint64_t offset, uint64_t len)
{
	uint64_t rest = UINT64_MAX;

	if (image_is_sparse(img))
		rest = img->block_size - (offset & (img->block_size - 1));
	return (size_t)min_u64(min_u64(len, rest), SIZE_MAX / 2);
}

int
image_pwrite(struct image *img, const void *buf, size_t len, uint64_t offset)
{
	const uint8_t *from = buf;

	while (len) {
		size_t n = in_block(img, offset, len);
		uint64_t at;
		int err = image_place(&at, img, offset);

		if (!err)
			err = img->io->ops->pwrite(img->io, from, n, at);
		if (!err)
			err = image_written(img, offset, n);
		if (err)
			return err;
		from += n;
		offset += n;
		len -= n;
	}
	return keep_bounded(img);
}

int
image_write_zeros(struct image *img, uint64_t offset, uint64_t len)
{
	while (len) {
		size_t n = in_block(img, offset, len);
		uint64_t at;
		int err = image_place(&at, img, offset);

		if (!err)
			err = io_write_zeros(img->io, at, n);
		if (!err)
			err = image_written(img, offset, n);
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return keep_bounded(img);
}

int
image_drop_block(struct image *img, uint32_t block)
{
	struct pending *p = &img->pending;
	uint64_t at;
	int err = may_write(img);

	if (err || !image_has_block(img, block))
		return err;
	pthread_mutex_lock(&img->lock);
	err = pending_reserve(p, 1, 0, 1);
	if (!err) {
		at = (uint64_t)atomic_load(&img->bat[block]) << SECTOR_SHIFT;
		p->freed[p->nfreed++] = (struct region){at, REGION_DIRTY};
		if (mutant(REUSE_EARLY))
			(void)space_give(img, p->freed[--p->nfreed]);
		note_entry(img, block, 0);
		img->allocated--;
		img->untidy = true;
		atomic_store(&img->bat[block], BAT_UNUSED);
		bitmaps_drop(img, block);
	}
	pthread_mutex_unlock(&img->lock);
	return err;
}

void
image_write_out(struct image *img, uint64_t offset, uint64_t len)
{
	while (len && img->io->ops->write_out) {
		size_t n = in_block(img, offset, len);
		uint64_t at, run;

		if (image_locate(&at, &run, img, offset))
			return;
		if (at != NO_OFFSET)
			img->io->ops->write_out(img->io, at, n);
		offset += n;
		len -= n;
	}
}

/* Copy the data of a block, holes staying holes. */
static int
copy_block(struct image *img, uint64_t to, uint64_t from)
{
	uint64_t end = from + img->block_size, at = from;
	int err = io_write_zeros(img->io, to, img->block_size);

	while (!err && at < end) {
		bool data;
		uint64_t until;

		err = img->io->ops->extent(&data, &until, img->io, at);
		until = min_u64(until, end);
		if (!err && until <= at)
			break;
		if (!err && data)
			err = io_copy(img->io, to + (at - from), img->io, at,
				      until - at);
		at = until;
	}
	return err;
}

/* [lock] */
static void
switch_region(struct image *img, uint32_t block, struct region to,
	      uint64_t from)
{
	struct pending *p = &img->pending;

	p->freed[p->nfreed++] = (struct region){from, REGION_DIRTY};
	note_entry(img, block, mutant(MOVE_WITHOUT_BITMAP) ? 0 : BLOCK_NEW);
	img->untidy = true;
	atomic_store(&img->bat[block], (uint32_t)(to.offset >> SECTOR_SHIFT));
}

static int
take_below(struct region *ret, struct image *img, uint64_t below)
{
	int err;

	pthread_mutex_lock(&img->lock);
	err = space_take(ret, img, below);
	pthread_mutex_unlock(&img->lock);
	return err;
}

int
image_move_block(bool *ret, struct image *img, uint32_t block, uint64_t below)
{
	struct region to;
	uint64_t from;
	int err = may_write(img);

	if (!err)
		err = take_below(&to, img, below);
	if (err) {
		*ret = false;
		return err == VHD_E_NOTFOUND ? 0 : err;
	}
	from = (uint64_t)atomic_load(&img->bat[block]) << SECTOR_SHIFT;
	err = copy_block(img, to.offset + img->bitmap_bytes,
			 from + img->bitmap_bytes);
	img->dirty = true;
	pthread_mutex_lock(&img->lock);
	if (!err)
		err = pending_reserve(&img->pending, 1, 0, 1);
	if (!err)
		err = bitmaps_pin(img, block);
	if (!err)
		switch_region(img, block, to, from);
	else
		(void)space_give(img, (struct region){to.offset, REGION_DIRTY});
	pthread_mutex_unlock(&img->lock);
	*ret = !err;
	return err;
}
