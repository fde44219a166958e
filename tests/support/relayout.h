/* SPDX-License-Identifier: BSD-3-Clause */
/* relayout.h - new images whose metadata lies where other products put it
 * (format 12.1). */
#ifndef VHD_TEST_RELAYOUT_H
#define VHD_TEST_RELAYOUT_H
#include "base/error.h"
#include "io/io.h"

enum layout {
	LAYOUT_OURS,
	LAYOUT_BEHIND, /* the locators behind the table, one sector each */
	LAYOUT_BEFORE, /* the same in front of it */
	LAYOUT_AROUND, /* one in front, others with much room behind */
	LAYOUT_FAR,    /* the table far from the header */
	LAYOUT_COUNT,
};

/* A dynamic or differencing image without blocks, as image_format made it.
 * Its end footer follows at once. */
int relayout(struct io *io, enum layout layout) MUST_CHECK;
#endif
