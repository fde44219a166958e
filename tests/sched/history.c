/* SPDX-License-Identifier: BSD-3-Clause */
/* history.c - which values a piece of the disk may have. */
#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
history_free(struct history *h)
{
	for (uint32_t i = 0; i < PIECES; i++)
		free(h->piece[i].list);
	memset(h->piece, 0, sizeof(h->piece));
}

uint64_t
history_now(struct history *h)
{
	return ++h->clock;
}

static struct event *
add(struct piece *p)
{
	if (p->n == p->room) {
		p->room = p->room ? p->room * 2 : 16;
		p->list = realloc(p->list, p->room * sizeof(*p->list));
		if (!p->list)
			abort();
	}
	return &p->list[p->n++];
}

void
history_set(struct history *h, uint32_t piece, uint32_t value)
{
	h->piece[piece].n = 0;
	*add(&h->piece[piece]) = (struct event){.value = value,
						.durable = true,
						.start = h->clock,
						.end = h->clock,
						.seen = h->clock};
}

size_t
history_begin(struct history *h, uint32_t piece, uint32_t value, bool maybe)
{
	struct piece *p = &h->piece[piece];

	*add(p) = (struct event){.value = value,
				 .maybe = maybe,
				 .start = history_now(h),
				 .end = UINT64_MAX,
				 .seen = UINT64_MAX};
	return p->n - 1;
}

void
history_end(struct history *h, uint32_t piece, size_t event, bool done,
	    bool durable)
{
	struct event *e = &h->piece[piece].list[event];

	e->end = history_now(h);
	if (e->seen > e->end)
		e->seen = e->end;
	e->maybe = e->maybe || !done;
	e->durable = done && durable && !e->maybe;
}

/* Was something else there by `from`, and this gone before? */
static bool
is_stale(const struct piece *p, const struct event *e, uint64_t from)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct event *w = &p->list[i];

		if (w->seen <= from && !w->maybe && e->seen < w->start)
			return true;
	}
	return false;
}

static struct event *
find(const struct piece *p, uint32_t value, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < p->n; i++) {
		struct event *e = &p->list[i];

		if (e->value == value && e->start <= to &&
		    !is_stale(p, e, from))
			return e;
	}
	return NULL;
}

bool
history_allows(struct history *h, uint32_t piece, uint32_t value, uint64_t from,
	       uint64_t to)
{
	struct event *e = find(&h->piece[piece], value, from, to);

	if (e && value && e->seen > to)
		e->seen = to;
	return e != NULL;
}

bool
history_held(const struct history *h, uint32_t piece, uint32_t value,
	     uint64_t moment)
{
	return find(&h->piece[piece], value, moment, moment) != NULL;
}

static bool
is_lost(const struct history *h, const struct piece *p, const struct event *e)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct event *w = &p->list[i];

		if ((w->end <= h->flushed || w->durable) && !w->maybe &&
		    e->end < w->start)
			return true;
	}
	return false;
}

bool
history_survives(const struct history *h, uint32_t piece, uint32_t value)
{
	const struct piece *p = &h->piece[piece];

	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].value == value && !is_lost(h, p, &p->list[i]))
			return true;
	return false;
}

void
history_text(char *ret, size_t ret_size, const struct history *h,
	     uint32_t piece)
{
	const struct piece *p = &h->piece[piece];
	size_t used = (size_t)snprintf(
		ret, ret_size, "  piece %" PRIu32 ", flushed at %" PRIu64 ":\n",
		piece, h->flushed);

	for (size_t i = 0; i < p->n && used < ret_size; i++)
		used += (size_t)snprintf(ret + used, ret_size - used,
					 "    %" PRIu32 " from %" PRIu64
					 " to %" PRId64 "%s%s\n",
					 p->list[i].value, p->list[i].start,
					 (int64_t)p->list[i].end,
					 p->list[i].maybe ? ", perhaps" : "",
					 p->list[i].durable ? ", durable" : "");
}

void
piece_fill(uint8_t ret[static PIECE], uint32_t piece, uint32_t value)
{
	uint32_t words[2] = {value, piece};

	memset(ret, 0, PIECE);
	for (unsigned i = 0; value && i < PIECE; i += sizeof(words))
		memcpy(ret + i, words, sizeof(words));
}

uint32_t
piece_value(const uint8_t bytes[static PIECE], uint32_t piece)
{
	uint8_t want[PIECE];
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	piece_fill(want, piece, value);
	return memcmp(want, bytes, PIECE) == 0 ? value : UINT32_MAX;
}
