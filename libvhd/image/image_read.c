/* SPDX-License-Identifier: BSD-3-Clause */
/* image_read.c - which sectors are here, and their data.
 *
 * Nothing here changes an image.  Every access is judged by itself, so that
 * one bad entry costs the range of its block and no other. */
#include <string.h>

#include "base/bits.h"
#include "image/image.h"

static int
bad_entry(const struct image *img, uint32_t block, uint64_t at,
	  const char *what)
{
	return fail(VHD_E_CORRUPT,
		    "%s: block %u at byte %llu %s; try: vhdtool check",
		    img->io->name, block, (unsigned long long)at, what);
}

/* Where the region of a block starts; NO_OFFSET when it has none. */
static int
region_of(uint64_t *ret, const struct image *img, uint32_t block)
{
	uint32_t value =
		atomic_load_explicit(&img->bat[block], memory_order_acquire);
	uint64_t at = (uint64_t)value << SECTOR_SHIFT;
	uint64_t bytes = image_region_bytes(img);

	if (value == BAT_UNUSED) {
		*ret = NO_OFFSET;
		return 0;
	}
	if (value == 0 ||
	    ranges_overlap(at, bytes, img->header_at, DYNHDR_SIZE) ||
	    ranges_overlap(at, bytes, img->table_at, (uint64_t)img->blocks * 4))
		return bad_entry(img, block, at, "lies on metadata");
	*ret = at;
	return 0;
}

int
image_locate(uint64_t *ret_file_offset, uint64_t *ret_run, struct image *img,
	     uint64_t offset)
{
	uint64_t region = NO_OFFSET, within;
	int err;

	if (!image_is_sparse(img)) {
		bool inside = offset < img->size;

		*ret_file_offset = inside ? offset : NO_OFFSET;
		*ret_run = (inside ? img->size : UINT64_MAX) - offset;
		return 0;
	}
	err = region_of(&region, img, image_block_of(img, offset));
	if (err)
		return err;
	within = offset & (img->block_size - 1);
	*ret_file_offset = region == NO_OFFSET
				   ? NO_OFFSET
				   : region + img->bitmap_bytes + within;
	*ret_run = img->block_size - within;
	return 0;
}

bool
image_has_block(const struct image *img, uint32_t block)
{
	return atomic_load_explicit(&img->bat[block], memory_order_acquire) !=
	       BAT_UNUSED;
}

uint32_t
image_count_blocks(const struct image *img)
{
	uint32_t n = 0;

	for (uint32_t b = 0; image_is_sparse(img) && b < img->blocks; b++)
		n += image_has_block(img, b);
	return n;
}

/* How many of len bytes lie inside the disk?  A size need not be a multiple of
 * a sector, and what follows in the last one is zero. */
static size_t
clip(uint8_t *to, const struct image *img, size_t len, uint64_t offset)
{
	uint64_t size = img->size;
	size_t n = (size_t)min_u64(len, size > offset ? size - offset : 0);

	memset(to + n, 0, len - n);
	return n;
}

int
image_pread(struct image *img, void *buf, size_t len, uint64_t offset)
{
	uint8_t *to = buf;

	len = clip(to, img, len, offset);
	while (len) {
		uint64_t at, run;
		size_t n;
		int err = image_locate(&at, &run, img, offset);

		if (err)
			return err;
		n = (size_t)min_u64(len, run);
		if (at == NO_OFFSET) {
			memset(to, 0, n);
		} else {
			if (!range_ok(at, n, img->file_size))
				return bad_entry(
					img, image_block_of(img, offset), at,
					"lies past the end of "
					"the file");
			err = img->io->ops->pread(img->io, to, n, at);
			if (err)
				return err;
		}
		to += n;
		offset += n;
		len -= n;
	}
	return 0;
}

/* The part of [sector, sector + count) that lies in one block. */
static int
block_presence(uint8_t *map, uint32_t at, struct image *img, uint64_t sector,
	       uint32_t count)
{
	uint32_t block = image_block_of(img, sector << SECTOR_SHIFT);
	uint32_t first =
		(uint32_t)(sector & ((img->block_size - 1) >> SECTOR_SHIFT));

	if (!image_has_block(img, block)) {
		bits_clear(map, at, count);
		return 0;
	}
	return bitmaps_get(map, at, img, block, first, count);
}

int
image_presence(enum presence *ret, uint8_t *map, struct image *img,
	       uint64_t sector, uint32_t count)
{
	uint64_t end = ceil_div(img->size, SECTOR_SIZE);
	uint32_t inside = 0, spb = img->block_size >> SECTOR_SHIFT;

	if (sector < end)
		inside = (uint32_t)min_u64(count, end - sector);
	if (!image_is_sparse(img))
		bits_set(map, 0, inside);
	for (uint32_t i = 0, n; image_is_sparse(img) && i < inside; i += n) {
		int err;

		n = spb - (uint32_t)((sector + i) & (spb - 1));
		n = (uint32_t)min_u64(n, inside - i);
		err = block_presence(map, i, img, sector + i, n);
		if (err)
			return err;
	}
	bits_clear(map, inside, count - inside);
	if (bits_none_set(map, 0, count))
		*ret = PRESENT_NONE;
	else
		*ret = bits_all_set(map, 0, count) ? PRESENT_ALL : PRESENT_SOME;
	return 0;
}
