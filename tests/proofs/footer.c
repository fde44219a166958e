/* SPDX-License-Identifier: BSD-3-Clause */
/* footer.c - any 512 bytes are decoded within their bounds, what is said to be
 * usable is so, and encoding gives each byte back but for the checksum. */
#include "format/footer.h"
#include "proof.h"

uint32_t
vhd_checksum(const void *bytes, uint32_t length, uint32_t field)
{
	uint32_t any;

	(void)bytes;
	(void)length;
	(void)field;
	GIVEN(any < UINT32_MAX - 255); /* the cookie alone has more */
	return any;
}

int
main(void)
{
	struct disk_footer disk, again;
	struct footer f;
	size_t at;

	if (footer_decode(&f, &disk) != FOOTER_OK)
		return 0;
	CLAIM(f.current_size > 0);
	CLAIM(f.current_size <= UINT64_C(1) << 63);
	CLAIM(f.type >= VHD_TYPE_FIXED && f.type <= VHD_TYPE_DIFFERENCING);
	footer_encode(&again, &f);
	GIVEN(at < sizeof(disk));
	GIVEN(at < offsetof(struct disk_footer, checksum) ||
	      at >= offsetof(struct disk_footer, uuid));
	CLAIM(((uint8_t *)&again)[at] == ((uint8_t *)&disk)[at]);
	return 0;
}
