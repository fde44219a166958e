/* SPDX-License-Identifier: BSD-3-Clause */
/* punch.h - give freed regions back to the file system, and to new blocks.
 *
 * Between the flush that made their freeing durable (P10) and the punching they
 * are loose: nobody's, and not to be given out.  A flush only makes them so,
 * because a hole may cost more than a guest should wait for. */
#ifndef VHDI_IMAGE_PUNCH_H
#define VHDI_IMAGE_PUNCH_H
#include "image/image.h"

/* What a flush published as freed is loose from now on. [lock] */
int punch_later(struct image *img, const struct pending *published) MUST_CHECK;

/* Make holes of regions; where there can be none, nothing happens. */
void punch_regions(struct image *img, struct region *list, size_t n);
#endif
