/* SPDX-License-Identifier: BSD-3-Clause */
/* image_flush.c - publish what changed, in the order that keeps D1 to D8.
 *
 *	take    entries and bitmaps as they are now; what changes later waits
 *	        for the next flush
 *	E1      bitmaps of new regions           (no entry names them yet)
 *	A       fdatasync: data, E1 and the end footer are durable
 *	E2      bits of published blocks, entries
 *	B       fdatasync: published
 *	loose   regions that no entry names any more may be punched, and then
 *	        used again (D7); image_punch.c does it
 *
 * A is left out when nothing in E2 relies on it: a dynamic image whose new
 * regions were prepared, and made durable, by an earlier flush.  Then entries
 * and data may become durable in any order, because a prepared region reads
 * as zero, which is what was there before.  B is left out when E2 is empty.
 * A failed fdatasync is final (D8): the kernel may have dropped the pages. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "image/batmap.h"
#include "image/image.h"
#include "image/mutant.h"
#include "image/pending.h"
#include "image/punch.h"

static int
sync_file(struct image *img)
{
	uint64_t n;
	int err;

	pthread_mutex_lock(&img->lock);
	n = ++img->sync_started;
	pthread_mutex_unlock(&img->lock);
	err = img->io->ops->flush(img->io);
	if (err) {
		img->failed = !mutant(WORK_ON);
		return err;
	}
	pthread_mutex_lock(&img->lock);
	img->sync_done = max_u64(img->sync_done, n);
	pthread_mutex_unlock(&img->lock);
	return 0;
}

static int
write_bitmaps(struct image *img, bool fresh)
{
	const struct pending *p = &img->publishing;
	int err = 0;

	for (size_t i = 0; i < p->ncopies && !err; i++) {
		const struct bitmap_copy *c = &p->copies[i];

		if (mutant(LATE_BITS) && !fresh)
			(void)bitmaps_copy(p->bits + i * img->bitmap_bytes, img,
					   c->block);
		if (c->fresh == fresh)
			err = img->io->ops->pwrite(
				img->io, p->bits + i * img->bitmap_bytes,
				img->bitmap_bytes,
				(uint64_t)c->value << SECTOR_SHIFT);
	}
	return err;
}

static int
by_block(const void *a, const void *b)
{
	const struct bat_change *x = a, *y = b;

	return (x->block > y->block) - (x->block < y->block);
}

/* Entries of one sector of the table; the rest of the sector stays as it is
 * on disk, because changes that are not in this flush must not be seen. */
static int
write_bat_sector(struct image *img, const struct bat_change *c, size_t n)
{
	uint64_t at = img->hdr.table_offset +
		      round_down((uint64_t)c->block * 4, SECTOR_SIZE);
	uint8_t sector[SECTOR_SIZE];
	int err = img->io->ops->pread(img->io, sector, SECTOR_SIZE, at);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		store_be32(sector + c[i].block * 4 % SECTOR_SIZE,
			   mutant(LATE_ENTRY)
				   ? atomic_load(&img->bat[c[i].block])
				   : c[i].value);
	return img->io->ops->pwrite(img->io, sector, SECTOR_SIZE, at);
}

static int
write_bat(struct image *img)
{
	const struct pending *p = &img->publishing;
	const uint32_t entries = SECTOR_SIZE / 4;
	int err = 0;

	if (p->nbat)
		qsort(p->bat, p->nbat, sizeof(*p->bat), by_block);
	for (size_t i = 0, n; i < p->nbat && !err; i += n) {
		n = 1;
		while (i + n < p->nbat && p->bat[i + n].block / entries ==
						  p->bat[i].block / entries)
			n++;
		err = write_bat_sector(img, p->bat + i, n);
	}
	return err;
}

/* Must what E2 writes wait for A?  Yes for bits, whose data must be durable
 * first (D3), and for regions not known to be durable (D2). */
static bool
needs_first_sync(struct image *img)
{
	const struct pending *p = &img->publishing;
	bool needed = p->ncopies > 0 || (p->nbat && img->batmap_header);

	pthread_mutex_lock(&img->lock);
	for (size_t i = 0; i < p->nbat && !needed; i++)
		needed = (p->bat[i].flags & BLOCK_PREPARED) &&
			 p->prepared >= img->sync_done &&
			 !mutant(PREPARED_IS_DURABLE);
	pthread_mutex_unlock(&img->lock);
	return needed && !mutant(NO_FIRST_SYNC);
}

static int
publish(struct image *img)
{
	const struct pending *p = &img->publishing;
	bool more = p->nbat || p->ncopies;
	int err = write_bitmaps(img, true);

	if (!err && mutant(BITS_WITH_DATA))
		err = write_bitmaps(img, false);
	if (!err)
		err = batmap_clear(img, p->bat, p->nbat);
	if (!err && (!more || needs_first_sync(img)))
		err = sync_file(img);
	if (err || !more)
		return err;
	img->publishing.named = true;
	err = write_bitmaps(img, false);
	if (!err)
		err = write_bat(img);
	return err || mutant(NO_LAST_SYNC) ? err : sync_file(img);
}

static void
settle(struct image *img)
{
	const struct pending *p = &img->publishing;

	for (size_t i = 0; i < p->ncopies; i++)
		if (atomic_load(&img->bat[p->copies[i].block]) ==
		    p->copies[i].value)
			bitmaps_published(img, p->copies[i].block,
					  p->bits + i * img->bitmap_bytes);
}

static int
take(struct image *img)
{
	int err;

	pthread_mutex_lock(&img->lock);
	/* Ahead of need, so that this flush makes them durable; if there is
	 * no space, the next allocation says so. */
	if (img->pending.nbat)
		(void)space_prepare_ahead(img);
	err = pending_take(img);
	if (!err)
		img->dirty = false;
	pthread_mutex_unlock(&img->lock);
	return err;
}

int
image_publish_held(struct image *img)
{
	int err;

	if (img->failed)
		return fail(VHD_E_IO,
			    "%s: an earlier flush failed, and what it was to "
			    "keep may be lost; close it and open it again",
			    img->io->name);
	if (!image_is_dirty(img))
		return 0;
	err = take(img);
	if (err)
		return err;
	if (mutant(PUNCH_EARLY))
		punch_regions(img, img->publishing.freed,
			      img->publishing.nfreed);
	err = publish(img);
	if (mutant(LATE_CLEAN))
		img->dirty = false;
	pthread_mutex_lock(&img->lock);
	if (!err) {
		settle(img);
		err = punch_later(img, &img->publishing);
		pending_done(img);
	} else {
		img->dirty = true;
		if (!img->failed && pending_put_back(img) != 0)
			img->failed = true;
	}
	pthread_mutex_unlock(&img->lock);
	return err;
}

int
image_publish(struct image *img)
{
	int err;

	if (!img->writable)
		return 0;
	pthread_mutex_lock(&img->flush_lock);
	err = image_publish_held(img);
	pthread_mutex_unlock(&img->flush_lock);
	return err;
}

int
image_flush(struct image *img)
{
	int err = image_publish(img);

	if (!err)
		image_punch(img);
	return err;
}

bool
image_is_dirty(struct image *img)
{
	bool dirty;

	pthread_mutex_lock(&img->lock);
	dirty = img->dirty || img->pending.nbat || img->pending.nbitmaps;
	pthread_mutex_unlock(&img->lock);
	return dirty;
}

/* Is every sector of this range stored, and all that says so on disk? */
static bool
settled(struct image *img, uint64_t offset, size_t len)
{
	const uint8_t wait = BLOCK_BAT_PENDING | BLOCK_BITMAP_PENDING;
	uint32_t block = image_block_of(img, offset);
	bool yes;

	if (image_block_of(img, offset + len - 1) != block ||
	    !image_has_block(img, block) || !bitmaps_full(img, block))
		return false;
	pthread_mutex_lock(&img->lock);
	yes = !(img->block_flags[block] & wait) && !img->publishing.nbat &&
	      !img->publishing.ncopies;
	yes = yes || mutant(DURABLE_SHORTCUT);
	pthread_mutex_unlock(&img->lock);
	return yes;
}

int
image_pwrite_durable(bool *ret, struct image *img, const void *buf, size_t len,
		     uint64_t offset)
{
	uint64_t at, run;
	int err;

	*ret = false;
	if (!img->writable || img->failed || !len ||
	    (image_is_sparse(img) && !settled(img, offset, len)))
		return 0;
	err = image_locate(&at, &run, img, offset);
	if (!err)
		err = img->io->ops->pwrite_durable(img->io, buf, len, at);
	*ret = !err;
	return err;
}
