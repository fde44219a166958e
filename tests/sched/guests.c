/* SPDX-License-Identifier: BSD-3-Clause */
/* guests.c - small requests, each told to the history before and after. */
#include <string.h>

#include "world.h"

#define MOST_BYTES    (PIECES * PIECE)
#define MOST_REQUESTS 80u /* while a job runs */

/* A run of pieces that lie together. */
struct span {
	uint32_t first, n;
};

struct request {
	struct span span;
	size_t event[PIECES];
};

static uint32_t
draw(struct world *w, uint64_t n)
{
	return (uint32_t)rng_below(&w->rng, n);
}

/* Mostly whole sectors of one block; where the blocks lie side by side, also
 * across their edge. */
static struct span
pick_span(struct world *w)
{
	uint32_t most =
		w->spread * PIECE == w->block ? world_pieces(w) : w->spread;
	uint32_t start = draw(w, w->blocks) * w->spread;
	uint32_t within = draw(w, w->spread), n = 1 + draw(w, 6);

	if (most > w->spread) {
		within += start;
		start = 0;
	}
	if (draw(w, 5)) {
		within &= ~1u;
		n = (n + 1) & ~1u;
	}
	if (n > most - within)
		n = most - within;
	return (struct span){start + within, n};
}

static void
begin(struct world *w, struct request *r, uint32_t value, bool maybe)
{
	for (uint32_t i = 0; i < r->span.n; i++)
		r->event[i] = history_begin(&w->history, r->span.first + i,
					    value, maybe);
	world_note(w, "gives %u to %u pieces from %u on%s", value, r->span.n,
		   r->span.first, maybe ? ", perhaps" : "");
	co_point("calls", NULL);
}

/* A process that was killed has answered nobody. */
static void
end(struct world *w, struct request *r, int err, bool durable, const char *what)
{
	co_point("returns", NULL);
	world_note(w, "%s of %u: %d", what, r->span.first, err);
	if (err && !w->struck)
		world_wrong(w, "%s fails: %s", what, error_message());
	for (uint32_t i = 0; i < r->span.n; i++)
		history_end(&w->history, r->span.first + i, r->event[i],
			    !err && !w->killed, durable);
}

static void
guest_write(struct world *w)
{
	struct request r = {.span = pick_span(w)};
	bool durable = draw(w, 5) == 0;
	uint8_t bytes[MOST_BYTES];
	uint32_t value = ++w->next_value;
	int err;

	for (uint32_t i = 0; i < r.span.n; i++)
		piece_fill(bytes + i * PIECE, r.span.first + i, value);
	begin(w, &r, value, false);
	err = chain_pwrite(w->c, bytes, r.span.n * PIECE,
			   piece_offset(w, r.span.first),
			   durable ? VHD_IO_FUA : 0);
	end(w, &r, err, durable, "a write");
}

/* Some pieces, or a block with all that is not looked at. */
static void
guest_zero(struct world *w, bool trim)
{
	uint32_t flags = (draw(w, 4) ? 0 : VHD_IO_FUA) |
			 (!trim && draw(w, 2) ? VHD_IO_MAY_TRIM : 0);
	struct request r = {.span = pick_span(w)};
	uint64_t offset, len;
	int err;

	if (draw(w, 3)) {
		r.span.first -= r.span.first % w->spread;
		r.span.n = w->spread;
	}
	offset = piece_offset(w, r.span.first);
	len = r.span.n * PIECE;
	if (r.span.n == w->spread && offset % w->block == 0)
		len = min_u64(w->block, w->size - offset);
	begin(w, &r, 0, trim);
	err = trim ? chain_discard(w->c, offset, len, flags)
		   : chain_zero(w->c, offset, len, flags);
	end(w, &r, err, flags & VHD_IO_FUA, trim ? "a trim" : "zeroing");
}

static void
judge_read(struct world *w, const struct span *span, const uint8_t *bytes,
	   uint64_t from)
{
	uint64_t to = history_now(&w->history);
	char text[600];

	for (uint32_t i = 0; i < span->n; i++) {
		uint32_t piece = span->first + i;
		uint32_t value = piece_value(bytes + i * PIECE, piece);

		world_note(w, "piece %u reads %u", piece, value);
		if (history_allows(&w->history, piece, value, from, to))
			continue;
		history_text(text, sizeof(text), &w->history, piece);
		world_wrong(w, "a read reads %u\n%s", value, text);
	}
}

static void
guest_read(struct world *w)
{
	struct span span = pick_span(w);
	uint64_t from = history_now(&w->history);
	uint8_t bytes[MOST_BYTES];
	int err;

	co_point("calls", NULL);
	err = chain_pread(w->c, bytes, span.n * PIECE,
			  piece_offset(w, span.first));
	co_point("returns", NULL);
	if (err && !w->struck)
		world_wrong(w, "a read fails: %s", error_message());
	if (!err && !w->killed)
		judge_read(w, &span, bytes, from);
}

static void
guest_flush(struct world *w)
{
	uint64_t from = history_now(&w->history);
	int err;

	co_point("calls", NULL);
	err = chain_flush(w->c);
	co_point("returns", NULL);
	world_note(w, "a flush, called at %d: %d", (int)from, err);
	if (err && !w->struck)
		world_wrong(w, "a flush fails: %s", error_message());
	if (!err && !w->killed && w->history.flushed < from)
		w->history.flushed = from;
}

void
guest_main(void *user)
{
	struct world *w = user;
	uint32_t least = 4 + draw(w, 12), n = 0;

	while ((n < least || (w->at_work && n < MOST_REQUESTS)) && !w->killed &&
	       !w->judge->failed) {
		uint32_t what = world_pick(w, w->judge->taste->deeds, DEEDS);

		n++;
		if (what == DO_WRITE)
			guest_write(w);
		else if (what == DO_READ)
			guest_read(w);
		else if (what == DO_FLUSH)
			guest_flush(w);
		else
			guest_zero(w, what == DO_TRIM);
	}
}
