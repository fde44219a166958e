/* SPDX-License-Identifier: BSD-3-Clause */
/* push.h - move a layer's sectors into the layer below it. */
#ifndef VHDI_PUSH_H
#define VHDI_PUSH_H
#include "chain/chain.h"
#include "job/job.h"

/* What a push would move: bytes present in the layers [first, last), and how
 * many blocks of layer `last` they would allocate. */
struct push_size {
	uint64_t bytes;
	uint64_t new_blocks;
	uint64_t added; /* of layer `first`, when it was measured (bitmaps.h) */
};
int push_measure(struct push_size *ret, struct chain *c, uint32_t first,
		 uint32_t last) MUST_CHECK;

/* Move everything layer `layer` has into the layer below, block by block, and
 * give its space back as it goes.  Sectors that a frozen layer from `top` on
 * has as well need not be moved.  Both images are open for writing.  Stopped
 * or failed at any point, the chain reads the same and the push can be called
 * again.  What guests of a leaf added since `added` is more work than the job
 * knows of. */
int push_layer(struct chain *c, struct job *job, uint32_t layer, uint32_t top,
	       uint64_t added) MUST_CHECK;

/* A push of the leaf that was stopped: once every moved block is cleared,
 * requests go to the leaf again (P15).  Does nothing before that. */
void push_end(struct chain *c);

/* The same, and the clearing, for which there may have been no space when it
 * was stopped.  As long as that fails, guests write to the layer below. */
int push_settle(struct chain *c) MUST_CHECK;
#endif
