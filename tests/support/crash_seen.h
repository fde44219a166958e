/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_seen.h - states that were looked at already, told by a number of 64
 * bits, so that none is looked at twice. */
#ifndef VHD_TEST_CRASH_SEEN_H
#define VHD_TEST_CRASH_SEEN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct crash_seen {
	uint64_t *slots; /* 0: free */
	size_t n, room;
	uint64_t repeated; /* how often one came again */
};

/* False when it is there already. */
bool crash_seen_add(struct crash_seen *seen, uint64_t hash);
void crash_seen_free(struct crash_seen *seen);

/* Whole words of a content; a rest is left out. */
uint64_t crash_hash(const void *bytes, size_t length, uint64_t seed);
#endif
