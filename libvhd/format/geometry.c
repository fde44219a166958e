/* SPDX-License-Identifier: BSD-3-Clause */
/* geometry.c - cylinders, heads and sectors out of a size.
 *
 * Nothing in this library uses the geometry to find data; it is computed so
 * that what we write agrees with what Windows would have written. */
#include "base/arith.h"
#include "format/footer.h"

#define MAX_CHS_SECTORS (65535u * 16 * 255)
#define LARGE_SECTORS   (65535u * 16 * 63)

/* Format 6.1; the order of the tests matters, each sees the last one's
 * results. */
struct geometry
geometry_for(uint64_t size)
{
	uint32_t n = (uint32_t)min_u64(size / SECTOR_SIZE, MAX_CHS_SECTORS);
	uint32_t sectors = 255, heads = 16, tracks = n / 255;

	if (n < LARGE_SECTORS) {
		sectors = 17;
		tracks = n / 17;
		heads = (tracks + 1023) / 1024;
		if (heads < 4)
			heads = 4;
		if (tracks >= heads * 1024 || heads > 16) {
			sectors = 31;
			heads = 16;
			tracks = n / 31;
		}
		if (tracks >= heads * 1024) {
			sectors = 63;
			heads = 16;
			tracks = n / 63;
		}
	}
	return (struct geometry){
		.cylinders = (uint16_t)(tracks / heads),
		.heads = (uint8_t)heads,
		.sectors = (uint8_t)sectors,
	};
}

uint64_t
geometry_bytes(struct geometry g)
{
	return (uint64_t)g.cylinders * g.heads * g.sectors * SECTOR_SIZE;
}
