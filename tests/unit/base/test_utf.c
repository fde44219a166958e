/* SPDX-License-Identifier: BSD-3-Clause */
/* test_utf.c - UTF-8 to UTF-16 and back, in several scripts, and everything
 * that is neither. */
#include "base/utf.h"

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The same text in both forms; UTF-16 big-endian. */
static const struct {
	const char *utf8;
	const char *utf16;
	size_t bytes;
} same[] = {
	{"", "", 0},
	{"base.vhd", "\0b\0a\0s\0e\0.\0v\0h\0d", 16},
	{"\x7f", "\0\x7f", 2},
	{"Gr\303\274\303\237e", "\0G\0r\0\xfc\0\xdf\0e", 10},
	{"\xd0\xb4\xd0\xb8\xd1\x81\xd0\xba", "\4\x34\4\x38\4\x41\4\x3a", 8},
	{"\xd7\x93\xd7\x99\xd7\xa1\xd7\xa7", "\5\xd3\5\xd9\5\xe1\5\xe7", 8},
	{"\xe7\xa3\x81\xe7\x9b\x98", "\x78\xc1\x76\xd8", 4},
	{"\xe4\xb8\x80", "\x4e\x00", 2},
	{"\xe3\x83\x87\xe3\x82\xa3", "\x30\xc7\x30\xa3", 4},
	{"\xed\x9f\xbf\xee\x80\x80", "\xd7\xff\xe0\x00", 4},
	{"\xef\xbf\xbd\xef\xbf\xbf", "\xff\xfd\xff\xff", 4},
	{"\xf0\x90\x80\x80", "\xd8\x00\xdc\x00", 4},
	{"a\xf0\x9f\x92\xbe"
	 "b",
	 "\0a\xd8\x3d\xdc\xbe\0b", 8},
	{"\xf4\x8f\xbf\xbf", "\xdb\xff\xdf\xff", 4},
};

static const char *const not_utf8[] = {
	"\x80",             /* continuation alone */
	"a\xbf",            /* the same, later */
	"\xc3",             /* cut short */
	"\xe7\xa3",         /* cut short */
	"\xf0\x9f\x92",     /* cut short */
	"\xc3\x28",         /* continuation missing */
	"\xe7\x28\x81",     /* the same */
	"\xc0\xaf",         /* overlong '/' */
	"\xc1\xbf",         /* overlong */
	"\xe0\x80\xaf",     /* overlong '/' */
	"\xe0\x9f\xbf",     /* overlong */
	"\xf0\x80\x80\xaf", /* overlong '/' */
	"\xf0\x8f\xbf\xbf", /* overlong */
	"\xed\xa0\x80",     /* surrogate U+D800 */
	"\xed\xbf\xbf",     /* surrogate U+DFFF */
	"\xf4\x90\x80\x80", /* above U+10FFFF */
	"\xf5\x80\x80\x80", /* above U+10FFFF */
	"\xf8\x88\x80\x80\x80",
	"\xfe",
	"\xff\xfe",
};

static void
swap_units(uint8_t *ret, const char *from, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		ret[i ^ 1] = (uint8_t)from[i];
}

static void
test_utf8_becomes_utf16(void **state)
{
	uint8_t out[32], swapped[32];
	size_t n;

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		assert_true(utf8_to_utf16(out, sizeof(out), &n, same[i].utf8,
					  UTF16_BE));
		assert_int_equal(n, same[i].bytes);
		assert_memory_equal(out, same[i].utf16, n);
		swap_units(swapped, same[i].utf16, n);
		assert_true(utf8_to_utf16(out, sizeof(out), &n, same[i].utf8,
					  UTF16_LE));
		assert_int_equal(n, same[i].bytes);
		assert_memory_equal(out, swapped, n);
	}
}

static void
test_utf16_becomes_utf8(void **state)
{
	uint8_t swapped[32];
	char out[32];

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		assert_true(utf16_to_utf8(out, sizeof(out),
					  (const uint8_t *)same[i].utf16,
					  same[i].bytes, UTF16_BE));
		assert_string_equal(out, same[i].utf8);
		swap_units(swapped, same[i].utf16, same[i].bytes);
		assert_true(utf16_to_utf8(out, sizeof(out), swapped,
					  same[i].bytes, UTF16_LE));
		assert_string_equal(out, same[i].utf8);
	}
}

static void
test_every_code_point_comes_back(void **state)
{
	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		uint8_t in[4] = {(uint8_t)(c >> 8), (uint8_t)c}, out[4];
		size_t bytes = 2, n;
		char text[5];

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		if (c > 0xffff) {
			uint32_t v = c - 0x10000;

			in[0] = (uint8_t)(0xd8 | v >> 18);
			in[1] = (uint8_t)(v >> 10);
			in[2] = (uint8_t)(0xdc | (v >> 8 & 3));
			in[3] = (uint8_t)v;
			bytes = 4;
		}
		if (!utf16_to_utf8(text, sizeof(text), in, bytes, UTF16_BE) ||
		    !utf8_to_utf16(out, sizeof(out), &n, text, UTF16_BE) ||
		    n != bytes || memcmp(in, out, n) != 0)
			fail_msg("U+%04X does not come back", (unsigned)c);
	}
}

static void
test_malformed_utf8_is_refused(void **state)
{
	uint8_t out[32];
	size_t n = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(not_utf8); i++) {
		if (utf8_valid(not_utf8[i]))
			fail_msg("number %zu is taken for valid", i);
		if (utf8_to_utf16(out, sizeof(out), &n, not_utf8[i], UTF16_LE))
			fail_msg("number %zu is converted", i);
	}
	assert_int_equal(n, 77);
}

static void
test_lone_surrogates_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} lone[] = {
		{"\xd8\x3d", 2},         {"\xd8\x3d\0a", 4},
		{"\xdc\xbe", 2},         {"\xdc\xbe\xd8\x3d", 4},
		{"\xd8\x3d\xd8\x3d", 4}, {"\xd8\x3d\xdc", 3},
		{"\0a\xdb\xff", 4},      {"\xd8\x3d\0\0", 4},
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < COUNT(lone); i++) {
		strcpy(out, "old");
		if (utf16_to_utf8(out, sizeof(out),
				  (const uint8_t *)lone[i].bytes, lone[i].n,
				  UTF16_BE))
			fail_msg("number %zu is converted", i);
		assert_string_equal(out, "");
	}
}

static void
test_utf16_ends_at_nul_or_at_an_odd_byte(void **state)
{
	char out[8];

	(void)state;
	assert_true(utf16_to_utf8(out, 8, (const uint8_t *)"\0a\0\0\xd8\0", 6,
				  UTF16_BE));
	assert_string_equal(out, "a");
	assert_true(
		utf16_to_utf8(out, 8, (const uint8_t *)"\0a\0", 3, UTF16_BE));
	assert_string_equal(out, "a");
	assert_true(utf16_to_utf8(out, 8, (const uint8_t *)"\0", 1, UTF16_BE));
	assert_string_equal(out, "");
	assert_true(utf16_to_utf8(out, 8, NULL, 0, UTF16_BE));
	assert_string_equal(out, "");
}

static void
test_room_for_the_nul_is_needed(void **state)
{
	const uint8_t *disk = (const uint8_t *)"\0a\x78\xc1";
	char out[5];

	(void)state;
	assert_true(utf16_to_utf8(out, 5, disk, 4, UTF16_BE));
	assert_string_equal(out, "a\xe7\xa3\x81");
	for (size_t size = 0; size < 5; size++)
		assert_false(utf16_to_utf8(out, size, disk, 4, UTF16_BE));
	assert_string_equal(out, "");
}

static void
test_utf16_must_fit(void **state)
{
	uint8_t out[6];
	size_t n;

	(void)state;
	assert_true(utf8_to_utf16(out, 6, &n, "a\xf0\x9f\x92\xbe", UTF16_LE));
	assert_int_equal(n, 6);
	for (size_t size = 0; size < 6; size++)
		assert_false(utf8_to_utf16(out, size, &n, "a\xf0\x9f\x92\xbe",
					   UTF16_LE));
}

static void
test_printable_escapes_what_drives_a_terminal(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"plain \\ text", "plain \\ text"},
		{"Gr\xc3\xbc\xc3\x9f \xe7\xa3\x81 \xf0\x9f\x92\xbe",
		 "Gr\xc3\xbc\xc3\x9f \xe7\xa3\x81 \xf0\x9f\x92\xbe"},
		{"\033[31m", "\\x1b[31m"},
		{"a\tb\r\n", "a\\x09b\\x0d\\x0a"},
		{"\x7f", "\\x7f"},
		{"\xc2\x9b", "\\xc2\\x9b"},
		{"\xe2\x80\xae", "\\xe2\\x80\\xae"},
		{"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},
		{"\xff", "\\xff"},
		{"\xe7\xa3", "\\xe7\\xa3"},
		{"\xe7\xa3z", "\\xe7\\xa3z"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		utf8_printable(out, sizeof(out), cases[i].in);
		assert_string_equal(out, cases[i].out);
	}
}

static void
test_printable_cuts_between_characters(void **state)
{
	char out[8];

	(void)state;
	utf8_printable(out, 3, "a\xe7\xa3\x81");
	assert_string_equal(out, "a");
	utf8_printable(out, 5, "a\xe7\xa3\x81");
	assert_string_equal(out, "a\xe7\xa3\x81");
	utf8_printable(out, 5, "a\n");
	assert_string_equal(out, "a");
	utf8_printable(out, 6, "a\n");
	assert_string_equal(out, "a\\x0a");
	utf8_printable(out, 1, "a");
	assert_string_equal(out, "");
	utf8_printable(NULL, 0, "a");
}

static void
test_printable_output_is_always_valid_utf8(void **state)
{
	char out[64];

	(void)state;
	for (size_t i = 0; i < COUNT(not_utf8); i++)
		for (size_t size = 1; size < sizeof(out); size++) {
			utf8_printable(out, size, not_utf8[i]);
			assert_true(utf8_valid(out));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_becomes_utf16),
		cmocka_unit_test(test_utf16_becomes_utf8),
		cmocka_unit_test(test_every_code_point_comes_back),
		cmocka_unit_test(test_malformed_utf8_is_refused),
		cmocka_unit_test(test_lone_surrogates_are_refused),
		cmocka_unit_test(test_utf16_ends_at_nul_or_at_an_odd_byte),
		cmocka_unit_test(test_room_for_the_nul_is_needed),
		cmocka_unit_test(test_utf16_must_fit),
		cmocka_unit_test(test_printable_escapes_what_drives_a_terminal),
		cmocka_unit_test(test_printable_cuts_between_characters),
		cmocka_unit_test(test_printable_output_is_always_valid_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
