/* SPDX-License-Identifier: BSD-3-Clause */
/* room.h - free room for metadata: a header, a locator.
 *
 * First between the structures in front of the blocks, where an image made by
 * us keeps some; otherwise behind the end of the file, with an end footer
 * behind it. */
#ifndef VHDI_ROOM_H
#define VHDI_ROOM_H
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ROOM_LOCATOR 4096u /* bytes for one locator's data */
#define ROOM_MOST    8

struct image;

/* What was taken for one change. */
struct room {
	struct {
		uint64_t offset, length;
	} taken[ROOM_MOST];
	unsigned n;
};

/* A free place for length bytes, distinct from all taken before; no block will
 * be put there. */
int room_take(uint64_t *ret, struct room *room, struct image *img,
	      uint64_t length) MUST_CHECK;
#endif
