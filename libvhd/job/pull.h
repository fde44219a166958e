/* SPDX-License-Identifier: BSD-3-Clause */
/* pull.h - copy what the parent has into the leaf, so that the leaf can stand
 * on the parent's parent, or on nothing. */
#ifndef VHDI_PULL_H
#define VHDI_PULL_H
#include "chain/chain.h"
#include "job/job.h"

struct pull_size {
	uint64_t bytes; /* that the leaf lacks and its parent has */
	uint64_t extra; /* by which its file would grow at most, on disk */
};

int pull_measure(struct pull_size *ret, struct chain *c) MUST_CHECK;

/* Copy them, then link the leaf past its parent and drop that from the chain;
 * its file is left alone.  Stopped at any point the chain reads the same, and
 * the pull can be called again.  Guests may go on meanwhile. */
int pull_layer(struct chain *c, struct job *job) MUST_CHECK;
#endif
