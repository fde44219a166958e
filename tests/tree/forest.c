/* SPDX-License-Identifier: BSD-3-Clause */
/* forest.c - states of disks, and who stands on whom. */
#include "forest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
forest_begin(struct forest *f, struct fs *fs, uint64_t seed)
{
	*f = (struct forest){
		.fs = fs,
		.next_id = 1,
		.next_value = VALUE_ZERO + 1,
		.random = seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du,
		.max_depth = 10,
	};
	for (int i = 0; i < 8; i++)
		(void)forest_draw(f, 1);
}

void
forest_end(struct forest *f)
{
	free(f->state);
	f->state = NULL;
	f->n = 0;
}

void
forest_copy(struct forest *ret, const struct forest *f)
{
	*ret = *f;
	ret->state = malloc((f->n + 1) * sizeof(*f->state));
	if (!ret->state)
		abort();
	if (f->n)
		memcpy(ret->state, f->state, f->n * sizeof(*f->state));
}

uint64_t
forest_draw(struct forest *f, uint64_t below)
{
	f->random ^= f->random << 13;
	f->random ^= f->random >> 7;
	f->random ^= f->random << 17;
	return below ? (f->random >> 11) % below : 0;
}

struct forest_state *
forest_at(const struct forest *f, const char *path)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->state[i].path, path))
			return &f->state[i];
	return NULL;
}

struct forest_state *
forest_by_id(const struct forest *f, uint32_t id)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->state[i].id == id)
			return &f->state[i];
	return NULL;
}

struct forest_state *
forest_add(struct forest *f, const char *path, const struct forest_state *like)
{
	struct forest_state new = {0};
	struct forest_state *more;

	if (like)
		new = *like;
	more = realloc(f->state, (f->n + 1) * sizeof(*more));
	if (!more)
		abort();
	f->state = more;
	new.id = f->next_id++;
	(void)snprintf(new.path, sizeof(new.path), "%s", path);
	more[f->n] = new;
	return &more[f->n++];
}

void
forest_remove(struct forest *f, struct forest_state *state)
{
	*state = f->state[--f->n];
}

size_t
forest_children(const struct forest *f, uint32_t id)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->state[i].parent == id;
	return n;
}

uint32_t
forest_depth(const struct forest *f, const struct forest_state *s)
{
	uint32_t depth = 0;

	for (; s; s = s->parent ? forest_by_id(f, s->parent) : NULL)
		depth++;
	return depth;
}

bool
forest_stands_on(const struct forest *f, const struct forest_state *s,
		 uint32_t id)
{
	for (; s; s = s->parent ? forest_by_id(f, s->parent) : NULL)
		if (s->id == id)
			return true;
	return false;
}

bool
forest_wrong(struct forest *f, const char *fmt, ...)
{
	va_list args;

	if (f->why[0])
		return false;
	va_start(args, fmt);
	(void)vsnprintf(f->why, sizeof(f->why), fmt, args);
	va_end(args);
	return false;
}

/* Of a long story, the end. */
void
forest_note(struct forest *f, const char *fmt, ...)
{
	size_t used = strlen(f->log);
	va_list args;

	if (used > sizeof(f->log) - 300) {
		memmove(f->log, f->log + used / 2, used - used / 2 + 1);
		used = strlen(f->log);
	}
	va_start(args, fmt);
	(void)vsnprintf(f->log + used, sizeof(f->log) - used, fmt, args);
	va_end(args);
}
