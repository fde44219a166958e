/* SPDX-License-Identifier: BSD-3-Clause */
/* history.h - what may be read: every value that a piece of the disk was
 * given, by guests that did not wait for each other.
 *
 * A piece is 256 bytes, so two of them share a sector.  A value other than 0
 * is given once.  Moments are counted by the history itself. */
#ifndef VHD_SCHED_HISTORY_H
#define VHD_SCHED_HISTORY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIECE  256u
#define PIECES 96u

/* One value: it came at some time between the two; when maybe, if at all. */
struct event {
	uint32_t value;
	bool maybe;
	bool durable;        /* answered for by itself */
	uint64_t start, end; /* UINT64_MAX: not answered yet */
	uint64_t seen;       /* it was there by then */
};

struct history {
	struct piece {
		struct event *list;
		size_t n, room;
	} piece[PIECES];
	uint64_t clock;
	uint64_t flushed; /* when the newest flush was called that was answered
			   */
};

void history_free(struct history *h);
uint64_t history_now(struct history *h);

/* The piece holds this value, durably, and nothing else happened. */
void history_set(struct history *h, uint32_t piece, uint32_t value);

/* A request begins and ends; ret is what history_end wants. */
size_t history_begin(struct history *h, uint32_t piece, uint32_t value,
		     bool maybe);
void history_end(struct history *h, uint32_t piece, size_t event, bool done,
		 bool durable);

/* Could the piece read as value between two moments? */
bool history_allows(struct history *h, uint32_t piece, uint32_t value,
		    uint64_t from, uint64_t to);

/* Is that what it held at one moment, which a read need not have been at? */
bool history_held(const struct history *h, uint32_t piece, uint32_t value,
		  uint64_t moment);

/* Could it after a crash now? */
bool history_survives(const struct history *h, uint32_t piece, uint32_t value);

void history_text(char *ret, size_t ret_size, const struct history *h,
		  uint32_t piece);

/* A piece's bytes; and the value in them, UINT32_MAX when there is none. */
void piece_fill(uint8_t ret[static PIECE], uint32_t piece, uint32_t value);
uint32_t piece_value(const uint8_t bytes[static PIECE], uint32_t piece);
#endif
