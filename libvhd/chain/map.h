/* SPDX-License-Identifier: BSD-3-Clause */
/* map.h - who owns which sector of a chain: a cache of what the images'
 * tables and bitmaps say, so that reading does not depend on the depth.
 *
 * One entry for each window: unknown, one layer, zero, or mixed.  A mixed
 * window has a list of runs of sectors with one owner; those lists are cached
 * up to a limit and made again when needed. */
#ifndef VHDI_MAP_H
#define VHDI_MAP_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "chain/gate.h"

#define OWNER_ZERO      0xfffeu /* stored nowhere in the chain */
#define OWNER_UNKNOWN   0xffffu
#define OWNER_MIXED     0xfffdu
#define OWNER_LAYERS    0xfff0u /* more layers than this cannot be mapped */
#define MAP_STRIPES     64
#define MAP_STRIPE_MOST (512u << 10) /* bytes of lists: 32 MiB in all */

struct mixed; /* the owners of one window */

struct map_stripe {
	pthread_mutex_t lock;
	struct mixed *oldest, *newest; /* in order of use */
	size_t bytes;                  /* of its lists */
};

struct map {
	_Atomic uint16_t *window; /* inverted [its stripe; reads need none] */
	struct mixed **mixed;     /* NULL: not cached [its stripe] */
	uint64_t nwindows;
	struct map_stripe stripe[MAP_STRIPES];
};

/* Fill owners[WINDOW_SECTORS] of one window from the images. */
typedef int (*map_resolve_fn)(uint16_t *owners, void *user, uint64_t window);

int map_init(struct map *map, uint64_t nwindows) MUST_CHECK;
void map_free(struct map *map);
/* More windows. [all gates closed] */
int map_grow(struct map *map, uint64_t nwindows) MUST_CHECK;

static inline uint16_t
map_inverted(uint16_t owner)
{
	return (uint16_t)~owner;
}

/* The owner of a whole window, or OWNER_MIXED or OWNER_UNKNOWN. */
static inline uint16_t
map_window(const struct map *map, uint64_t window)
{
	return map_inverted(atomic_load_explicit(&map->window[window],
						 memory_order_acquire));
}

/* The owner of sector `first` of a window and for how many sectors, at most
 * limit, it stays the same; resolves the window if it must. */
int map_lookup(uint16_t *ret_owner, uint32_t *ret_run, struct map *map,
	       uint64_t window, uint32_t first, uint32_t limit,
	       map_resolve_fn resolve, void *user) MUST_CHECK;

/* These sectors belong to owner now. */
void map_set(struct map *map, uint64_t window, uint32_t first, uint32_t n,
	     uint16_t owner);
void map_forget(struct map *map, uint64_t window);
void map_forget_all(struct map *map);
#endif
