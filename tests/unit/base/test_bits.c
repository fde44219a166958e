/* SPDX-License-Identifier: BSD-3-Clause */
/* test_bits.c - every run of a short map, against a map of one byte a bit. */
#include "base/bits.h"

#include <string.h>

#include <cmocka.h>

#define BITS 200u

/* The plain truth beside the map under test. */
struct pair {
	uint8_t map[BITS / 8];
	bool bit[BITS];
};

static void
assert_same(const struct pair *p, uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < BITS; i++)
		if (bit_get(p->map, i) != p->bit[i])
			fail_msg("%u bits from %u on: bit %u is %d", count,
				 first, i, !p->bit[i]);
}

static void
pair_fill(struct pair *p, uint32_t first, uint32_t count, bool value)
{
	if (value)
		bits_set(p->map, first, count);
	else
		bits_clear(p->map, first, count);
	for (uint32_t i = first; i < first + count; i++)
		p->bit[i] = value;
}

/* Ones between first and end, zeros outside. */
static void
pair_init(struct pair *p, uint32_t first, uint32_t count)
{
	memset(p, 0, sizeof(*p));
	pair_fill(p, first, count, true);
}

static void
test_first_bit_is_the_highest_of_the_first_byte(void **state)
{
	uint8_t map[2] = {0};

	(void)state;
	bits_set(map, 0, 1);
	assert_int_equal(map[0], 0x80);
	bits_set(map, 15, 1);
	assert_int_equal(map[1], 0x01);
}

static void
test_set_changes_exactly_the_run(void **state)
{
	struct pair p;

	(void)state;
	for (uint32_t first = 0; first < 70; first++)
		for (uint32_t n = 0; n <= BITS - first; n++) {
			pair_init(&p, first, n);
			assert_same(&p, first, n);
		}
}

static void
test_clear_changes_exactly_the_run(void **state)
{
	struct pair p;

	(void)state;
	for (uint32_t first = 0; first < 70; first++)
		for (uint32_t n = 0; n <= BITS - first; n++) {
			pair_init(&p, 0, BITS);
			pair_fill(&p, first, n, false);
			assert_same(&p, first, n);
		}
}

static void
test_run_ends_where_the_value_changes(void **state)
{
	struct pair p;

	(void)state;
	for (uint32_t end = 1; end < BITS; end++)
		for (uint32_t first = 0; first < end; first++) {
			pair_init(&p, 0, end);
			assert_int_equal(bits_run(p.map, first, BITS - first),
					 end - first);
			pair_init(&p, end, BITS - end);
			assert_int_equal(bits_run(p.map, first, BITS - first),
					 end - first);
		}
}

static void
test_run_never_exceeds_the_limit(void **state)
{
	uint8_t map[BITS / 8];

	(void)state;
	memset(map, 0xff, sizeof(map));
	for (uint32_t first = 0; first < 20; first++)
		for (uint32_t limit = 1; limit <= BITS - first; limit++)
			assert_int_equal(bits_run(map, first, limit), limit);
}

static void
test_run_does_not_read_past_the_limit(void **state)
{
	/* An exact buffer: a sanitizer sees a byte too many. */
	uint8_t *map = test_malloc(3);

	(void)state;
	memset(map, 0, 3);
	assert_int_equal(bits_run(map, 3, 21), 21);
	assert_true(bits_none_set(map, 0, 24));
	assert_int_equal(bits_count(map, 1, 23), 0);
	test_free(map);
}

static void
test_all_and_none_look_at_the_run_only(void **state)
{
	struct pair p;

	(void)state;
	for (uint32_t first = 1; first < 70; first++)
		for (uint32_t n = 1; n < BITS - first; n++) {
			pair_init(&p, first, n);
			assert_true(bits_all_set(p.map, first, n));
			assert_false(bits_all_set(p.map, first - 1, n));
			assert_false(bits_all_set(p.map, first, n + 1));
			assert_true(bits_none_set(p.map, 0, first));
			assert_false(bits_none_set(p.map, 0, first + 1));
		}
}

static void
test_empty_run_is_both_all_and_none(void **state)
{
	uint8_t map[1] = {0x55};

	(void)state;
	assert_true(bits_all_set(map, 3, 0));
	assert_true(bits_none_set(map, 3, 0));
	assert_int_equal(bits_count(map, 3, 0), 0);
}

static void
test_count_counts_the_run_only(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 0, BITS);
	for (uint32_t first = 0; first < 70; first++)
		for (uint32_t n = 0; n <= BITS - first; n++)
			assert_int_equal(bits_count(p.map, first, n), n);
	pair_fill(&p, 8, BITS - 16, false);
	assert_int_equal(bits_count(p.map, 0, BITS), 16);
	assert_int_equal(bits_count(p.map, 4, BITS - 8), 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_first_bit_is_the_highest_of_the_first_byte),
		cmocka_unit_test(test_set_changes_exactly_the_run),
		cmocka_unit_test(test_clear_changes_exactly_the_run),
		cmocka_unit_test(test_run_ends_where_the_value_changes),
		cmocka_unit_test(test_run_never_exceeds_the_limit),
		cmocka_unit_test(test_run_does_not_read_past_the_limit),
		cmocka_unit_test(test_all_and_none_look_at_the_run_only),
		cmocka_unit_test(test_empty_run_is_both_all_and_none),
		cmocka_unit_test(test_count_counts_the_run_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
