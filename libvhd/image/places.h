/* SPDX-License-Identifier: BSD-3-Clause */
/* places.h - what is where in a file: metadata, and blocks in file order.
 *
 * Nothing here trusts its input: places may lie outside the file and may
 * overlap; ends saturate at UINT64_MAX. */
#ifndef VHDI_PLACES_H
#define VHDI_PLACES_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/dynhdr.h"

#define MAX_METADATA (MAX_LOCATORS + 5)

struct place {
	uint64_t start;
	uint64_t end; /* exclusive */
	const char *what;
};

extern const char what_locator[]; /* the `what` of locator data */

static inline bool
places_meet(const struct place *a, const struct place *b)
{
	return a->start < b->end && b->start < a->end;
}

struct place place_make(uint64_t start, uint64_t length, const char *what);

/* The footer copy, the header and the table, in this order, locator data and,
 * where batmap_offset is not 0, XenServer's batmap.  Returns how many. */
size_t places_of_metadata(struct place ret[static MAX_METADATA],
			  uint64_t data_offset, const struct dynhdr *hdr,
			  uint64_t batmap_offset, uint64_t batmap_bytes);

/* Bytes of the table, whole sectors. */
uint64_t bat_bytes(const struct dynhdr *hdr);

/* Bytes of a sector bitmap, whole sectors (format 10). */
uint32_t bitmap_bytes_for(uint32_t block_size);

/* Sort block numbers by their entry in the table.  In place, O(n); nobody
 * changes the entries meanwhile. */
void blocks_sort(uint32_t *blocks, size_t n, const _Atomic uint32_t *bat);

static inline uint32_t
bat_get(const _Atomic uint32_t *bat, uint32_t block)
{
	return atomic_load_explicit(&bat[block], memory_order_relaxed);
}
#endif
