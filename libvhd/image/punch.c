/* SPDX-License-Identifier: BSD-3-Clause */
/* punch.c - give freed regions back (punch.h), and cut the end of the file. */
#include <stdlib.h>
#include <string.h>

#include "image/mutant.h"
#include "image/punch.h"

#define PADDING (64u << 10) /* old end footers, and what aligns */

static int
by_offset(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* May what lies between two freed regions be punched with them?  It is too
 * short for a block; what else there is lies before, or is the end footer. */
static bool
only_padding(struct image *img, uint64_t end, uint64_t next)
{
	const uint64_t most = min_u64(PADDING, image_region_bytes(img));
	uint64_t footer, metadata;

	if (next < end || next - end >= most)
		return false;
	pthread_mutex_lock(&img->lock);
	footer = img->footer_offset;
	metadata = max_u64(image_end_of_metadata(img), img->space.floor);
	pthread_mutex_unlock(&img->lock);
	return end >= metadata &&
	       !ranges_overlap(footer, FOOTER_SIZE, end, next - end);
}

/* Each call can wait for the journal of the file system, so neighbours go in
 * one. */
void
punch_regions(struct image *img, struct region *list, size_t n)
{
	const uint64_t bytes = image_region_bytes(img);
	const uint64_t most = image_end_footer(img);

	if (!n || img->vanishing)
		return;
	qsort(list, n, sizeof(*list), by_offset);
	for (size_t i = 0; i < n;) {
		uint64_t start = list[i].offset, end = start + bytes;

		while (++i < n && only_padding(img, end, list[i].offset))
			end = list[i].offset + bytes;
		end = min_u64(end, most);
		if (img->io->ops->punch(img->io, start, end - start))
			return;
	}
}

int
punch_later(struct image *img, const struct pending *published)
{
	size_t room = img->nloose + published->nfreed;
	struct region *more;

	if (room > img->loose_room) {
		more = realloc(img->loose, room * sizeof(*more));
		if (!more)
			return fail_nomem();
		img->loose = more;
		img->loose_room = room;
	}
	if (published->nfreed)
		memcpy(img->loose + img->nloose, published->freed,
		       published->nfreed * sizeof(*img->loose));
	img->nloose = room;
	return 0;
}

/* The first n are nobody's any more; what lies where no gap was looked for yet
 * will be found.  Out of memory they stay unused. [lock] */
static void
give(struct image *img, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (img->loose[i].offset < img->space.scanned &&
		    space_give(img, img->loose[i]) != 0)
			break;
	img->nloose -= n;
	if (img->nloose)
		memmove(img->loose, img->loose + n,
			img->nloose * sizeof(*img->loose));
}

/* They are listed as loose until they are punched, so that nobody takes their
 * place for a gap. */
static void
punch_all(struct image *img)
{
	AUTO_FREE struct region *list = NULL;
	size_t n;

	pthread_mutex_lock(&img->lock);
	n = img->nloose;
	if (n)
		list = malloc(n * sizeof(*list));
	if (list)
		memcpy(list, img->loose, n * sizeof(*list));
	pthread_mutex_unlock(&img->lock);
	if (list)
		punch_regions(img, list, n);
	pthread_mutex_lock(&img->lock);
	give(img, n);
	pthread_mutex_unlock(&img->lock);
}

void
image_punch(struct image *img)
{
	pthread_mutex_lock(&img->punch_lock);
	punch_all(img);
	pthread_mutex_unlock(&img->punch_lock);
}

/* ---- The end of the file ---- */

/* Where the end footer belongs: behind the last structure, in the last sector
 * of a page, or packed where its creator packs (format 12.1). */
static uint64_t
footer_place(const struct image *img)
{
	uint64_t end = round_up(image_end_of_data(img), SECTOR_SIZE);

	if (img->io->block_device)
		return round_down(img->file_size, SECTOR_SIZE) - FOOTER_SIZE;
	return round_up(end + FOOTER_SIZE, 4096) - FOOTER_SIZE;
}

static int
sync_for_tidy(struct image *img)
{
	int err = img->io->ops->flush(img->io);

	if (err)
		img->failed = true;
	return err;
}

/* What a tidying is about to do; at is NO_OFFSET when there is nothing. */
struct tidying {
	uint64_t at;  /* of the end footer to be */
	uint64_t was; /* the size of the file */
};

/* Space that an entry on disk still names, or that is still to be punched,
 * must stay (D7). [lock] */
static bool
has_freed(const struct image *img)
{
	return img->pending.nfreed || img->nloose;
}

/* [lock] */
static int
put_footer(struct tidying *ret, struct image *img)
{
	struct disk_footer footer;
	uint64_t at = footer_place(img);

	*ret = (struct tidying){NO_OFFSET, img->file_size};
	if (!img->untidy || has_freed(img))
		return 0;
	if (at + FOOTER_SIZE == img->file_size && img->footer_offset == at) {
		img->untidy = false;
		return 0;
	}
	space_cut(img, at); /* no region is as it was prepared */
	ret->at = at;
	footer_encode(&footer, &img->footer);
	return img->io->ops->pwrite(img->io, &footer, FOOTER_SIZE, at);
}

/* Unless somebody has taken space behind it meanwhile, though it be free
 * again. [lock] */
static int
cut_file(bool *ret, struct image *img, const struct tidying *t)
{
	uint64_t end = t->at + FOOTER_SIZE;
	int err = 0;

	*ret = false;
	if (img->file_size != t->was || footer_place(img) > t->at ||
	    has_freed(img))
		return 0;
	if (end < img->file_size && !img->io->block_device) {
		err = img->io->ops->truncate(img->io, end);
		*ret = !err;
	}
	if (err)
		return err;
	space_cut(img, t->at); /* found meanwhile */
	img->file_size = end;
	img->footer_offset = t->at;
	img->untidy = false;
	return 0;
}

/* [flush_lock] */
static int
tidy(struct image *img)
{
	struct tidying t;
	bool cut = false;
	int err;

	pthread_mutex_lock(&img->lock);
	err = put_footer(&t, img);
	pthread_mutex_unlock(&img->lock);
	if (!err && t.at != NO_OFFSET)
		err = sync_for_tidy(img);
	if (err || t.at == NO_OFFSET)
		return err;
	pthread_mutex_lock(&img->lock);
	err = cut_file(&cut, img, &t);
	pthread_mutex_unlock(&img->lock);
	return err || !cut ? err : sync_for_tidy(img);
}

int
image_tidy(struct image *img)
{
	int err = image_flush(img);

	if (err || !img->untidy || !image_is_sparse(img) || img->vanishing)
		return err;
	pthread_mutex_lock(&img->flush_lock);
	err = image_publish_held(img);
	if (!err)
		err = tidy(img);
	pthread_mutex_unlock(&img->flush_lock);
	return err;
}
