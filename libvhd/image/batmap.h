/* SPDX-License-Identifier: BSD-3-Clause */
/* batmap.h - keep XenServer's map of full blocks true (format 15.2). */
#ifndef VHDI_BATMAP_H
#define VHDI_BATMAP_H
#include <stddef.h>

#include "base/error.h"

struct image;
struct bat_change;

/* Clear the bits of these blocks; a clear bit is always safe.  Nothing to do
 * in an image without such a map. */
int batmap_clear(struct image *img, const struct bat_change *changes,
		 size_t n) MUST_CHECK;
#endif
