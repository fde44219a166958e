/* SPDX-License-Identifier: BSD-3-Clause */
/* pending.h - the lists of what the next flush has to publish. */
#ifndef VHDI_PENDING_H
#define VHDI_PENDING_H
#include <stddef.h>

#include "base/error.h"

struct image;
struct pending;

/* Make room for this many more of each, or change nothing. [lock] */
int pending_reserve(struct pending *p, size_t bat, size_t bitmaps,
		    size_t freed) MUST_CHECK;

/* Move what is pending to what is being published, as it is at this instant:
 * entries with their values, bitmaps with copies of their bits (P5).  Changes
 * nothing when it fails. [lock] */
int pending_take(struct image *img) MUST_CHECK;

/* A flush could not publish: everything is pending again. [lock] */
int pending_put_back(struct image *img) MUST_CHECK;

/* Everything was published: forget the lists. [lock] */
void pending_done(struct image *img);
#endif
