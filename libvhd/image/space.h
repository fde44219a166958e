/* SPDX-License-Identifier: BSD-3-Clause */
/* space.h - where in the file the next block goes.
 *
 * The file grows by extents of several regions, so that steady allocation
 * rewrites no footer.  A region is room for one block: its bitmap and data,
 * the data on a 4 KiB boundary.  Regions that no entry names are kept here,
 * lowest first. */
#ifndef VHDI_SPACE_H
#define VHDI_SPACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define REGION_DIRTY UINT64_MAX /* holds anything */

struct region {
	uint64_t offset;   /* of the bitmap, bytes */
	uint64_t prepared; /* image.sync_started when it was zeroed and given a
			    * full bitmap; durable once sync_done is greater.
			    * REGION_DIRTY: it was not */
};

struct space {
	struct region *free; /* by offset */
	size_t nfree, room;
	uint32_t batch;   /* regions in the next extent */
	uint64_t scanned; /* gaps below this are in free */
	uint64_t floor;   /* nothing below this is given out */
};

struct image;

/* Room for one block, below `below` (UINT64_MAX: anywhere; extends the file
 * if need be).  VHD_E_NOSPACE, VHD_E_NOTFOUND when none lies below. [lock] */
int space_take(struct region *ret, struct image *img,
	       uint64_t below) MUST_CHECK;

/* Back to the free regions. [lock] */
int space_give(struct image *img, struct region region);

/* How many free regions are ready for a dynamic image? [lock] */
size_t space_prepared(const struct image *img);

/* Have prepared regions ready for a dynamic image before its next flush, so
 * that the flush makes them durable. [lock] */
int space_prepare_ahead(struct image *img);

/* Have the file reach beyond `end`: an end footer first, so that there is one
 * at the new end as soon as there is a new end. [lock] */
int space_reach(struct image *img, uint64_t end) MUST_CHECK;

/* What is behind `end` is free no more, until it is found again: it may have
 * been written to, or cut off. [lock] */
void space_cut(struct image *img, uint64_t end);

void space_free(struct space *space);
#endif
