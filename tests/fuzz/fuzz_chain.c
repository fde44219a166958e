/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_chain.c - three files, the first standing on the others if it can.
 *
 * However the chain finds its answers, they are those of the plain rule: from
 * the leaf down, the first image that has the sector (format 13.2). */
#include <string.h>

#include "base/bits.h"
#include "fuzz_disk.h"

const unsigned fuzz_parts = 3, fuzz_images = 3;

static const char *const paths[] = {"/leaf.vhd", "/middle.vhd", "/root.vhd"};

/* One sector by the rule; false when an image cannot tell. */
static bool
plain_read(uint8_t ret[static SECTOR_SIZE], const struct chain *c,
	   uint64_t sector)
{
	memset(ret, 0, SECTOR_SIZE);
	for (uint32_t i = 0; i < c->depth; i++) {
		struct image *img = c->layers[i].img;
		enum presence presence;
		uint8_t map[1];

		if (sector >= img->size / SECTOR_SIZE)
			return sector * SECTOR_SIZE >= img->size;
		if (image_presence(&presence, map, img, sector, 1))
			return false;
		if (presence != PRESENT_NONE)
			return image_pread(img, ret, SECTOR_SIZE,
					   sector * SECTOR_SIZE) == 0;
		if (img->type != VHD_TYPE_DIFFERENCING)
			return true;
	}
	return true;
}

static void
check_sectors(struct chain *c, struct window w)
{
	for (uint64_t at = w.offset; at < w.offset + w.length;
	     at += SECTOR_SIZE) {
		uint8_t want[SECTOR_SIZE], got[SECTOR_SIZE];

		if (!plain_read(want, c, at / SECTOR_SIZE))
			continue;
		if (chain_pread(c, got, SECTOR_SIZE, at) == 0)
			CHECK(memcmp(want, got, SECTOR_SIZE) == 0);
	}
}

/* Long reads see what short ones saw. */
static void
check_whole(struct chain *c, struct window w)
{
	static uint8_t all[LOOK_BYTES], piece[LOOK_BYTES];
	const size_t step = 3 * SECTOR_SIZE + 100;

	if (chain_pread(c, all, w.length, w.offset) != 0)
		return;
	for (size_t at = 0; at < w.length; at += step) {
		size_t n = (size_t)min_u64(step, w.length - at);

		CHECK(chain_pread(c, piece, n, w.offset + at) == 0);
		CHECK(memcmp(all + at, piece, n) == 0);
	}
}

struct walk {
	uint64_t next;
	uint32_t depth;
};

static int
check_extent(const struct vhd_extent *extent, void *user)
{
	struct walk *walk = user;

	CHECK(extent->length > 0);
	CHECK(extent->offset == walk->next);
	CHECK(!(extent->flags & VHD_EXTENT_DATA) ||
	      extent->layer < walk->depth);
	walk->next += extent->length;
	return 0;
}

static void
check_extents(struct chain *c, struct window w)
{
	struct walk walk = {w.offset, c->depth};
	int err = chain_extents(c, w.offset, w.length, check_extent, &walk);

	CHECK(err || walk.next == w.offset + w.length);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fs *fs = disk_fs();
	struct part parts[MAX_PARTS];
	struct chain *c;

	fuzz_split(parts, fuzz_parts, data, size);
	for (unsigned i = 0; i < fuzz_parts; i++)
		disk_put(fs, paths[i], parts[i]);
	c = disk_open(fs, paths[0], 0);
	if (c) {
		CHECK(c->depth <= fuzz_parts);
		for (int at_end = 0; at_end < 2; at_end++) {
			struct window w = disk_window(c->size, at_end);

			check_sectors(c, w);
			check_whole(c, w);
			check_extents(c, w);
		}
		CHECK(chain_close(c) == 0);
	}
	mem_fs_free(fs);
	return 0;
}
