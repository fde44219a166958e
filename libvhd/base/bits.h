/* SPDX-License-Identifier: BSD-3-Clause */
/* bits.h - runs of bits in a bitmap whose first bit is the most significant
 * bit of its first byte, as sector bitmaps are (format 11.2).
 *
 * Positions and counts are bits.  None of these functions allocates. */
#ifndef VHDI_BITS_H
#define VHDI_BITS_H
#include <stdbool.h>
#include <stdint.h>

static inline bool
bit_get(const uint8_t *map, uint32_t i)
{
	return map[i >> 3] & (0x80 >> (i & 7));
}

void bits_set(uint8_t *map, uint32_t first, uint32_t count);
void bits_clear(uint8_t *map, uint32_t first, uint32_t count);

/* How many bits from first on, at most limit, have the value of the first?
 * limit > 0. */
uint32_t bits_run(const uint8_t *map, uint32_t first, uint32_t limit);

bool bits_all_set(const uint8_t *map, uint32_t first, uint32_t count);
bool bits_none_set(const uint8_t *map, uint32_t first, uint32_t count);
uint32_t bits_count(const uint8_t *map, uint32_t first, uint32_t count);
#endif
