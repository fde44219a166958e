/* SPDX-License-Identifier: BSD-3-Clause */
/* below.c - what the layers from some layer on give, without those above.
 *
 * Jobs ask this; guests are served through the map. */
#include <string.h>

#include "base/bits.h"
#include "chain/chain.h"

/* Read the sectors that are both open and here, and close them. */
static int
read_present(struct image *img, uint8_t *to, uint8_t *open, const uint8_t *map,
	     uint64_t sector, uint32_t n)
{
	int err = 0;

	for (uint32_t i = 0, run; i < n && !err; i += run) {
		bool want = bit_get(open, i) && bit_get(map, i);
		uint64_t at = (sector + i) << SECTOR_SHIFT;

		run = bits_run(open, i, n - i);
		run = (uint32_t)min_u64(run, bits_run(map, i, n - i));
		if (!want)
			continue;
		bits_clear(open, i, run);
		err = image_pread(img, to + ((uint64_t)i << SECTOR_SHIFT),
				  (size_t)min_u64((uint64_t)run << SECTOR_SHIFT,
						  img->size - at),
				  at);
	}
	return err;
}

/* Past the end of a layer nothing below it shows. */
static void
end_at(uint8_t *open, const struct image *img, uint64_t sector, uint32_t n)
{
	uint64_t end = ceil_div(img->size, SECTOR_SIZE);
	uint32_t inside = 0;

	if (end > sector)
		inside = (uint32_t)min_u64(n, end - sector);
	bits_clear(open, inside, n - inside);
}

static int
read_piece(struct chain *c, uint32_t layer, uint8_t *to, uint64_t sector,
	   uint32_t n)
{
	uint8_t open[WINDOW_SECTORS / 8] = {0}, map[WINDOW_SECTORS / 8];
	int err = 0;

	memset(to, 0, (size_t)n << SECTOR_SHIFT);
	bits_set(open, 0, n);
	for (uint32_t i = layer; i < c->depth && !err; i++) {
		struct image *img = c->layers[i].img;
		enum presence presence;

		err = image_presence(&presence, map, img, sector, n);
		if (!err && presence != PRESENT_NONE)
			err = read_present(img, to, open, map, sector, n);
		end_at(open, img, sector, n);
		if (img->type != VHD_TYPE_DIFFERENCING ||
		    bits_none_set(open, 0, n))
			break;
	}
	return err;
}

int
chain_read_below(struct chain *c, uint32_t layer, void *buf, size_t len,
		 uint64_t offset)
{
	uint8_t *to = buf;
	int err = 0;

	while (len && !err) {
		size_t n = (size_t)min_u64(len, WINDOW_SIZE);

		err = read_piece(c, layer, to, offset >> SECTOR_SHIFT,
				 (uint32_t)(n >> SECTOR_SHIFT));
		to += n;
		offset += n;
		len -= n;
	}
	return err;
}
