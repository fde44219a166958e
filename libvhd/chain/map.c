/* SPDX-License-Identifier: BSD-3-Clause */
/* map.c - owners of windows, and a cache of those that have several.
 *
 * A file may claim to be a disk of any size, so what is not known takes no
 * memory: owners are kept inverted, which makes untouched zeros "unknown".
 *
 * Everything here can be made again from the images, so memory that cannot be
 * had only means that a window is forgotten. */
#include <stdlib.h>
#include <string.h>

#include "chain/map.h"
#include "chain/mixed.h"

static int
new_windows(_Atomic uint16_t **ret, struct mixed ***ret_mixed, uint64_t n)
{
	_Atomic uint16_t *w = NULL;
	struct mixed **mixed = NULL;

	if (n < SIZE_MAX / sizeof(*mixed)) {
		w = calloc((size_t)n + 1, sizeof(*w));
		mixed = calloc((size_t)n + 1, sizeof(struct mixed *));
	}
	if (!w || !mixed) {
		free((void *)w);
		free(mixed);
		return fail_nomem();
	}
	*ret = w;
	*ret_mixed = mixed;
	return 0;
}

int
map_init(struct map *map, uint64_t nwindows)
{
	int err = new_windows(&map->window, &map->mixed, nwindows);

	if (err)
		return err;
	map->nwindows = nwindows;
	for (int i = 0; i < MAP_STRIPES; i++)
		pthread_mutex_init(&map->stripe[i].lock, NULL);
	return 0;
}

static struct map_stripe *
stripe_of(struct map *map, uint64_t window)
{
	return &map->stripe[window % MAP_STRIPES];
}

/* ---- The cache of mixed windows, in order of age [their stripe] ---- */

static void
unlist(struct map_stripe *s, struct mixed *m)
{
	*(m->older ? &m->older->newer : &s->oldest) = m->newer;
	*(m->newer ? &m->newer->older : &s->newest) = m->older;
}

static void
append(struct map_stripe *s, struct mixed *m)
{
	m->newer = NULL;
	m->older = s->newest;
	*(s->newest ? &s->newest->newer : &s->oldest) = m;
	s->newest = m;
}

static void
discard(struct map *map, struct mixed *m)
{
	struct map_stripe *s;

	if (!m)
		return;
	s = stripe_of(map, m->window);
	map->mixed[m->window] = NULL;
	unlist(s, m);
	s->bytes -= mixed_bytes(m);
	mixed_free(m);
}

/* m grew from so many bytes: forget others.  One that was used gets a second
 * chance, so that a lookup need not touch the order. */
static void
make_room(struct map *map, const struct mixed *m, size_t before)
{
	struct map_stripe *s = stripe_of(map, m->window);

	s->bytes += mixed_bytes(m) - before;
	while (s->bytes > MAP_STRIPE_MOST && s->oldest != s->newest) {
		struct mixed *old = s->oldest;

		if (old != m && !old->used) {
			discard(map, old);
			continue;
		}
		old->used = false;
		unlist(s, old);
		append(s, old);
	}
}

static struct mixed *
insert(struct map *map, uint64_t window, uint16_t owner)
{
	struct mixed *m = mixed_new(window, owner);

	if (!m)
		return NULL;
	map->mixed[window] = m;
	append(stripe_of(map, window), m);
	make_room(map, m, 0);
	return m;
}

static void
free_lists(struct map *map, struct map_stripe *s)
{
	while (s->oldest)
		discard(map, s->oldest);
}

/* ---- Windows ---- */

static void
store(struct map *map, uint64_t window, uint16_t owner)
{
	if (map_window(map, window) != owner)
		atomic_store_explicit(&map->window[window], map_inverted(owner),
				      memory_order_release);
}

void
map_forget_all(struct map *map)
{
	for (int i = 0; i < MAP_STRIPES; i++) {
		struct map_stripe *s = &map->stripe[i];

		pthread_mutex_lock(&s->lock);
		free_lists(map, s);
		for (uint64_t w = (uint64_t)i; w < map->nwindows;
		     w += MAP_STRIPES)
			store(map, w, OWNER_UNKNOWN);
		pthread_mutex_unlock(&s->lock);
	}
}

static void
free_windows(struct map *map)
{
	free((void *)map->window);
	free(map->mixed);
}

void
map_free(struct map *map)
{
	if (!map->window)
		return;
	for (int i = 0; i < MAP_STRIPES; i++) {
		free_lists(map, &map->stripe[i]);
		pthread_mutex_destroy(&map->stripe[i].lock);
	}
	free_windows(map);
	map->window = NULL;
}

int
map_grow(struct map *map, uint64_t nwindows)
{
	uint64_t keep = map->nwindows < nwindows ? map->nwindows : nwindows;
	_Atomic uint16_t *more = NULL;
	struct mixed **mixed = NULL;
	int err = new_windows(&more, &mixed, nwindows);

	if (err)
		return err;
	for (uint64_t w = keep; w < map->nwindows; w++)
		discard(map, map->mixed[w]);
	for (uint64_t w = 0; w < keep; w++) {
		uint16_t owner = map_window(map, w);

		if (owner != OWNER_UNKNOWN)
			atomic_init(&more[w], map_inverted(owner));
		if (map->mixed[w])
			mixed[w] = map->mixed[w];
	}
	free_windows(map);
	map->window = more;
	map->mixed = mixed;
	map->nwindows = nwindows;
	return 0;
}

void
map_forget(struct map *map, uint64_t window)
{
	struct map_stripe *s = stripe_of(map, window);

	pthread_mutex_lock(&s->lock);
	discard(map, map->mixed[window]);
	store(map, window, OWNER_UNKNOWN);
	pthread_mutex_unlock(&s->lock);
}

static bool
uniform(const uint16_t *owner)
{
	return memcmp(owner, owner + 1,
		      (WINDOW_SECTORS - 1) * sizeof(*owner)) == 0;
}

/* The owners of a window that is not known to have one; NULL when it has one
 * after all. [stripe] */
static int
resolve_window(struct mixed **ret, struct map *map, uint64_t window,
	       map_resolve_fn resolve, void *user)
{
	struct mixed *m = map->mixed[window];
	uint16_t owner[WINDOW_SECTORS];
	size_t before;
	int err;

	*ret = m;
	if (m) {
		m->used = true;
		return 0;
	}
	err = resolve(owner, user, window);
	if (err)
		return err;
	if (uniform(owner)) {
		store(map, window, owner[0]);
		return 0;
	}
	m = insert(map, window, owner[0]);
	if (!m)
		return fail_nomem();
	before = mixed_bytes(m);
	if (!mixed_fill(m, owner)) {
		discard(map, m);
		return fail_nomem();
	}
	make_room(map, m, before);
	store(map, window, OWNER_MIXED);
	*ret = m;
	return 0;
}

int
map_lookup(uint16_t *ret_owner, uint32_t *ret_run, struct map *map,
	   uint64_t window, uint32_t first, uint32_t limit,
	   map_resolve_fn resolve, void *user)
{
	struct map_stripe *s = stripe_of(map, window);
	uint16_t owner = map_window(map, window);
	struct mixed *m = NULL;
	uint32_t run = limit;
	int err = 0;

	if (owner == OWNER_UNKNOWN || owner == OWNER_MIXED) {
		pthread_mutex_lock(&s->lock);
		owner = map_window(map, window);
		if (owner == OWNER_UNKNOWN || owner == OWNER_MIXED)
			err = resolve_window(&m, map, window, resolve, user);
		owner = map_window(map, window);
		if (!err && m)
			owner = mixed_owner(&run, m, first);
		pthread_mutex_unlock(&s->lock);
	}
	if (err)
		return err;
	*ret_owner = owner;
	*ret_run = run < limit ? run : limit;
	return 0;
}

/* False: the window must be forgotten. [stripe] */
static bool
set_some(struct map *map, uint64_t window, uint32_t first, uint32_t n,
	 uint16_t owner)
{
	uint16_t was = map_window(map, window);
	struct mixed *m = map->mixed[window];
	size_t before;

	if (!m && was != OWNER_MIXED)
		m = insert(map, window, was);
	if (!m)
		return false;
	before = mixed_bytes(m);
	if (!mixed_set(m, first, first + n, owner))
		return false;
	make_room(map, m, before);
	store(map, window, m->n > 1 ? OWNER_MIXED : owner);
	if (m->n == 1)
		discard(map, m);
	return true;
}

void
map_set(struct map *map, uint64_t window, uint32_t first, uint32_t n,
	uint16_t owner)
{
	struct map_stripe *s = stripe_of(map, window);

	if (map_window(map, window) == owner)
		return;
	pthread_mutex_lock(&s->lock);
	if (n == WINDOW_SECTORS) {
		discard(map, map->mixed[window]);
		store(map, window, owner);
	} else if (map_window(map, window) != OWNER_UNKNOWN &&
		   map_window(map, window) != owner &&
		   !set_some(map, window, first, n, owner)) {
		discard(map, map->mixed[window]);
		store(map, window, OWNER_UNKNOWN);
	}
	pthread_mutex_unlock(&s->lock);
}
