/* SPDX-License-Identifier: BSD-3-Clause */
/* bitmaps.c - a cache of sector bitmaps, sharded by block number.
 *
 * A bitmap in memory is what the image is: it may be ahead of the disk
 * (dirty), never behind.  A block whose bits are all set has no entry, only
 * its bit in `full`. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "image/bitmaps.h"
#include "image/image.h"

struct bitmap {
	struct bitmap *next;          /* in its bucket */
	struct bitmap *older, *newer; /* clean ones only */
	uint32_t block;
	bool dirty; /* has bits that are not on disk */
	uint8_t bits[];
};

int
bitmaps_init(struct bitmaps *maps, uint32_t blocks, uint32_t bytes,
	     uint32_t sectors, uint32_t cache_bytes)
{
	maps->bytes = bytes;
	maps->sectors = sectors;
	maps->blocks = blocks;
	maps->limit = cache_bytes / BITMAP_SHARDS / bytes + 1;
	maps->full = calloc(blocks / 8 + 1, 1);
	if (!maps->full)
		return fail_nomem();
	for (int i = 0; i < BITMAP_SHARDS; i++)
		pthread_mutex_init(&maps->shard[i].lock, NULL);
	return 0;
}

static void
shard_free(struct bitmap_shard *shard)
{
	for (int i = 0; shard->all && i < BITMAP_BUCKETS; i++) {
		while (shard->buckets[i]) {
			struct bitmap *map = shard->buckets[i];

			shard->buckets[i] = map->next;
			free(map);
		}
	}
	pthread_mutex_destroy(&shard->lock);
}

void
bitmaps_free(struct bitmaps *maps)
{
	if (!maps->full)
		return;
	for (int i = 0; i < BITMAP_SHARDS; i++)
		shard_free(&maps->shard[i]);
	free(maps->full);
	maps->full = NULL;
}

int
bitmaps_grow(struct bitmaps *maps, uint32_t blocks)
{
	_Atomic uint8_t *full = calloc(blocks / 8 + 1, 1);
	uint32_t keep = maps->blocks < blocks ? maps->blocks : blocks;

	if (!full)
		return fail_nomem();
	for (uint32_t i = 0; i < keep / 8 + 1; i++)
		full[i] = maps->full[i];
	free(maps->full);
	maps->full = full;
	maps->blocks = blocks;
	return 0;
}

bool
bitmaps_full(const struct image *img, uint32_t block)
{
	return img->ignore_bitmap ||
	       (atomic_load_explicit(&img->bitmaps.full[block / 8],
				     memory_order_acquire) &
		(0x80 >> block % 8));
}

static void
set_full(struct bitmaps *maps, uint32_t block)
{
	atomic_fetch_or(&maps->full[block / 8], (uint8_t)(0x80 >> block % 8));
}

static void
clear_full(struct bitmaps *maps, uint32_t block)
{
	atomic_fetch_and(&maps->full[block / 8],
			 (uint8_t) ~(0x80 >> block % 8));
}

static struct bitmap_shard *
lock_shard(struct bitmaps *maps, uint32_t block)
{
	struct bitmap_shard *shard = &maps->shard[block % BITMAP_SHARDS];

	pthread_mutex_lock(&shard->lock);
	return shard;
}

static struct bitmap **
find(struct bitmap_shard *shard, uint32_t block)
{
	uint32_t bucket = block / BITMAP_SHARDS % BITMAP_BUCKETS;
	struct bitmap **at = &shard->buckets[bucket];

	while (*at && (*at)->block != block)
		at = &(*at)->next;
	return at;
}

/* The list of clean bitmaps, oldest first. */
static void
list_remove(struct bitmap_shard *shard, struct bitmap *map)
{
	*(map->older ? &map->older->newer : &shard->oldest) = map->newer;
	*(map->newer ? &map->newer->older : &shard->newest) = map->older;
	shard->clean--;
}

static void
list_append(struct bitmap_shard *shard, struct bitmap *map)
{
	map->newer = NULL;
	map->older = shard->newest;
	*(shard->newest ? &shard->newest->newer : &shard->oldest) = map;
	shard->newest = map;
	shard->clean++;
}

static void
discard(struct bitmap_shard *shard, struct bitmap **at)
{
	struct bitmap *map = *at;

	*at = map->next;
	shard->all--;
	if (!map->dirty)
		list_remove(shard, map);
	free(map);
}

static void
evict(struct bitmaps *maps, struct bitmap_shard *shard)
{
	while (shard->clean > maps->limit)
		discard(shard, find(shard, shard->oldest->block));
}

static struct bitmap *
insert(struct bitmaps *maps, struct bitmap_shard *shard, uint32_t block,
       bool dirty)
{
	struct bitmap *map = calloc(1, sizeof(*map) + maps->bytes);
	struct bitmap **at = find(shard, block);

	if (!map)
		return NULL;
	map->block = block;
	map->dirty = dirty;
	*at = map;
	shard->all++;
	if (!dirty)
		list_append(shard, map);
	return map;
}

/* XenServer's first version has the bits of each byte reversed (format 11.2);
 * such an image is only ever read. */
static void
reverse_bits(uint8_t *bits, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint8_t b = bits[i];

		b = (uint8_t)(b >> 4 | b << 4);
		b = (uint8_t)((b & 0xcc) >> 2 | (b & 0x33) << 2);
		bits[i] = (uint8_t)((b & 0xaa) >> 1 | (b & 0x55) << 1);
	}
}

static int
read_bitmap(uint8_t *ret, struct image *img, uint32_t block)
{
	int err;

	uint64_t value = atomic_load(&img->bat[block]);
	uint64_t offset = value << SECTOR_SHIFT;

	if (value == BAT_UNUSED ||
	    !range_ok(offset, img->bitmap_bytes, img->file_size))
		return fail(VHD_E_CORRUPT,
			    "%s: block %u is said to be at byte %llu, outside "
			    "the file; try: vhdtool check",
			    img->io->name, block, (unsigned long long)offset);
	err = img->io->ops->pread(img->io, ret, img->bitmap_bytes, offset);
	if (!err && footer_creator_is(&img->footer, "tap") &&
	    img->footer.creator_version == 1)
		reverse_bits(ret, img->bitmap_bytes);
	return err;
}

/* The bitmap of an allocated block; NULL in *ret when it is full. */
static int
fetch(struct bitmap **ret, struct bitmap_shard *shard, struct image *img,
      uint32_t block)
{
	struct bitmaps *maps = &img->bitmaps;
	struct bitmap *map;
	int err;

	*ret = NULL;
	if (bitmaps_full(img, block))
		return 0;
	map = *find(shard, block);
	if (!map) {
		map = insert(maps, shard, block, false);
		if (!map)
			return fail_nomem();
		err = read_bitmap(map->bits, img, block);
		if (err) {
			discard(shard, find(shard, block));
			return err;
		}
		if (bits_all_set(map->bits, 0, maps->sectors)) {
			discard(shard, find(shard, block));
			set_full(maps, block);
			return 0;
		}
		evict(maps, shard);
	} else if (!map->dirty) {
		list_remove(shard, map);
		list_append(shard, map);
	}
	*ret = map;
	return 0;
}

static void
copy_bits(uint8_t *to, uint32_t to_first, const uint8_t *from,
	  uint32_t from_first, uint32_t count)
{
	if (to_first % 8 == 0 && from_first % 8 == 0 && count % 8 == 0) {
		memcpy(to + to_first / 8, from + from_first / 8, count / 8);
		return;
	}
	for (uint32_t i = 0, run; i < count; i += run) {
		run = bits_run(from, from_first + i, count - i);
		if (bit_get(from, from_first + i))
			bits_set(to, to_first + i, run);
		else
			bits_clear(to, to_first + i, run);
	}
}

int
bitmaps_get(uint8_t *ret, uint32_t at, struct image *img, uint32_t block,
	    uint32_t first, uint32_t count)
{
	struct bitmap_shard *shard;
	struct bitmap *map;
	int err;

	if (bitmaps_full(img, block)) {
		bits_set(ret, at, count);
		return 0;
	}
	shard = lock_shard(&img->bitmaps, block);
	err = fetch(&map, shard, img, block);
	if (!err && map)
		copy_bits(ret, at, map->bits, first, count);
	else if (!err)
		bits_set(ret, at, count);
	pthread_mutex_unlock(&shard->lock);
	return err;
}

static bool
set_locked(struct bitmap_shard *shard, struct bitmaps *maps, struct bitmap *map,
	   uint32_t first, uint32_t count)
{
	if (bits_all_set(map->bits, first, count))
		return false;
	atomic_fetch_add(&maps->added,
			 count - bits_count(map->bits, first, count));
	bits_set(map->bits, first, count);
	if (!map->dirty) {
		list_remove(shard, map);
		map->dirty = true;
	}
	if (bits_all_set(map->bits, 0, maps->sectors)) {
		set_full(maps, map->block);
		discard(shard, find(shard, map->block));
	}
	return true;
}

int
bitmaps_set(bool *ret_changed, struct image *img, uint32_t block,
	    uint32_t first, uint32_t count)
{
	struct bitmap_shard *shard = lock_shard(&img->bitmaps, block);
	struct bitmap *map;
	int err;

	*ret_changed = false;
	err = fetch(&map, shard, img, block);
	if (!err && map)
		*ret_changed =
			set_locked(shard, &img->bitmaps, map, first, count);
	pthread_mutex_unlock(&shard->lock);
	return err;
}

int
bitmaps_new(struct image *img, uint32_t block, bool full)
{
	struct bitmap_shard *shard;
	int err = 0;

	bitmaps_drop(img, block);
	if (full) {
		set_full(&img->bitmaps, block);
		return 0;
	}
	shard = lock_shard(&img->bitmaps, block);
	if (!insert(&img->bitmaps, shard, block, true))
		err = fail_nomem();
	pthread_mutex_unlock(&shard->lock);
	return err;
}

int
bitmaps_pin(struct image *img, uint32_t block)
{
	struct bitmap_shard *shard = lock_shard(&img->bitmaps, block);
	struct bitmap *map;
	int err = fetch(&map, shard, img, block);

	if (!err && map && !map->dirty) {
		list_remove(shard, map);
		map->dirty = true;
	}
	pthread_mutex_unlock(&shard->lock);
	return err;
}

int
bitmaps_copy(uint8_t *ret, struct image *img, uint32_t block)
{
	memset(ret, 0, img->bitmaps.bytes);
	return bitmaps_get(ret, 0, img, block, 0, img->bitmaps.sectors);
}

void
bitmaps_published(struct image *img, uint32_t block, const uint8_t *copy)
{
	struct bitmaps *maps = &img->bitmaps;
	struct bitmap_shard *shard = lock_shard(maps, block);
	struct bitmap *map = *find(shard, block);

	if (map && map->dirty && !memcmp(map->bits, copy, maps->bytes)) {
		map->dirty = false;
		list_append(shard, map);
		evict(maps, shard);
	}
	pthread_mutex_unlock(&shard->lock);
}

void
bitmaps_drop(struct image *img, uint32_t block)
{
	struct bitmap_shard *shard = lock_shard(&img->bitmaps, block);
	struct bitmap **at = find(shard, block);

	if (*at)
		discard(shard, at);
	clear_full(&img->bitmaps, block);
	pthread_mutex_unlock(&shard->lock);
}
