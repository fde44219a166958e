/* SPDX-License-Identifier: BSD-3-Clause */
/* geometry.c - for every size of up to 64 MiB the geometry has no more than the
 * size, and none of its fields loses a bit. */
#include "format/footer.h"
#include "proof.h"

int
main(void)
{
	uint64_t size;
	struct geometry g;

	GIVEN(size <= UINT64_C(64) << 20);
	g = geometry_for(size);
	CLAIM(geometry_bytes(g) <= size);
	CLAIM(g.heads >= 4 && g.heads <= 16);
	CLAIM(g.sectors == 17 || g.sectors == 31 || g.sectors == 63);
	return 0;
}
