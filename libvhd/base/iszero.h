/* SPDX-License-Identifier: BSD-3-Clause */
/* iszero.h - is this buffer all zero? */
#ifndef VHDI_ISZERO_H
#define VHDI_ISZERO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first bytes decide most buffers; the rest is compared with itself
 * shifted, which the C library does with vectors. */
static inline bool
is_zero(const void *buf, size_t len)
{
	const uint8_t *b = buf;
	size_t head = len < 16 ? len : 16;

	for (size_t i = 0; i < head; i++)
		if (b[i])
			return false;
	return len <= 16 || memcmp(b, b + 16, len - 16) == 0;
}
#endif
