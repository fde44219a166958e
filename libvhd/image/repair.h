/* SPDX-License-Identifier: BSD-3-Clause */
/* repair.h - the parts of a repair, in the order in which they run:
 *	repair.c         the footers, and how the file ends
 *	repair_header.c  the dynamic header
 *	repair_blocks.c  the batmap, bitmaps and the table
 *
 * No part changes what a guest reads.  Nothing is written where a block has
 * its data; but for the footers nothing is written at all while the structure
 * of the file is in doubt. */
#ifndef VHDI_REPAIR_H
#define VHDI_REPAIR_H
#include "image/check.h"
#include "image/patch.h"

struct repair {
	struct check *c;
	struct patcher patcher;
	struct footer footer; /* as it should be */
};

/* Mark those findings as not repairable that this file does not allow. */
int repair_foresee(struct check *c) MUST_CHECK;

/* Would writing here leave all blocks alone? */
bool repair_is_safe(const struct check *c, uint64_t offset, uint64_t length);

/* Nothing refers to this range, and it is in front of the end footer. */
int repair_in_gap(bool *ret, struct check *c, uint64_t offset,
		  uint64_t length) MUST_CHECK;

int repair_header(struct repair *r) MUST_CHECK;
int repair_batmap(struct repair *r) MUST_CHECK;
int repair_blocks(struct repair *r) MUST_CHECK;
#endif
