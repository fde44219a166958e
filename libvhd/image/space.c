/* SPDX-License-Identifier: BSD-3-Clause */
/* space.c - free regions: found between blocks, given back by dropped ones,
 * or made by growing the file.
 *
 * The file grows behind its end footer, which stays where it is as dead
 * space, so that an end footer is never overwritten by data and its order
 * with the new one does not matter (docs/durability.md).  A region that a
 * durable entry may still name never gets here (D7). */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "image/mutant.h"
#include "image/space.h"

#define ALIGNMENT   4096u
#define BATCH_FIRST 8u
#define BATCH_MOST  64u
#define SCAN_MOST   1024u /* regions found in one look at the gaps */

void
space_free(struct space *space)
{
	free(space->free);
	space->free = NULL;
}

/* Where the bitmap of a region starts, at the earliest from `from` on, so that
 * its data is aligned (format 12.3). */
static uint64_t
region_start(const struct image *img, uint64_t from)
{
	return round_up(from + img->bitmap_bytes, ALIGNMENT) -
	       img->bitmap_bytes;
}

static bool
addressable(uint64_t offset)
{
	return offset >> SECTOR_SHIFT < BAT_UNUSED;
}

int
space_give(struct image *img, struct region region)
{
	struct space *s = &img->space;
	size_t at = s->nfree;

	if (s->nfree == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct region *more = realloc(s->free, room * sizeof(*more));

		if (!more)
			return fail_nomem();
		s->free = more;
		s->room = room;
	}
	while (at && s->free[at - 1].offset > region.offset)
		at--;
	memmove(s->free + at + 1, s->free + at,
		(s->nfree - at) * sizeof(*s->free));
	s->free[at] = region;
	s->nfree++;
	return 0;
}

static int
compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static size_t
add_regions(uint32_t *at, const struct region *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint32_t)(list[i].offset >> SECTOR_SHIFT);
	return n;
}

/* Every region that is in use, that an entry on disk may still name (D7), or
 * that waits to be punched; sorted; sectors. */
static int
sorted_blocks(uint32_t **ret, size_t *ret_n, const struct image *img)
{
	AUTO_FREE uint32_t *at = NULL;
	size_t n = 0;

	at = malloc(((size_t)img->allocated + img->pending.nfreed +
		     img->publishing.nfreed + img->nloose + 1) *
		    sizeof(*at));
	if (!at)
		return fail_nomem();
	for (uint32_t b = 0; b < img->blocks && n < img->allocated; b++) {
		uint32_t value = atomic_load(&img->bat[b]);

		if (value != BAT_UNUSED)
			at[n++] = value;
	}
	if (!mutant(GAPS_MISS_FREED))
		n += add_regions(at + n, img->pending.freed,
				 img->pending.nfreed);
	n += add_regions(at + n, img->publishing.freed, img->publishing.nfreed);
	n += add_regions(at + n, img->loose, img->nloose);
	qsort(at, n, sizeof(*at), compare_u32);
	*ret = TAKE(at);
	*ret_n = n;
	return 0;
}

/* Regions in [from, to), as many as one look takes. */
static int
take_gap(struct image *img, uint64_t from, uint64_t to, size_t *found)
{
	struct space *s = &img->space;
	uint64_t size = image_region_bytes(img);

	for (;;) {
		uint64_t start = region_start(img, from);
		struct region region = {start, REGION_DIRTY};
		int err;

		if (mutant(GAPS_ARE_CLEAN))
			region.prepared = 0;
		if (*found == SCAN_MOST || start + size > to ||
		    !addressable(start))
			return 0;
		err = space_give(img, region);
		if (err)
			return err;
		(*found)++;
		from = start + size;
		s->scanned = from;
	}
}

/* Look for gaps between blocks, and between the last block and the end
 * footer, from where the last look ended. */
static int
scan_gaps(struct image *img)
{
	struct space *s = &img->space;
	uint64_t end = img->file_size - FOOTER_SIZE, gap = s->scanned;
	AUTO_FREE uint32_t *at = NULL;
	size_t n = 0, found = 0;
	int err = sorted_blocks(&at, &n, img);

	if (err)
		return err;
	gap = max_u64(gap, image_end_of_metadata(img));
	for (size_t i = 0; i <= n && found < SCAN_MOST; i++) {
		uint64_t to = i < n ? (uint64_t)at[i] << SECTOR_SHIFT : end;

		if (to > gap) {
			err = take_gap(img, gap, to, &found);
			if (err)
				return err;
		}
		if (i < n)
			gap = max_u64(gap, to + image_region_bytes(img));
	}
	if (found < SCAN_MOST)
		s->scanned = UINT64_MAX;
	return 0;
}

/* Zero a region and give it a full bitmap, as a block of a dynamic image
 * starts (D6); fresh: it lies where the file never had bytes. */
static int
prepare(struct image *img, struct region *region, bool fresh)
{
	AUTO_FREE uint8_t *ones = malloc(img->bitmap_bytes);
	uint32_t used = img->block_size >> SECTOR_SHIFT;
	int err = 0;

	if (!ones)
		return fail_nomem();
	memset(ones, 0, img->bitmap_bytes);
	memset(ones, 0xff, used / 8);
	if (used % 8)
		ones[used / 8] = (uint8_t)(0xff00 >> used % 8);
	if (!fresh && !mutant(NO_ZEROING))
		err = io_write_zeros(img->io,
				     region->offset + img->bitmap_bytes,
				     img->block_size);
	if (!err)
		err = img->io->ops->pwrite(img->io, ones, img->bitmap_bytes,
					   region->offset);
	if (err)
		return err;
	region->prepared = img->sync_started;
	img->dirty = true;
	return 0;
}

/* How many regions an extent may have: no more than there are blocks to
 * come, nor than an entry can address. */
static uint32_t
extent_regions(struct image *img, uint64_t start)
{
	uint64_t stride = round_up(image_region_bytes(img), ALIGNMENT);
	uint64_t want = img->space.batch ? img->space.batch : BATCH_FIRST;
	uint64_t limit = (uint64_t)BAT_UNUSED << SECTOR_SHIFT;

	want = min_u64(want, max_u64(img->blocks - img->allocated, 1));
	if (!addressable(start))
		return 0;
	return (uint32_t)min_u64(want, (limit - start - 1) / stride + 1);
}

static int
put_end_footer(struct image *img, uint64_t at)
{
	struct disk_footer footer;
	int err;

	footer_encode(&footer, &img->footer);
	err = img->io->ops->pwrite(img->io, &footer, FOOTER_SIZE, at);
	if (err)
		return err;
	img->file_size = at + FOOTER_SIZE;
	img->footer_offset = at;
	img->untidy = true;
	return 0;
}

int
space_reach(struct image *img, uint64_t end)
{
	uint64_t at = round_up(end + FOOTER_SIZE, ALIGNMENT) - FOOTER_SIZE;
	int err;

	pthread_mutex_lock(&img->footer_lock);
	err = put_end_footer(img, at);
	pthread_mutex_unlock(&img->footer_lock);
	return err;
}

/* Grow the file by an extent. */
static int
extend(struct image *img)
{
	uint64_t from = round_up(img->file_size, SECTOR_SIZE), start, end;
	uint32_t n;
	int err;

	from = max_u64(from, img->space.floor);
	start = region_start(img, from);
	n = extent_regions(img, start);
	if (!n || img->io->block_device)
		return fail(VHD_E_NOSPACE,
			    "%s: no room for another block: a table entry "
			    "cannot point past 2 TiB, nor past the end of a "
			    "device",
			    img->io->name);
	end = start;
	for (uint32_t i = 0; i < n; i++)
		end = region_start(img, end) + image_region_bytes(img);
	err = space_reach(img, end);
	if (err)
		return err;
	img->space.batch = (uint32_t)min_u64(n * 2, BATCH_MOST);
	for (uint32_t i = 0; i < n && !err; i++) {
		struct region r = {region_start(img, start), REGION_DIRTY};

		if (img->type == VHD_TYPE_DYNAMIC)
			err = prepare(img, &r, true);
		if (!err)
			err = space_give(img, r);
		start = r.offset + image_region_bytes(img);
	}
	return err;
}

/* The free region to use: for a dynamic image one that is ready, if any. */
static size_t
choose(const struct image *img, uint64_t below)
{
	const struct space *s = &img->space;
	size_t first = s->nfree;

	for (size_t i = 0; i < s->nfree && s->free[i].offset < below; i++) {
		if (s->free[i].offset < s->floor)
			continue;
		if (img->type != VHD_TYPE_DYNAMIC || below != UINT64_MAX ||
		    s->free[i].prepared != REGION_DIRTY)
			return i;
		if (first == s->nfree)
			first = i;
	}
	return first;
}

/* For a new block. */
static int
ready(struct image *img, struct region *region)
{
	return img->type == VHD_TYPE_DYNAMIC || img->fills_new
		       ? prepare(img, region, false)
		       : 0;
}

int
space_take(struct region *ret, struct image *img, uint64_t below)
{
	struct space *s = &img->space;
	size_t i = choose(img, below);
	int err;

	while (i == s->nfree && s->scanned != UINT64_MAX) {
		err = scan_gaps(img);
		if (err)
			return err;
		i = choose(img, below);
	}
	if (i == s->nfree && below != UINT64_MAX)
		return fail(VHD_E_NOTFOUND, "%s: no free region below %llu",
			    img->io->name, (unsigned long long)below);
	if (i == s->nfree) {
		err = extend(img);
		if (err)
			return err;
		i = choose(img, below);
	}
	if (below == UINT64_MAX && s->free[i].prepared == REGION_DIRTY) {
		err = ready(img, &s->free[i]);
		if (err)
			return err;
	}
	*ret = s->free[i];
	s->nfree--;
	memmove(s->free + i, s->free + i + 1,
		(s->nfree - i) * sizeof(*s->free));
	return 0;
}

size_t
space_prepared(const struct image *img)
{
	size_t n = 0;

	for (size_t i = 0; i < img->space.nfree; i++)
		n += img->space.free[i].prepared != REGION_DIRTY;
	return n;
}

int
space_prepare_ahead(struct image *img)
{
	uint32_t batch = img->space.batch;

	if (img->type != VHD_TYPE_DYNAMIC || !batch ||
	    img->allocated == img->blocks || img->io->block_device ||
	    space_prepared(img) * 2 >= batch)
		return 0;
	return extend(img);
}

void
space_cut(struct image *img, uint64_t end)
{
	struct space *s = &img->space;

	while (s->nfree &&
	       s->free[s->nfree - 1].offset + image_region_bytes(img) > end)
		s->nfree--;
	s->scanned = min_u64(s->scanned, end);
	s->batch = 0;
}

/* ---- How long will the file be? ---- */

/* Regions in [from, to), as many as are wanted; returns the end of the last,
 * or 0. */
static uint64_t
fill_gap(const struct image *img, uint64_t from, uint64_t to, uint64_t *more)
{
	uint64_t last = 0;

	while (*more) {
		uint64_t end =
			region_start(img, from) + image_region_bytes(img);

		if (end > to)
			break;
		from = last = end;
		(*more)--;
	}
	return last;
}

/* As take_gap does, and extend. */
static uint64_t
end_after(const struct image *img, const uint32_t *at, size_t n, uint64_t more)
{
	uint64_t gap = image_end_of_metadata(img), last = gap;
	uint64_t from = img->file_size, taken = img->allocated + more;
	uint64_t batch = img->space.batch ? img->space.batch : BATCH_FIRST;

	for (size_t i = 0; i <= n; i++) {
		uint64_t to = i < n ? (uint64_t)at[i] << SECTOR_SHIFT
				    : img->file_size - FOOTER_SIZE;

		last = max_u64(last, fill_gap(img, gap, to, &more));
		if (i < n)
			gap = max_u64(gap, to + image_region_bytes(img));
		last = max_u64(last, gap);
	}
	while (more) {
		uint64_t start = max_u64(from, img->space.floor), end = start;
		uint64_t left = img->blocks - (taken - more);
		uint64_t k = min_u64(batch, max_u64(left, 1));

		for (uint64_t i = 0; i < k; i++)
			end = region_start(img, end) + image_region_bytes(img);
		last = max_u64(last, fill_gap(img, start, end, &more));
		from = round_up(end + FOOTER_SIZE, ALIGNMENT);
		batch = min_u64(k * 2, BATCH_MOST);
	}
	return last;
}

int
image_length_after(uint64_t *ret, struct image *img, uint64_t size,
		   uint64_t more)
{
	AUTO_FREE uint32_t *at = NULL;
	size_t n = 0;
	int err = 0;

	if (!image_is_sparse(img) || img->io->block_device ||
	    size > img->size || more > img->blocks) {
		*ret = image_length_for(img->type, size, img->block_size,
					img->allocated + more);
		return 0;
	}
	pthread_mutex_lock(&img->lock);
	err = sorted_blocks(&at, &n, img);
	if (!err)
		*ret = round_up(end_after(img, at, n, more) + FOOTER_SIZE,
				ALIGNMENT);
	pthread_mutex_unlock(&img->lock);
	return err;
}
