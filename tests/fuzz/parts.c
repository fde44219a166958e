/* SPDX-License-Identifier: BSD-3-Clause */
/* parts.c - an input of several parts. */
#include "fuzz.h"

#include <string.h>

static size_t
load_le32(const uint8_t b[static 4])
{
	return (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 |
	       (size_t)b[3] << 24;
}

void
fuzz_split(struct part *ret, unsigned n, const uint8_t *data, size_t size)
{
	for (unsigned i = 0; i < n; i++) {
		size_t length = size;

		if (i + 1 < n && size >= 4) {
			length = load_le32(data);
			data += 4;
			size -= 4;
			if (length > size)
				length = size;
		}
		ret[i] = (struct part){data, length};
		data += length;
		size -= length;
	}
}
