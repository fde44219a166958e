/* SPDX-License-Identifier: BSD-3-Clause */
/* pull.h - copy what a layer's parent has into the layer, so that this can
 * stand on the parent's parent, or on nothing. */
#ifndef VHDI_PULL_H
#define VHDI_PULL_H
#include "chain/chain.h"
#include "job/job.h"

struct pull_size {
	uint64_t bytes; /* that the layer lacks and its parent has */
	uint64_t extra; /* by which its file would grow at most, on disk */
};

int pull_measure(struct pull_size *ret, struct chain *c,
		 uint32_t layer) MUST_CHECK;

/* Copy them, then link the layer, which is open for writing, past its parent
 * and drop that from the chain; its file is left alone.  Stopped at any point
 * the chain reads the same, and the pull can be called again.  Guests may go
 * on meanwhile. */
int pull_layer(struct chain *c, struct job *job, uint32_t layer) MUST_CHECK;
#endif
