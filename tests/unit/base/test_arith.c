/* SPDX-License-Identifier: BSD-3-Clause */
/* test_arith.c - arith.h, bytes.h and iszero.h at their edges. */
#include "base/arith.h"

#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/iszero.h"

static void
test_overflow_is_refused_and_leaves_the_result(void **state)
{
	uint64_t v = 42;

	(void)state;
	assert_false(add_ok(&v, UINT64_MAX, 1));
	assert_false(mul_ok(&v, UINT64_C(1) << 32, UINT64_C(1) << 32));
	assert_true(v == 42);
	assert_true(add_ok(&v, UINT64_MAX - 1, 1) && v == UINT64_MAX);
	assert_true(mul_ok(&v, UINT32_MAX, UINT32_MAX));
	assert_true(v == UINT64_C(0xfffffffe00000001));
}

static void
test_range_ok_at_its_edges(void **state)
{
	(void)state;
	assert_true(range_ok(0, 0, 0));
	assert_true(range_ok(10, 0, 10));
	assert_true(range_ok(3, 7, 10));
	assert_false(range_ok(3, 8, 10));
	assert_false(range_ok(11, 0, 10));
	assert_false(range_ok(1, UINT64_MAX, UINT64_MAX));
	assert_false(range_ok(UINT64_MAX, 2, 10));
}

static void
test_ranges_that_touch_do_not_overlap(void **state)
{
	(void)state;
	assert_false(ranges_overlap(0, 10, 10, 10));
	assert_false(ranges_overlap(10, 10, 0, 10));
	assert_true(ranges_overlap(0, 11, 10, 10));
	assert_true(ranges_overlap(10, 1, 0, 11));
	assert_true(ranges_overlap(5, 1, 0, 10));
	assert_false(ranges_overlap(5, 0, 0, 10));
	assert_true(ranges_overlap(0, UINT64_MAX, UINT64_MAX - 1, 1));
}

static void
test_ceil_div_does_not_overflow(void **state)
{
	(void)state;
	assert_true(ceil_div(0, 512) == 0);
	assert_true(ceil_div(512, 512) == 1);
	assert_true(ceil_div(513, 512) == 2);
	assert_true(ceil_div(UINT64_MAX, 2) == UINT64_C(1) << 63);
}

static void
test_rounding_keeps_multiples(void **state)
{
	(void)state;
	assert_true(round_up(4096, 4096) == 4096);
	assert_true(round_up(4097, 4096) == 8192);
	assert_true(round_down(4095, 4096) == 0);
	assert_true(round_down(8191, 4096) == 4096);
}

static void
test_is_pow2(void **state)
{
	(void)state;
	assert_false(is_pow2(0));
	assert_true(is_pow2(1));
	assert_true(is_pow2(UINT64_C(1) << 63));
	assert_false(is_pow2(3));
	assert_false(is_pow2(UINT64_MAX));
}

static void
test_integers_survive_bytes(void **state)
{
	static const uint8_t be[8] = {0xfe, 1, 2, 3, 4, 5, 6, 0xff};
	uint8_t b[8];

	(void)state;
	assert_int_equal(load_be16(be), 0xfe01);
	assert_int_equal(load_le16(be), 0x01fe);
	assert_true(load_be32(be) == 0xfe010203);
	assert_true(load_be64(be) == UINT64_C(0xfe010203040506ff));
	store_be64(b, load_be64(be));
	assert_memory_equal(b, be, 8);
	store_be16(b, 0x1234);
	store_le16(b + 2, 0x1234);
	store_be32(b + 4, 0x89abcdef);
	assert_memory_equal(b, "\x12\x34\x34\x12\x89\xab\xcd\xef", 8);
}

static void
test_tables_may_be_converted_in_place(void **state)
{
	union {
		uint8_t bytes[8];
		uint32_t value[2];
	} table = {{0, 0, 0, 15, 0xff, 0xff, 0xff, 0xfe}};

	(void)state;
	load_be32_table(table.value, table.bytes, 2);
	assert_int_equal(table.value[0], 15);
	assert_true(table.value[1] == 0xfffffffe);
}

static void
test_is_zero_sees_every_byte(void **state)
{
	uint8_t buf[100] = {0};

	(void)state;
	for (size_t len = 0; len <= sizeof(buf); len++)
		assert_true(is_zero(buf, len));
	for (size_t at = 0; at < sizeof(buf); at++) {
		buf[at] = 1;
		assert_false(is_zero(buf, sizeof(buf)));
		assert_true(is_zero(buf, at));
		assert_false(is_zero(buf, at + 1));
		buf[at] = 0;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_overflow_is_refused_and_leaves_the_result),
		cmocka_unit_test(test_range_ok_at_its_edges),
		cmocka_unit_test(test_ranges_that_touch_do_not_overlap),
		cmocka_unit_test(test_ceil_div_does_not_overflow),
		cmocka_unit_test(test_rounding_keeps_multiples),
		cmocka_unit_test(test_is_pow2),
		cmocka_unit_test(test_integers_survive_bytes),
		cmocka_unit_test(test_tables_may_be_converted_in_place),
		cmocka_unit_test(test_is_zero_sees_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
