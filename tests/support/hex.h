/* SPDX-License-Identifier: BSD-3-Clause */
/* hex.h - bytes written as people read them: "63 6f 6e". */
#ifndef VHD_TEST_HEX_H
#define VHD_TEST_HEX_H
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Put the bytes of text at ret; how many there were. */
static inline size_t
hex_put(void *ret, const char *text)
{
	uint8_t *to = ret;
	char *end;

	for (;; text = end) {
		unsigned long v = strtoul(text, &end, 16);

		if (end == text)
			return (size_t)(to - (uint8_t *)ret);
		*to++ = (uint8_t)v;
	}
}
#endif
