/* SPDX-License-Identifier: BSD-3-Clause */
/* map.c - owners of windows, and of the sectors of mixed windows.
 *
 * Everything here can be made again from the images, so memory that cannot be
 * had only means that a window is forgotten. */
#include <stdlib.h>
#include <string.h>

#include "chain/map.h"

struct mixed {
	struct mixed *next;          /* in its bucket */
	struct mixed *older, *newer; /* in order of use */
	uint64_t window;
	uint16_t owner[WINDOW_SECTORS];
};

static _Atomic uint16_t *
new_windows(uint64_t n)
{
	_Atomic uint16_t *w = NULL;

	if (n < SIZE_MAX / sizeof(*w))
		w = malloc(((size_t)n + 1) * sizeof(*w));
	if (w)
		memset((void *)w, 0xff, ((size_t)n + 1) * sizeof(*w));
	return w;
}

int
map_init(struct map *map, uint64_t nwindows)
{
	map->window = new_windows(nwindows);
	if (!map->window)
		return fail_nomem();
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

static struct mixed **
find(struct map_stripe *s, uint64_t window)
{
	struct mixed **at = &s->buckets[window / MAP_STRIPES % MAP_BUCKETS];

	while (*at && (*at)->window != window)
		at = &(*at)->next;
	return at;
}

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
discard(struct map_stripe *s, struct mixed **at)
{
	struct mixed *m = *at;

	if (!m)
		return;
	*at = m->next;
	unlist(s, m);
	s->count--;
	free(m);
}

static struct mixed *
insert(struct map_stripe *s, uint64_t window)
{
	struct mixed *m = malloc(sizeof(*m));
	struct mixed **at;

	if (!m)
		return NULL;
	if (s->count == MAP_STRIPE_MOST)
		discard(s, find(s, s->oldest->window));
	at = find(s, window);
	m->next = NULL;
	m->window = window;
	*at = m;
	append(s, m);
	s->count++;
	return m;
}

static void
store(struct map *map, uint64_t window, uint16_t owner)
{
	atomic_store_explicit(&map->window[window], owner,
			      memory_order_release);
}

void
map_forget_all(struct map *map)
{
	for (int i = 0; i < MAP_STRIPES; i++) {
		struct map_stripe *s = &map->stripe[i];

		pthread_mutex_lock(&s->lock);
		while (s->oldest)
			discard(s, find(s, s->oldest->window));
		for (uint64_t w = (uint64_t)i; w < map->nwindows;
		     w += MAP_STRIPES)
			store(map, w, OWNER_UNKNOWN);
		pthread_mutex_unlock(&s->lock);
	}
}

void
map_free(struct map *map)
{
	if (!map->window)
		return;
	for (int i = 0; i < MAP_STRIPES; i++) {
		struct map_stripe *s = &map->stripe[i];

		while (s->oldest)
			discard(s, find(s, s->oldest->window));
		pthread_mutex_destroy(&s->lock);
	}
	free((void *)map->window);
	map->window = NULL;
}

int
map_grow(struct map *map, uint64_t nwindows)
{
	_Atomic uint16_t *more = new_windows(nwindows);
	uint64_t keep = map->nwindows < nwindows ? map->nwindows : nwindows;

	if (!more)
		return fail_nomem();
	for (uint64_t w = 0; w < keep; w++)
		atomic_init(&more[w], map_window(map, w));
	free((void *)map->window);
	map->window = more;
	map->nwindows = nwindows;
	return 0;
}

void
map_forget(struct map *map, uint64_t window)
{
	struct map_stripe *s = stripe_of(map, window);

	pthread_mutex_lock(&s->lock);
	discard(s, find(s, window));
	store(map, window, OWNER_UNKNOWN);
	pthread_mutex_unlock(&s->lock);
}

static bool
uniform(const uint16_t *owner)
{
	return memcmp(owner, owner + 1,
		      (WINDOW_SECTORS - 1) * sizeof(*owner)) == 0;
}

/* The owners of a window that is not known to have one. [stripe] */
static int
resolve_window(struct mixed **ret, struct map *map, struct map_stripe *s,
	       uint64_t window, map_resolve_fn resolve, void *user)
{
	struct mixed *m = *find(s, window);
	int err;

	*ret = m;
	if (m) {
		unlist(s, m);
		append(s, m);
		return 0;
	}
	m = insert(s, window);
	if (!m)
		return fail_nomem();
	err = resolve(m->owner, user, window);
	if (err) {
		discard(s, find(s, window));
		return err;
	}
	if (uniform(m->owner)) {
		store(map, window, m->owner[0]);
		discard(s, find(s, window));
		return 0;
	}
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
			err = resolve_window(&m, map, s, window, resolve, user);
		if (!err && m) {
			owner = m->owner[first];
			run = 1;
			while (run < limit && m->owner[first + run] == owner)
				run++;
		} else {
			owner = map_window(map, window);
		}
		pthread_mutex_unlock(&s->lock);
	}
	*ret_owner = owner;
	*ret_run = run;
	return err;
}

/* [stripe] */
static void
set_some(struct map *map, struct map_stripe *s, uint64_t window, uint32_t first,
	 uint32_t n, uint16_t owner)
{
	uint16_t was = map_window(map, window);
	struct mixed *m = *find(s, window);

	if (!m && was == OWNER_MIXED) {
		store(map, window, OWNER_UNKNOWN);
		return;
	}
	if (!m) {
		m = insert(s, window);
		if (!m) {
			store(map, window, OWNER_UNKNOWN);
			return;
		}
		for (uint32_t i = 0; i < WINDOW_SECTORS; i++)
			m->owner[i] = was;
		store(map, window, OWNER_MIXED);
	}
	for (uint32_t i = first; i < first + n; i++)
		m->owner[i] = owner;
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
		discard(s, find(s, window));
		store(map, window, owner);
	} else if (map_window(map, window) != OWNER_UNKNOWN &&
		   map_window(map, window) != owner) {
		set_some(map, s, window, first, n, owner);
	}
	pthread_mutex_unlock(&s->lock);
}
