/* SPDX-License-Identifier: BSD-3-Clause */
/* push_measure.c - how much a push would move. */
#include <stdlib.h>

#include "base/bits.h"
#include "job/push.h"

/* Sectors of one block of layer i that are not present above it. */
static uint64_t
own_bytes(struct image *img, uint32_t block, uint8_t *map)
{
	uint32_t spb = img->block_size >> SECTOR_SHIFT;
	enum presence presence;

	if (image_presence(&presence, map, img, (uint64_t)block * spb, spb))
		return img->block_size;
	return (uint64_t)bits_count(map, 0, spb) << SECTOR_SHIFT;
}

/* Blocks of the parent that a block of the child would allocate; seen keeps
 * those counted before. */
static void
count_new(struct push_size *size, const struct image *to, uint8_t *seen,
	  uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;

	for (offset &= ~(uint64_t)(to->block_size - 1); offset < end;
	     offset += to->block_size) {
		uint32_t b = image_block_of(to, offset);

		if (b < to->blocks && image_has_block(to, b))
			continue;
		if (bit_get(seen, b))
			continue;
		bits_set(seen, b, 1);
		size->new_blocks++;
	}
}

static void
count_range(struct push_size *size, const struct image *to, uint8_t *seen,
	    const struct image *img, uint32_t block)
{
	uint64_t at = (uint64_t)block << img->block_shift;

	count_new(size, to, seen, at, min_u64(img->block_size, img->size - at));
}

int
push_measure(struct push_size *ret, struct chain *c, uint32_t first,
	     uint32_t last)
{
	const struct image *to = c->layers[last].img;
	uint64_t most = to->size;
	AUTO_FREE uint8_t *seen = NULL;
	struct push_size size = {
		.added = atomic_load(&c->layers[first].img->bitmaps.added)};

	for (uint32_t i = first; i < last; i++)
		most = max_u64(most, c->layers[i].img->size);
	if (image_is_sparse(to)) {
		seen = calloc((most >> to->block_shift) / 8 + 2, 1);
		if (!seen)
			return fail_nomem();
	}
	for (uint32_t i = first; i < last; i++) {
		struct image *img = c->layers[i].img;
		AUTO_FREE uint8_t *map =
			malloc(img->block_size / SECTOR_SIZE / 8 + 1);

		if (!map)
			return fail_nomem();
		for (uint32_t b = 0; b < img->blocks; b++) {
			if (!image_has_block(img, b))
				continue;
			size.bytes += own_bytes(img, b, map);
			if (seen)
				count_range(&size, to, seen, img, b);
		}
	}
	*ret = size;
	return 0;
}
