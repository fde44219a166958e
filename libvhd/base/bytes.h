/* SPDX-License-Identifier: BSD-3-Clause */
/* bytes.h - integers in byte arrays.
 *
 * Everything in a VHD is big-endian except UTF-16 in Windows locators.  These
 * are the only functions in the tree that know about byte order; they need no
 * alignment, and no swapped value is ever held in an integer variable. */
#ifndef VHDI_BYTES_H
#define VHDI_BYTES_H
#include <stddef.h>
#include <stdint.h>

static inline uint16_t
load_be16(const uint8_t b[static 2])
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint16_t
load_le16(const uint8_t b[static 2])
{
	return (uint16_t)(b[1] << 8 | b[0]);
}

static inline uint32_t
load_be32(const uint8_t b[static 4])
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 |
	       (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t
load_be64(const uint8_t b[static 8])
{
	return (uint64_t)load_be32(b) << 32 | load_be32(b + 4);
}

static inline void
store_be16(uint8_t b[static 2], uint16_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static inline void
store_le16(uint8_t b[static 2], uint16_t v)
{
	b[1] = (uint8_t)(v >> 8);
	b[0] = (uint8_t)v;
}

static inline void
store_be32(uint8_t b[static 4], uint32_t v)
{
	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

static inline void
store_be64(uint8_t b[static 8], uint64_t v)
{
	store_be32(b, (uint32_t)(v >> 32));
	store_be32(b + 4, (uint32_t)v);
}

/* Whole tables, such as the BAT: n integers, in place or between buffers. */
static inline void
load_be32_table(uint32_t *ret, const uint8_t *from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = load_be32(from + 4 * i);
}
#endif
