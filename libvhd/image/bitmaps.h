/* SPDX-License-Identifier: BSD-3-Clause */
/* bitmaps.h - the sector bitmaps of one image, as many as memory allows.
 *
 * A block all of whose sectors are present is remembered in one bit and
 * takes no room in the cache.  Bitmaps with bits that are not on disk yet
 * stay until they are published. */
#ifndef VHDI_BITMAPS_H
#define VHDI_BITMAPS_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define BITMAP_SHARDS 16
/* Clean bitmaps that are kept, for one image.  Those of an image that is only
 * read are needed once, to make the chain's map. */
#define BITMAP_CACHE_WRITE (8u << 20)
#define BITMAP_CACHE_READ  (512u << 10)

struct bitmap; /* one cached bitmap */

#define BITMAP_BUCKETS 256

struct bitmap_shard {
	pthread_mutex_t lock;
	struct bitmap *buckets[BITMAP_BUCKETS];
	struct bitmap *oldest, *newest; /* clean ones, in order of use */
	size_t clean, all;
};

struct bitmaps {
	uint32_t bytes;   /* of one bitmap, as stored; constant */
	uint32_t sectors; /* bits in use in each; constant */
	uint32_t blocks;
	size_t limit;           /* clean bitmaps in one shard; constant */
	_Atomic uint8_t *full;  /* a bit for each block; reads need no lock */
	_Atomic uint64_t added; /* sectors that became present since opening */
	struct bitmap_shard shard[BITMAP_SHARDS];
};

struct image;

int bitmaps_init(struct bitmaps *maps, uint32_t blocks, uint32_t bytes,
		 uint32_t sectors, uint32_t cache_bytes) MUST_CHECK;
/* More blocks.  [exclusive] */
int bitmaps_grow(struct bitmaps *maps, uint32_t blocks) MUST_CHECK;
void bitmaps_free(struct bitmaps *maps);

/* Is every sector of this block known to be present? */
bool bitmaps_full(const struct image *img, uint32_t block);

/* Copy bits [first, first + count) of an allocated block's bitmap to ret,
 * from its bit `at` on. */
int bitmaps_get(uint8_t *ret, uint32_t at, struct image *img, uint32_t block,
		uint32_t first, uint32_t count) MUST_CHECK;

/* Set bits; *ret_changed when any was clear.  A changed bitmap stays in
 * memory until bitmaps_published. */
int bitmaps_set(bool *ret_changed, struct image *img, uint32_t block,
		uint32_t first, uint32_t count) MUST_CHECK;

/* A block that was just allocated: nothing, or everything, is present.  No
 * bitmap is read from disk for it. */
int bitmaps_new(struct image *img, uint32_t block, bool full) MUST_CHECK;

/* Keep an allocated block's bitmap in memory until it is published: its place
 * on disk is about to change. */
int bitmaps_pin(struct image *img, uint32_t block) MUST_CHECK;

/* The whole bitmap as it is to be stored, padding clear. */
int bitmaps_copy(uint8_t *ret, struct image *img, uint32_t block);

/* These bits are on disk: the bitmap may leave memory, unless it has
 * changed since that copy was made. */
void bitmaps_published(struct image *img, uint32_t block, const uint8_t *copy);

/* Forget a block. */
void bitmaps_drop(struct image *img, uint32_t block);
#endif
