/* SPDX-License-Identifier: BSD-3-Clause */
/* checksum.c - what footer and header are summed up by (format 3.2). */
#include "format/footer.h"

uint32_t
vhd_checksum(const void *bytes, uint32_t length, uint32_t field)
{
	const uint8_t *b = bytes;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum += b[i];
	for (uint32_t i = field; i < length && i - field < 4; i++)
		sum -= b[i];
	return ~sum;
}
