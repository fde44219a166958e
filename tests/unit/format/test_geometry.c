/* SPDX-License-Identifier: BSD-3-Clause */
/* test_geometry.c - the boundaries and vectors of format 6.2 and 6.3. */
#include <stdio.h>

#include <cmocka.h>

#include "format/footer.h"

#define MIB      (UINT64_C(1) << 20)
#define GIB      (UINT64_C(1) << 30)
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
assert_geometry(uint64_t size, uint16_t c, uint8_t h, uint8_t s)
{
	struct geometry g = geometry_for(size);

	if (g.cylinders != c || g.heads != h || g.sectors != s)
		fail_msg("%llu bytes: expected %u/%u/%u, got %u/%u/%u",
			 (unsigned long long)size, c, h, s, g.cylinders,
			 g.heads, g.sectors);
}

static void
test_vectors(void **state)
{
	static const struct {
		uint64_t size;
		uint16_t c;
		uint8_t h, s;
		uint64_t bytes;
	} vector[] = {
		{1 * MIB, 30, 4, 17, 1044480},
		{2 * MIB, 60, 4, 17, 2088960},
		{3 * MIB, 90, 4, 17, 3133440},
		{4 * MIB, 120, 4, 17, 4177920},
		{5 * MIB, 150, 4, 17, 5222400},
		{10 * MIB, 301, 4, 17, 10479616},
		{16 * MIB, 481, 4, 17, 16746496},
		{32 * MIB, 963, 4, 17, 33527808},
		{40 * MIB, 963, 5, 17, 41909760},
		{64 * MIB, 963, 8, 17, 67055616},
		{100 * MIB, 1003, 12, 17, 104761344},
		{127 * MIB, 1019, 15, 17, 133040640},
		{128 * MIB, 963, 16, 17, 134111232},
		{136 * MIB, 561, 16, 31, 142467072},
		{200 * MIB, 825, 16, 31, 209510400},
		{256 * MIB, 520, 16, 63, 268369920},
		{504 * MIB, 1024, 16, 63, 528482304},
		{512 * MIB, 1040, 16, 63, 536739840},
		{1 * GIB, 2080, 16, 63, 1073479680},
		{2 * GIB, 4161, 16, 63, 2147475456},
		{3 * GIB, 6241, 16, 63, 3220955136},
		{4 * GIB, 8322, 16, 63, 4294950912},
		{16 * GIB, 33288, 16, 63, 17179803648},
		{31 * GIB, 64495, 16, 63, 33285611520},
		{32 * GIB, 16448, 16, 255, 34359214080},
		{100 * GIB, 51400, 16, 255, 107372544000},
		{127 * GIB, 65278, 16, 255, 136363130880},
		{128 * GIB, 65535, 16, 255, 136899993600},
		{2040 * GIB, 65535, 16, 255, 136899993600},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vector); i++) {
		assert_geometry(vector[i].size, vector[i].c, vector[i].h,
				vector[i].s);
		assert_true(geometry_bytes(geometry_for(vector[i].size)) ==
			    vector[i].bytes);
	}
}

/* Where heads of 17 sectors run out of cylinders: the odd flip to 31 sectors
 * for one track, then one head more. */
static void
test_boundaries_of_17_sectors(void **state)
{
	static const struct {
		uint64_t flip;
		uint8_t heads;
		uint16_t flipped, then;
	} row[] = {
		{69632, 4, 140, 819},   {87040, 5, 175, 853},
		{104448, 6, 210, 877},  {121856, 7, 245, 896},
		{139264, 8, 280, 910},  {156672, 9, 315, 921},
		{174080, 10, 350, 931}, {191488, 11, 386, 938},
		{208896, 12, 421, 945}, {226304, 13, 456, 950},
		{243712, 14, 491, 955}, {261120, 15, 526, 960},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		uint8_t more = (uint8_t)(row[i].heads + 1);
		uint64_t flip = row[i].flip * 512;

		assert_geometry(flip - 512, 1023, row[i].heads, 17);
		assert_geometry(flip, row[i].flipped, 16, 31);
		assert_geometry(flip + 16 * 512,
				(uint16_t)((row[i].flip + 16) / (16 * 31)), 16,
				31);
		assert_geometry(flip + 17 * 512, row[i].then, more, 17);
	}
}

static void
test_boundaries_of_the_larger_tracks(void **state)
{
	(void)state;
	assert_geometry(UINT64_C(278527) * 512, 1023, 16, 17);
	assert_geometry(UINT64_C(278528) * 512, 561, 16, 31);
	assert_geometry(UINT64_C(507903) * 512, 1023, 16, 31);
	assert_geometry(UINT64_C(507904) * 512, 503, 16, 63);
	assert_geometry(UINT64_C(66059279) * 512, 65534, 16, 63);
	assert_geometry(UINT64_C(66059280) * 512, 16191, 16, 255);
	assert_geometry(UINT64_C(267382799) * 512, 65534, 16, 255);
	assert_geometry(UINT64_C(267382800) * 512, 65535, 16, 255);
}

static void
test_part_of_a_sector_does_not_count(void **state)
{
	(void)state;
	assert_geometry(UINT64_C(278528) * 512 - 1, 1023, 16, 17);
}

static void
test_tiny_disks_have_no_cylinders(void **state)
{
	(void)state;
	assert_geometry(0, 0, 4, 17);
	assert_geometry(67 * 512, 0, 4, 17);
	assert_geometry(68 * 512, 1, 4, 17);
}

static void
test_huge_sizes_saturate(void **state)
{
	(void)state;
	assert_geometry(UINT64_C(1) << 41, 65535, 16, 255);
	assert_geometry(UINT64_C(1) << 63, 65535, 16, 255);
	assert_geometry(UINT64_MAX, 65535, 16, 255);
}

static void
test_product_never_exceeds_the_size(void **state)
{
	(void)state;
	for (uint64_t n = 1; n < 267382800 * UINT64_C(2); n += n / 997 + 1)
		if (geometry_bytes(geometry_for(n * 512)) > n * 512)
			fail_msg("%llu sectors", (unsigned long long)n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_boundaries_of_17_sectors),
		cmocka_unit_test(test_boundaries_of_the_larger_tracks),
		cmocka_unit_test(test_part_of_a_sector_does_not_count),
		cmocka_unit_test(test_tiny_disks_have_no_cylinders),
		cmocka_unit_test(test_huge_sizes_saturate),
		cmocka_unit_test(test_product_never_exceeds_the_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
