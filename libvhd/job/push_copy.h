/* SPDX-License-Identifier: BSD-3-Clause */
/* push_copy.h - what the parts of a push share. */
#ifndef VHDI_PUSH_COPY_H
#define VHDI_PUSH_COPY_H
#include "job/push.h"

#define PUSH_CHUNK (1u << 20) /* read at once where data is looked at */

/* A part of a file that was data when it was asked for. */
struct known_data {
	uint64_t from, end;
};

struct push {
	struct chain *c;
	struct job *job;
	struct image *from, *to;
	struct known_data in_from, in_to;
	uint32_t layer, top;
	uint8_t *map;     /* sectors of a block to be moved */
	uint8_t *buf;     /* PUSH_CHUNK bytes */
	uint32_t *blocks; /* copied, not dropped yet (frozen layers) */
	size_t nblocks;
	uint64_t added; /* to the leaf by its guests, as far as noticed */
	/* Bytes, since the last flush. */
	uint64_t copied, grown;
};

/* Copy what a block of `from` has that must be moved, and count it.  Nobody
 * changes the block meanwhile. */
int push_copy_block(struct push *p, uint32_t block) MUST_CHECK;
#endif
