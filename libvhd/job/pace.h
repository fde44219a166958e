/* SPDX-License-Identifier: BSD-3-Clause */
/* pace.h - how a job gives way to the guests of its disk. */
#ifndef VHDI_PACE_H
#define VHDI_PACE_H
#include <stdbool.h>
#include <stdint.h>

#include "chain/chain.h"

struct pace {
	struct chain *c; /* NULL: nobody to give way to */
	uint64_t visits; /* of guests, when it was last looked */
	int64_t looked;  /* when that was, in ns */
	bool busy;       /* guests had come since the look before */
};

void pace_start(struct pace *p, struct chain *c, int64_t now);

/* A piece of work is done: for how long, in ns, to leave the disk to its
 * guests now. */
int64_t pace_rest(struct pace *p, int64_t now);

/* The rest is over. */
void pace_resume(struct pace *p, int64_t now);
#endif
