/* SPDX-License-Identifier: BSD-3-Clause */
/* overlap.c - proof, before an image is written to, that every block has a
 * place of its own inside the file (D2).
 *
 * Block numbers are sorted by place; neighbours then tell whether any two
 * overlap, and a binary search whether metadata does.  Four bytes a block. */
#include <inttypes.h>

#include "image/image.h"
#include "image/places.h"

/* Blocks in file order. */
struct order {
	uint32_t *blocks;
	uint32_t n;
};

static int
order_make(struct order *ret, const struct image *img)
{
	AUTO_FREE uint32_t *blocks = NULL;
	uint32_t n = 0;

	for (uint32_t b = 0; b < img->blocks; b++)
		n += bat_get(img->bat, b) != BAT_UNUSED;
	blocks = malloc(n ? n * sizeof(*blocks) : 1);
	if (!blocks)
		return fail_nomem();
	n = 0;
	for (uint32_t b = 0; b < img->blocks; b++)
		if (bat_get(img->bat, b) != BAT_UNUSED)
			blocks[n++] = b;
	blocks_sort(blocks, n, img->bat);
	ret->blocks = TAKE(blocks);
	ret->n = n;
	return 0;
}

static uint64_t
start_of(const struct image *img, uint32_t block)
{
	return (uint64_t)bat_get(img->bat, block) << SECTOR_SHIFT;
}

static uint64_t
region_size(const struct image *img)
{
	return (uint64_t)img->bitmap_bytes + img->block_size;
}

/* Bytes of a block that must be there: the last one may be cut off behind
 * the end of the disk (format 11.1). */
static uint64_t
bytes_needed(const struct image *img, uint32_t block)
{
	uint64_t size = atomic_load(&img->size);
	uint64_t begin = (uint64_t)block << img->block_shift;
	uint64_t left = round_up(size - begin, SECTOR_SIZE);

	return img->bitmap_bytes + min_u64(left, img->block_size);
}

static int
check_apart(const struct image *img, const struct order *order)
{
	for (uint32_t i = 1; i < order->n; i++) {
		uint32_t a = order->blocks[i - 1], b = order->blocks[i];

		if (start_of(img, b) - start_of(img, a) < region_size(img))
			return fail(VHD_E_CORRUPT,
				    "%s: blocks %u and %u overlap at %#" PRIx64
				    "; try: vhdtool check",
				    img->io->name, a, b, start_of(img, b));
	}
	return 0;
}

/* The first block in file order that ends behind offset, or n. */
static uint32_t
first_behind(const struct image *img, const struct order *order,
	     uint64_t offset)
{
	uint32_t low = 0, high = order->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		uint64_t start = start_of(img, order->blocks[mid]);

		if (start + region_size(img) > offset)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static int
check_metadata(const struct image *img, const struct order *order)
{
	struct place meta[MAX_METADATA];
	size_t n = places_of_metadata(meta, img->footer.data_offset, &img->hdr,
				      img->batmap_offset, img->batmap_bytes);

	for (size_t i = 0; i < n; i++) {
		uint32_t at = first_behind(img, order, meta[i].start);

		if (at < order->n &&
		    start_of(img, order->blocks[at]) < meta[i].end)
			return fail(VHD_E_CORRUPT,
				    "%s: block %u at %#" PRIx64
				    " overlaps %s at "
				    "%#" PRIx64 "; try: vhdtool check",
				    img->io->name, order->blocks[at],
				    start_of(img, order->blocks[at]),
				    meta[i].what, meta[i].start);
	}
	return 0;
}

/* Where everything must end: at the end footer, or the end of the file. */
static uint64_t
block_limit(const struct image *img)
{
	return img->defects & DEFECT_END_MISSING ? img->file_size
						 : image_end_footer(img);
}

static bool
is_locator(const struct place *place)
{
	return place->what == what_locator;
}

/* Structures must be apart too, or writing one destroys another; and inside
 * the file, or the file grows over them.  Locators are never written in
 * place, so they may share what they say. */
static int
check_structures(const struct image *img)
{
	struct place meta[MAX_METADATA];
	size_t n = places_of_metadata(meta, img->footer.data_offset, &img->hdr,
				      img->batmap_offset, img->batmap_bytes);
	uint64_t limit = block_limit(img);

	for (size_t i = 0; i < n; i++) {
		if (meta[i].end > limit)
			return fail(VHD_E_CORRUPT,
				    "%s: %s at %#" PRIx64 " ends past the end "
				    "of the data, %#" PRIx64
				    "; try: vhdtool check",
				    img->io->name, meta[i].what, meta[i].start,
				    limit);
		for (size_t j = 0; j < i; j++)
			if (places_meet(&meta[i], &meta[j]) &&
			    !(is_locator(&meta[i]) && is_locator(&meta[j])))
				return fail(VHD_E_CORRUPT,
					    "%s: %s at %#" PRIx64
					    " overlaps %s at %#" PRIx64
					    "; try: vhdtool check",
					    img->io->name, meta[i].what,
					    meta[i].start, meta[j].what,
					    meta[j].start);
	}
	return 0;
}

static int
check_end(const struct image *img, const struct order *order)
{
	uint64_t limit = block_limit(img);

	for (uint32_t i = order->n; i > 0; i--) {
		uint32_t block = order->blocks[i - 1];
		uint64_t start = start_of(img, block);

		if (!range_ok(start, bytes_needed(img, block), limit))
			return fail(VHD_E_CORRUPT,
				    "%s: block %u at %#" PRIx64 " ends past "
				    "the end of the data, %#" PRIx64
				    "; try: vhdtool check",
				    img->io->name, block, start, limit);
		if (start + region_size(img) <= limit)
			break;
	}
	return 0;
}

int
image_check_overlap(const struct image *img)
{
	struct order order = {NULL, 0};
	int err;

	if (!image_is_sparse(img))
		return 0;
	err = check_structures(img);
	if (!err)
		err = order_make(&order, img);
	if (err)
		return err;
	err = check_apart(img, &order);
	if (!err)
		err = check_metadata(img, &order);
	if (!err)
		err = check_end(img, &order);
	free(order.blocks);
	return err;
}
