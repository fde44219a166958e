/* SPDX-License-Identifier: BSD-3-Clause */
/* bits.c - a run of bits is set and nothing else, and no byte outside of the
 * map is touched. */
#include "base/bits.h"
#include "proof.h"

#define BITS 24u

int
main(void)
{
	uint8_t map[BITS / 8], was[BITS / 8];
	uint32_t first, count, i;

	for (i = 0; i < sizeof(map); i++)
		was[i] = map[i];
	GIVEN(first <= BITS && count <= BITS - first);
	bits_set(map, first, count);
	GIVEN(i < BITS);
	CLAIM(bit_get(map, i) ==
	      ((i >= first && i - first < count) || bit_get(was, i)));
	CLAIM(bits_all_set(map, first, count));
	if (first < BITS)
		CLAIM(bits_run(map, first, BITS - first) >=
		      (count ? count : 1));
	return 0;
}
