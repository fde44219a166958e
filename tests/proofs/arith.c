/* SPDX-License-Identifier: BSD-3-Clause */
/* arith.c - the arithmetic that all offsets go through. */
#include "base/arith.h"
#include "proof.h"

int
main(void)
{
	uint64_t offset, length, size, sum = 7, b, b_len;
	bool fits = range_ok(offset, length, size);

	if (fits) {
		CLAIM(add_ok(&sum, offset, length));
		CLAIM(sum <= size);
	}
	if (add_ok(&sum, offset, length))
		CLAIM(fits == (offset + length <= size));
	else
		CLAIM(sum == 7 && !fits);
	/* A common byte is an overlap, and only that is. */
	if (add_ok(&sum, offset, length) && add_ok(&sum, b, b_len))
		CLAIM(ranges_overlap(offset, length, b, b_len) ==
		      (offset < b + b_len && b < offset + length && length &&
		       b_len));
	return 0;
}
