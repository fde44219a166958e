/* SPDX-License-Identifier: BSD-3-Clause */
/* mixed.h - the owners of one window that has several: a list of runs of
 * sectors.
 *
 * Most such windows have few runs, so that those of a large disk take little
 * memory. */
#ifndef VHDI_MIXED_H
#define VHDI_MIXED_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chain/gate.h"

struct run {
	uint16_t first; /* sector of the window */
	uint16_t owner;
};

struct mixed {
	struct mixed *older, *newer; /* these three for whoever keeps it */
	bool used;
	uint64_t window;
	uint32_t n, room;
	struct run *runs; /* from sector 0 on, without gaps; neighbours have
			   * different owners; owned */
};

/* All sectors belong to owner.  NULL when there is no memory. */
struct mixed *mixed_new(uint64_t window, uint16_t owner);
void mixed_free(struct mixed *m);
size_t mixed_bytes(const struct mixed *m);

/* The owner of a sector, and how far from there on it stays the same. */
uint16_t mixed_owner(uint32_t *ret_run, const struct mixed *m, uint32_t sector);

/* Sectors [first, end), at least one, belong to owner now.  False, and
 * nothing is changed, when there is no memory. */
bool mixed_set(struct mixed *m, uint32_t first, uint32_t end, uint16_t owner);

/* The same for all of them: owner[WINDOW_SECTORS]. */
bool mixed_fill(struct mixed *m, const uint16_t *owner);
#endif
