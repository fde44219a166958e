/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * size.c - "64G" to bytes, and bytes to "64 GiB".
 */
#include "size.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char units[] = "KMGT";

/* The number of bits that a suffix shifts by; -1: no such suffix. */
static int
unit_shift(const char *suffix)
{
	const char *unit;

	if (*suffix == '\0')
		return 0;
	unit = strchr(units, toupper((unsigned char)*suffix));
	if (!unit || (suffix[1] != '\0' && strcasecmp(suffix + 1, "iB") != 0))
		return -1;
	return 10 * (int)(unit - units + 1);
}

bool
size_parse(uint64_t *ret, const char *text)
{
	uint64_t n = 0;
	int shift;

	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text); text++) {
		unsigned int digit = (unsigned int)(*text - '0');

		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)digit, &n))
			return false;
	}
	shift = unit_shift(text);
	if (shift < 0 || n > (uint64_t)INT64_MAX >> shift)
		return false;
	*ret = n << shift;
	return true;
}

const char *
size_print(char buf[SIZE_TEXT_MAX], uint64_t bytes)
{
	unsigned int unit = 0;
	uint64_t tenths;

	if (bytes < 1024) {
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 " byte%s", bytes,
			 bytes == 1 ? "" : "s");
		return buf;
	}
	while (unit < strlen(units) - 1 && bytes >> (10 * (unit + 2)) != 0)
		unit++;
	/* Divided first, so that nothing overflows; then rounded. */
	tenths = (bytes >> (10 * unit)) * 10;
	tenths = (tenths + 512) / 1024;
	if (tenths >= 10240 && unit < strlen(units) - 1) {
		unit++;
		tenths = 10;
	}
	if (tenths % 10 == 0)
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 " %ciB", tenths / 10,
			 units[unit]);
	else
		snprintf(buf, SIZE_TEXT_MAX, "%" PRIu64 ".%" PRIu64 " %ciB",
			 tenths / 10, tenths % 10, units[unit]);
	return buf;
}
