/* SPDX-License-Identifier: BSD-3-Clause */
/* mixed.c - the owners of one window that has several. */
#include "chain/mixed.h"

#include <stdlib.h>
#include <string.h>

/* Room for so many runs; what is there is kept. */
static bool
reserve(struct mixed *m, uint32_t n)
{
	uint32_t room = m->room + m->room / 2;
	struct run *more;

	if (n <= m->room)
		return true;
	if (room < n)
		room = n;
	more = realloc(m->runs, room * sizeof(*more));
	if (!more)
		return false;
	m->runs = more;
	m->room = room;
	return true;
}

struct mixed *
mixed_new(uint64_t window, uint16_t owner)
{
	struct mixed *m = calloc(1, sizeof(*m));

	if (!m || !reserve(m, 3)) {
		free(m);
		return NULL;
	}
	m->window = window;
	m->runs[0] = (struct run){0, owner};
	m->n = 1;
	return m;
}

void
mixed_free(struct mixed *m)
{
	if (!m)
		return;
	free(m->runs);
	free(m);
}

size_t
mixed_bytes(const struct mixed *m)
{
	return sizeof(*m) + m->room * sizeof(*m->runs);
}

/* The run that sector lies in. */
static uint32_t
find_run(const struct mixed *m, uint32_t sector)
{
	uint32_t low = 0, high = m->n;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (m->runs[middle].first <= sector)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static uint32_t
run_end(const struct mixed *m, uint32_t run)
{
	return run + 1 < m->n ? m->runs[run + 1].first : WINDOW_SECTORS;
}

uint16_t
mixed_owner(uint32_t *ret_run, const struct mixed *m, uint32_t sector)
{
	uint32_t at = find_run(m, sector);

	*ret_run = run_end(m, at) - sector;
	return m->runs[at].owner;
}

/* Put count runs in the place of those from `from` to `to`. */
static bool
replace(struct mixed *m, uint32_t from, uint32_t to, const struct run *with,
	uint32_t count)
{
	uint32_t n = m->n - (to - from) + count;

	if (!reserve(m, n))
		return false;
	memmove(m->runs + from + count, m->runs + to,
		(m->n - to) * sizeof(*m->runs));
	memcpy(m->runs + from, with, count * sizeof(*with));
	m->n = n;
	return true;
}

/* What other runs have there is cut off, and neighbours with the same owner
 * become one. */
bool
mixed_set(struct mixed *m, uint32_t first, uint32_t end, uint16_t owner)
{
	uint32_t from = find_run(m, first), last = find_run(m, end - 1);
	uint32_t to = last + 1, n = 0;
	struct run with[3], right = {(uint16_t)end, m->runs[last].owner};

	if (m->runs[from].first < first)
		with[n++] = m->runs[from];
	else if (from && m->runs[from - 1].owner == owner)
		with[n++] = m->runs[--from];
	if (n == 0 || with[0].owner != owner)
		with[n++] = (struct run){(uint16_t)first, owner};
	if (end == run_end(m, last)) {
		if (to < m->n && m->runs[to].owner == owner)
			to++;
	} else if (right.owner != owner) {
		with[n++] = right;
	}
	return replace(m, from, to, with, n);
}

static bool
begins_run(const uint16_t *owner, uint32_t sector)
{
	return sector == 0 || owner[sector] != owner[sector - 1];
}

bool
mixed_fill(struct mixed *m, const uint16_t *owner)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < WINDOW_SECTORS; i++)
		n += begins_run(owner, i);
	if (!reserve(m, n))
		return false;
	m->n = 0;
	for (uint32_t i = 0; i < WINDOW_SECTORS; i++)
		if (begins_run(owner, i))
			m->runs[m->n++] = (struct run){(uint16_t)i, owner[i]};
	return true;
}
