/* SPDX-License-Identifier: BSD-3-Clause */
/* batmap.h - keep XenServer's map of full blocks true (format 15.2). */
#ifndef VHDI_BATMAP_H
#define VHDI_BATMAP_H
#include <stddef.h>

#include "base/error.h"
#include "format/footer.h"
#include "format/layout.h"

#define BATMAP_SIGNED   0x00010001u /* its checksum adds signed bytes */
#define BATMAP_UNSIGNED 0x00010002u

struct image;
struct bat_change;

/* Does whoever made the image look for a map, and must he find one? */
bool batmap_is_possible(const struct footer *f);
bool batmap_is_due(const struct footer *f);

/* Can the map be where its header says?  That the file reaches so far is for
 * the caller to see: a file grows. */
bool batmap_is_sane(const struct disk_batmap *disk, uint64_t blocks,
		    uint32_t max_entries);

/* Clear the bits of these blocks; a clear bit is always safe.  Nothing to do
 * in an image without such a map. */
int batmap_clear(struct image *img, const struct bat_change *changes,
		 size_t n) MUST_CHECK;
#endif
