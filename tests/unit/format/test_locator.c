/* SPDX-License-Identifier: BSD-3-Clause */
/* test_locator.c - paths into locators, out of them, and bytes that are no
 * path at all. */
#include <string.h>

#include <cmocka.h>

#include "base/utf.h"
#include "format/dynhdr.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

static char out[MAX_PATH_TEXT];
static uint8_t data[MAX_LOCATOR_BYTES];

static const char *
decoded(uint32_t code, const uint8_t *bytes, size_t length)
{
	if (!locator_decode(out, sizeof(out), code, bytes, length)) {
		assert_string_equal(out, "");
		return "(not text)";
	}
	return out;
}

static const char *
text_of(uint32_t code, const uint8_t *bytes, size_t length)
{
	if (!locator_text(out, sizeof(out), code, bytes, length)) {
		assert_string_equal(out, "");
		return "(not text)";
	}
	return out;
}

/* Encode, and show what is stored. */
static const char *
encoded(uint32_t code, const char *path)
{
	size_t length;

	if (!locator_encode(data, sizeof(data), &length, code, path))
		return "(refused)";
	return text_of(code, data, length);
}

static void
test_bytes_of_the_worked_example(void **state)
{
	static const char absolute[] = "C\0:\0\\\0v\0m\0\\\0b\0a\0s\0e\0.\0v\0h"
				       "\0d";
	static const char relative[] = ".\0\\\0b\0a\0s\0e\0.\0v\0h\0d";
	size_t length;

	(void)state;
	assert_true(locator_encode(data, sizeof(data), &length, PLATFORM_W2KU,
				   "C:\\vm\\base.vhd"));
	assert_int_equal(length, 28);
	assert_memory_equal(data, absolute, length);
	assert_true(locator_encode(data, sizeof(data), &length, PLATFORM_W2RU,
				   "base.vhd"));
	assert_int_equal(length, 20);
	assert_memory_equal(data, relative, length);
}

static void
test_what_is_stored_for_a_path(void **state)
{
	static const struct {
		const char *path, *w2ru, *w2ku, *macx;
	} row[] = {
		{"base.vhd", ".\\base.vhd", "base.vhd", "file://./base.vhd"},
		{"./base.vhd", ".\\base.vhd", ".\\base.vhd",
		 "file://./base.vhd"},
		{"../base.vhd", "..\\base.vhd", "..\\base.vhd",
		 "file://./../base.vhd"},
		{"dir/base.vhd", ".\\dir\\base.vhd", "dir\\base.vhd",
		 "file://./dir/base.vhd"},
		{"..base", ".\\..base", "..base", "file://./..base"},
		{"/vm/base.vhd", "(refused)", "\\vm\\base.vhd",
		 "file:///vm/base.vhd"},
		{"C:/vm/base.vhd", "(refused)", "C:\\vm\\base.vhd",
		 "file://./C:/vm/base.vhd"},
		{"disk@monday.vhd", ".\\disk@monday.vhd", "disk@monday.vhd",
		 "file://./disk@monday.vhd"},
		{"a b#1%.vhd", ".\\a b#1%.vhd", "a b#1%.vhd",
		 "file://./a%20b%231%25.vhd"},
		{"\xc3\xbc.vhd", ".\\\xc3\xbc.vhd", "\xc3\xbc.vhd",
		 "file://./%C3%BC.vhd"},
		{"", "(refused)", "(refused)", "(refused)"},
		{"\xff.vhd", "(refused)", "(refused)", "(refused)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		assert_string_equal(encoded(PLATFORM_W2RU, row[i].path),
				    row[i].w2ru);
		assert_string_equal(encoded(PLATFORM_W2KU, row[i].path),
				    row[i].w2ku);
		assert_string_equal(encoded(PLATFORM_MACX, row[i].path),
				    row[i].macx);
	}
}

static void
test_paths_of_several_scripts_come_back(void **state)
{
	static const uint32_t codes[] = {PLATFORM_W2RU, PLATFORM_W2KU,
					 PLATFORM_MACX};
	static const char *const paths[] = {
		"./base.vhd",
		"./a b/100%.vhd",
		"./Gr\303\274\303\237e/disk.vhd",
		"./\xd0\xb4\xd0\xb8\xd1\x81\xd0\xba.vhd",
		"./\xd7\x93\xd7\x99\xd7\xa1\xd7\xa7.vhd",
		"./\xe7\xa3\x81\xe7\x9b\x98.vhd",
		"./\xf0\x9f\x92\xbe.vhd",
		"./disk@snap.vhd",
		"./!~*'();:@&=+$,?#[].vhd",
	};

	(void)state;
	for (size_t c = 0; c < COUNT(codes); c++)
		for (size_t i = 0; i < COUNT(paths); i++) {
			size_t n;

			assert_true(locator_encode(data, sizeof(data), &n,
						   codes[c], paths[i]));
			assert_string_equal(decoded(codes[c], data, n),
					    paths[i]);
		}
}

static void
test_absolute_paths_come_back(void **state)
{
	size_t n;

	(void)state;
	assert_true(locator_encode(data, sizeof(data), &n, PLATFORM_MACX,
				   "/srv/vm 1/b.vhd"));
	assert_string_equal(decoded(PLATFORM_MACX, data, n), "/srv/vm 1/b.vhd");
	assert_true(locator_encode(data, sizeof(data), &n, PLATFORM_W2KU,
				   "\\\\host\\share\\b.vhd"));
	assert_string_equal(decoded(PLATFORM_W2KU, data, n),
			    "//host/share/b.vhd");
}

static void
test_posix_name_with_a_backslash_has_no_windows_form(void **state)
{
	(void)state;
	assert_string_equal(encoded(PLATFORM_W2RU, "a\\b.vhd"), "(refused)");
	assert_string_equal(encoded(PLATFORM_W2KU, "a\\b.vhd"), "(refused)");
	assert_string_equal(encoded(PLATFORM_MACX, "a\\b.vhd"),
			    "file://./a%5Cb.vhd");
}

static void
test_codes_we_do_not_write_are_refused(void **state)
{
	static const uint32_t codes[] = {PLATFORM_NONE, PLATFORM_WI2R,
					 PLATFORM_WI2K, PLATFORM_MAC,
					 UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++)
		assert_string_equal(encoded(codes[i], "base.vhd"), "(refused)");
}

static void
test_encoding_must_fit_exactly(void **state)
{
	static const struct {
		uint32_t code;
		size_t need;
	} row[] = {
		{PLATFORM_W2RU, 20}, {PLATFORM_W2KU, 16}, {PLATFORM_MACX, 17}};
	size_t n = 99;

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		for (size_t size = 0; size < row[i].need; size++) {
			n = 99;
			assert_false(locator_encode(data, size, &n, row[i].code,
						    "base.vhd"));
			assert_int_equal(n, 99);
		}
		assert_true(locator_encode(data, row[i].need, &n, row[i].code,
					   "base.vhd"));
		assert_int_equal(n, row[i].need);
	}
}

static void
test_longest_path_and_one_more(void **state)
{
	char path[MAX_PATH_TEXT + 1];
	size_t n;

	(void)state;
	memset(path, 'p', sizeof(path));
	path[MAX_PATH_TEXT - 1] = '\0';
	assert_true(
		locator_encode(data, sizeof(data), &n, PLATFORM_W2KU, path));
	assert_string_equal(decoded(PLATFORM_W2KU, data, n), path);
	path[MAX_PATH_TEXT - 1] = 'p';
	path[MAX_PATH_TEXT] = '\0';
	for (size_t i = 0; i < sizeof(path) - 1; i++) {
		data[2 * i] = 'p';
		data[2 * i + 1] = 0;
	}
	assert_string_equal(
		decoded(PLATFORM_W2KU, data, 2 * (sizeof(path) - 1)),
		"(not text)");
}

static void
test_trailing_nul_and_odd_byte_are_dropped(void **state)
{
	(void)state;
	assert_string_equal(decoded(PLATFORM_W2RU, BYTES(".\0\\\0a\0\0\0\0\0")),
			    "./a");
	assert_string_equal(decoded(PLATFORM_W2RU, BYTES(".\0\\\0a\0b")),
			    "./a");
	assert_string_equal(decoded(PLATFORM_MACX, BYTES("file://./a\0\0")),
			    "./a");
}

static void
test_big_endian_text_by_mistake_is_read(void **state)
{
	(void)state;
	assert_string_equal(decoded(PLATFORM_W2RU, BYTES("\0.\0\\\0a\0.\0v")),
			    "./a.v");
}

static void
test_deprecated_windows_codes_are_read_as_ascii(void **state)
{
	(void)state;
	assert_string_equal(decoded(PLATFORM_WI2R, BYTES(".\\base.vhd")),
			    "./base.vhd");
	assert_string_equal(decoded(PLATFORM_WI2K, BYTES("C:\\base.vhd\0")),
			    "C:/base.vhd");
	assert_string_equal(decoded(PLATFORM_WI2K, BYTES("C:\\\xe4.vhd")),
			    "(not text)");
}

static void
test_urls_in_all_their_forms(void **state)
{
	static const struct {
		const char *url, *path;
	} row[] = {
		{"file://./parent.vhd", "./parent.vhd"},
		{"file://../parent.vhd", "../parent.vhd"},
		{"file://./../parent.vhd", "./../parent.vhd"},
		{"file:///vm/parent.vhd", "/vm/parent.vhd"},
		{"file://localhost/vm/parent.vhd", "/vm/parent.vhd"},
		{"file:/vm/parent.vhd", "/vm/parent.vhd"},
		{"file://host/share/parent.vhd", "//host/share/parent.vhd"},
		{"file://parent.vhd", "parent.vhd"},
		{"./parent.vhd", "./parent.vhd"},
		{"file://./a%20b%C3%BC.vhd", "./a b\xc3\xbc.vhd"},
		{"file://./a%2fb", "./a/b"},
		{"file://./a%2Fb", "./a/b"},
		{"file://./100%25", "./100%"},
		{"file://./a\\b", "./a\\b"},
		{"file://./%", "(not text)"},
		{"file://./%2", "(not text)"},
		{"file://./%zz", "(not text)"},
		{"file://./%2z", "(not text)"},
		{"file://./a%00b", "(not text)"},
		{"file://./%ff", "(not text)"},
		{"file://./%C0%AF", "(not text)"},
		{"file://./\xff", "(not text)"},
		{"file://", "(not text)"},
		{"file:", "(not text)"},
		{"", "(not text)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++)
		assert_string_equal(decoded(PLATFORM_MACX,
					    (const uint8_t *)row[i].url,
					    strlen(row[i].url)),
				    row[i].path);
}

static void
test_text_keeps_what_is_stored(void **state)
{
	(void)state;
	assert_string_equal(text_of(PLATFORM_W2KU, BYTES("C\0:\0\\\0a\0")),
			    "C:\\a");
	assert_string_equal(text_of(PLATFORM_MACX, BYTES("file://./a%20b")),
			    "file://./a%20b");
	assert_string_equal(text_of(PLATFORM_WI2R, BYTES(".\\a")), ".\\a");
}

static void
test_malformed_utf16_is_refused(void **state)
{
	(void)state;
	assert_string_equal(decoded(PLATFORM_W2RU, BYTES("a\0\x3d\xd8")),
			    "(not text)");
	assert_string_equal(decoded(PLATFORM_W2RU, BYTES("\xbe\xdc"
							 "a\0")),
			    "(not text)");
	assert_string_equal(decoded(PLATFORM_W2KU, BYTES("\x3d\xd8\x3d\xd8")),
			    "(not text)");
}

static void
test_empty_and_opaque_data_are_not_text(void **state)
{
	(void)state;
	assert_string_equal(decoded(PLATFORM_W2RU, NULL, 0), "(not text)");
	assert_string_equal(decoded(PLATFORM_W2RU, BYTES("\0\0\0\0")),
			    "(not text)");
	assert_string_equal(decoded(PLATFORM_WI2R, NULL, 0), "(not text)");
	assert_string_equal(decoded(PLATFORM_MAC, BYTES("alias")),
			    "(not text)");
	assert_string_equal(decoded(PLATFORM_NONE, BYTES("x")), "(not text)");
	assert_string_equal(decoded(0x41424344, BYTES("x")), "(not text)");
}

static void
test_output_never_exceeds_its_buffer(void **state)
{
	static const uint32_t codes[] = {PLATFORM_W2RU, PLATFORM_MACX,
					 PLATFORM_WI2K};
	static const char text[] = "f\0i\0l\0e\0:\0/\0/\0.\0/\0%\0";
	char small[16];

	(void)state;
	for (size_t c = 0; c < COUNT(codes); c++)
		for (size_t size = 0; size < sizeof(small); size++) {
			memset(small, '#', sizeof(small));
			(void)locator_decode(small, size, codes[c],
					     BYTES(text));
			for (size_t i = size; i < sizeof(small); i++)
				assert_int_equal(small[i], '#');
		}
}

static void
test_whatever_is_decoded_is_valid_utf8(void **state)
{
	static const uint32_t codes[] = {PLATFORM_W2RU, PLATFORM_W2KU,
					 PLATFORM_MACX, PLATFORM_WI2R};
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = (seed >> 8) % 40;
		uint32_t code = codes[(seed >> 16) % 4];

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			data[i] = (uint8_t)(seed >> 24);
			if (seed & 0x100000)
				data[i] = (uint8_t) "%/\\:.f\0\xd8"[seed >> 29];
		}
		seed = seed * 1664525 + 1013904223;
		if (locator_decode(out, sizeof(out), code, data, n) &&
		    (!utf8_valid(out) || !out[0]))
			fail_msg("round %d: malformed path", round);
	}
}

static void
test_space_counts_sectors_or_bytes(void **state)
{
	static const struct {
		uint32_t stored;
		uint64_t bytes;
	} row[] = {
		{0, 0},         {1, 512},     {8, 4096},
		{511, 261632},  {512, 512},   {4096, 4096},
		{65536, 65536}, {1000, 1000}, {UINT32_MAX, UINT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		struct locator l = {.space = row[i].stored};

		assert_true(locator_space(&l) == row[i].bytes);
	}
}

static void
test_codes_are_shown_as_their_letters(void **state)
{
	static const struct {
		uint32_t code;
		const char *text;
	} row[] = {
		{PLATFORM_NONE, "none"}, {PLATFORM_WI2R, "Wi2r"},
		{PLATFORM_WI2K, "Wi2k"}, {PLATFORM_W2RU, "W2ru"},
		{PLATFORM_W2KU, "W2ku"}, {PLATFORM_MAC, "Mac "},
		{PLATFORM_MACX, "MacX"}, {0x1b5b324a, "?[2J"},
		{0xc1c1c1c1, "????"},    {1, "????"},
	};
	char text[5];

	(void)state;
	for (size_t i = 0; i < COUNT(row); i++) {
		locator_code_text(text, row[i].code);
		assert_string_equal(text, row[i].text);
	}
}

static void
test_absolute_paths_of_every_system(void **state)
{
	static const char *const absolute[] = {
		"/",   "/x", "\\x",         "C:\\x",    "c:/x",
		"C:x", "C:", "\\\\host\\s", "//host/s", "\\\\?\\C:\\x"};
	static const char *const relative[] = {
		"", "x", "./x", "../x", ".\\x", "dir/x", "1:x", ":x", "disk:1"};

	(void)state;
	for (size_t i = 0; i < COUNT(absolute); i++)
		if (!path_is_absolute(absolute[i]))
			fail_msg("%s is absolute", absolute[i]);
	for (size_t i = 0; i < COUNT(relative); i++)
		if (path_is_absolute(relative[i]))
			fail_msg("%s is relative", relative[i]);
}

static void
test_paths_that_climb_out(void **state)
{
	static const char *const climbing[] = {"..",       "../x",   "..\\x",
					       "a/../x",   "./..",   "a/..",
					       "a\\..\\b", ".//../x"};
	static const char *const staying[] = {"",      "x",       "./x",
					      "...",   "..x",     "x..",
					      "a/..b", "a/b../c", "a/./b"};

	(void)state;
	for (size_t i = 0; i < COUNT(climbing); i++)
		if (!path_escapes(climbing[i]))
			fail_msg("%s climbs out", climbing[i]);
	for (size_t i = 0; i < COUNT(staying); i++)
		if (path_escapes(staying[i]))
			fail_msg("%s stays", staying[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_of_the_worked_example),
		cmocka_unit_test(test_what_is_stored_for_a_path),
		cmocka_unit_test(test_paths_of_several_scripts_come_back),
		cmocka_unit_test(test_absolute_paths_come_back),
		cmocka_unit_test(
			test_posix_name_with_a_backslash_has_no_windows_form),
		cmocka_unit_test(test_codes_we_do_not_write_are_refused),
		cmocka_unit_test(test_encoding_must_fit_exactly),
		cmocka_unit_test(test_longest_path_and_one_more),
		cmocka_unit_test(test_trailing_nul_and_odd_byte_are_dropped),
		cmocka_unit_test(test_big_endian_text_by_mistake_is_read),
		cmocka_unit_test(
			test_deprecated_windows_codes_are_read_as_ascii),
		cmocka_unit_test(test_urls_in_all_their_forms),
		cmocka_unit_test(test_text_keeps_what_is_stored),
		cmocka_unit_test(test_malformed_utf16_is_refused),
		cmocka_unit_test(test_empty_and_opaque_data_are_not_text),
		cmocka_unit_test(test_output_never_exceeds_its_buffer),
		cmocka_unit_test(test_whatever_is_decoded_is_valid_utf8),
		cmocka_unit_test(test_space_counts_sectors_or_bytes),
		cmocka_unit_test(test_codes_are_shown_as_their_letters),
		cmocka_unit_test(test_absolute_paths_of_every_system),
		cmocka_unit_test(test_paths_that_climb_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
