/* SPDX-License-Identifier: BSD-3-Clause */
/* places.c - whatever a header says, what it takes in the file has a beginning
 * and an end behind it, and the table's is long enough for every entry. */
#include "image/places.h"
#include "base/arith.h"
#include "proof.h"

int
main(void)
{
	struct place place[MAX_METADATA];
	struct dynhdr hdr;
	uint64_t data_offset, batmap_offset, batmap_bytes;
	uint32_t shift;
	size_t n = places_of_metadata(place, data_offset, &hdr, batmap_offset,
				      batmap_bytes);

	CLAIM(n >= 3 && n <= MAX_METADATA);
	for (size_t i = 0; i < n; i++)
		CLAIM(place[i].start <= place[i].end);
	CLAIM(bat_bytes(&hdr) >= 4 * (uint64_t)hdr.max_entries);
	CLAIM(bat_bytes(&hdr) % SECTOR_SIZE == 0);
	GIVEN(shift >= SECTOR_SHIFT && shift <= 28);
	CLAIM(bitmap_bytes_for(1u << shift) * 8ull >=
	      (1u << shift) / SECTOR_SIZE);
	return 0;
}
