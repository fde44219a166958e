/* SPDX-License-Identifier: BSD-3-Clause */
/* bits.c - runs of bits, whole bytes and words at a time.
 *
 * Words are only ever compared with all zeros or all ones, so their byte
 * order does not matter. */
#include "base/bits.h"

#include <string.h>

/* The bits of a byte from position first on. */
static uint8_t
mask_from(uint32_t first)
{
	return (uint8_t)(0xff >> (first & 7));
}

/* The bits of a byte before position end; all when end is on a boundary. */
static uint8_t
mask_before(uint32_t end)
{
	return (uint8_t) ~(end & 7 ? 0xff >> (end & 7) : 0);
}

static void
apply(uint8_t *byte, uint8_t mask, bool value)
{
	*byte = (uint8_t)(value ? *byte | mask : *byte & ~mask);
}

static void
fill(uint8_t *map, uint32_t first, uint32_t count, bool value)
{
	uint32_t end = first + count, byte = first >> 3, last;

	if (!count)
		return;
	last = (end - 1) >> 3;
	if (byte == last) {
		apply(&map[byte], mask_from(first) & mask_before(end), value);
		return;
	}
	apply(&map[byte], mask_from(first), value);
	memset(&map[byte + 1], value ? 0xff : 0, last - byte - 1);
	apply(&map[last], mask_before(end), value);
}

void
bits_set(uint8_t *map, uint32_t first, uint32_t count)
{
	fill(map, first, count, true);
}

void
bits_clear(uint8_t *map, uint32_t first, uint32_t count)
{
	fill(map, first, count, false);
}

static bool
word_is(const uint8_t *at, uint8_t byte)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word == (byte ? UINT64_MAX : 0);
}

/* How many bits from first on, at most limit, are value? */
static uint32_t
run_of(const uint8_t *map, uint32_t first, uint32_t limit, bool value)
{
	uint8_t full = value ? 0xff : 0;
	uint32_t left = limit;

	while (left) {
		uint32_t i = first + (limit - left);
		bool aligned = !(i & 7);

		if (aligned && left >= 64 && word_is(&map[i >> 3], full))
			left -= 64;
		else if (aligned && left >= 8 && map[i >> 3] == full)
			left -= 8;
		else if (bit_get(map, i) == value)
			left--;
		else
			break;
	}
	return limit - left;
}

uint32_t
bits_run(const uint8_t *map, uint32_t first, uint32_t limit)
{
	return run_of(map, first, limit, bit_get(map, first));
}

bool
bits_all_set(const uint8_t *map, uint32_t first, uint32_t count)
{
	return run_of(map, first, count, true) == count;
}

bool
bits_none_set(const uint8_t *map, uint32_t first, uint32_t count)
{
	return run_of(map, first, count, false) == count;
}

uint32_t
bits_count(const uint8_t *map, uint32_t first, uint32_t count)
{
	uint32_t end = first + count, byte = first >> 3, last, n;

	if (!count)
		return 0;
	last = (end - 1) >> 3;
	if (byte == last)
		return (uint32_t)__builtin_popcount(
			map[byte] & mask_from(first) & mask_before(end));
	n = (uint32_t)__builtin_popcount(map[byte] & mask_from(first));
	for (byte++; byte < last; byte++)
		n += (uint32_t)__builtin_popcount(map[byte]);
	return n + (uint32_t)__builtin_popcount(map[last] & mask_before(end));
}
