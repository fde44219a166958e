/* SPDX-License-Identifier: BSD-3-Clause */
/* arith.h - arithmetic on sizes that may come from a hostile file. */
#ifndef VHDI_ARITH_H
#define VHDI_ARITH_H
#include <stdbool.h>
#include <stdint.h>

#define SECTOR_SIZE  512u
#define SECTOR_SHIFT 9

/* False on overflow, and *ret is then untouched. */
static inline bool
add_ok(uint64_t *ret, uint64_t a, uint64_t b)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*ret = sum;
	return true;
}

static inline bool
mul_ok(uint64_t *ret, uint64_t a, uint64_t b)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*ret = product;
	return true;
}

/* Is [offset, offset + length) inside [0, size)? */
static inline bool
range_ok(uint64_t offset, uint64_t length, uint64_t size)
{
	return offset <= size && length <= size - offset;
}

static inline bool
ranges_overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a_len && b_len && (a < b ? b - a < a_len : a - b < b_len);
}

static inline bool
is_pow2(uint64_t v)
{
	return v && !(v & (v - 1));
}

static inline uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t
max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* b must not be 0. */
static inline uint64_t
ceil_div(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

/* to is a power of two; the caller knows that v + to does not overflow. */
static inline uint64_t
round_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) & ~(to - 1);
}

static inline uint64_t
round_down(uint64_t v, uint64_t to)
{
	return v & ~(to - 1);
}
#endif
