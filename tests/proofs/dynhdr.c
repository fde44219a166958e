/* SPDX-License-Identifier: BSD-3-Clause */
/* dynhdr.c - any 1024 bytes are decoded within their bounds, and what is said
 * to be usable can be shifted and multiplied with. */
#include "format/dynhdr.h"
#include "base/arith.h"
#include "format/footer.h"
#include "proof.h"

uint32_t
vhd_checksum(const void *bytes, uint32_t length, uint32_t field)
{
	uint32_t any;

	(void)bytes;
	(void)length;
	(void)field;
	return any;
}

int
main(void)
{
	struct disk_dynhdr disk;
	struct dynhdr hdr;
	uint64_t bytes, size;

	if (dynhdr_decode(&hdr, &disk) != DYNHDR_OK)
		return 0;
	CLAIM(is_pow2(hdr.block_size));
	CLAIM(hdr.block_size >= SECTOR_SIZE);
	CLAIM(hdr.block_size <= MAX_BLOCK_SIZE);
	CLAIM(hdr.max_entries > 0);
	CLAIM(mul_ok(&bytes, hdr.max_entries, 4));
	CLAIM(mul_ok(&size, hdr.max_entries, hdr.block_size));
	for (int i = 0; i < MAX_LOCATORS; i++)
		CLAIM(locator_space(&hdr.locator[i]) <= UINT64_C(1) << 41);
	return 0;
}
