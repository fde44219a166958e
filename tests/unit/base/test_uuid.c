/* SPDX-License-Identifier: BSD-3-Clause */
/* test_uuid.c - UUIDs keep the order of their stored bytes. */
#include "base/uuid.h"

#include <string.h>

#include <cmocka.h>

static const uint8_t example[16] = {0xad, 0xb7, 0x19, 0x75, 0x4b, 0x5b,
				    0x0b, 0x40, 0xb0, 0x25, 0xd0, 0x6d,
				    0xab, 0x31, 0xb2, 0x6f};
static const char example_text[] = "adb71975-4b5b-0b40-b025-d06dab31b26f";

static void
test_text_prints_the_bytes_in_stored_order(void **state)
{
	char text[UUID_TEXT_SIZE];

	(void)state;
	uuid_text(text, example);
	assert_string_equal(text, example_text);
}

static void
test_read_takes_both_cases(void **state)
{
	uint8_t uuid[16];

	(void)state;
	assert_true(uuid_read(uuid, example_text));
	assert_true(uuid_equal(uuid, example));
	memset(uuid, 0, 16);
	assert_true(uuid_read(uuid, "ADB71975-4B5B-0B40-B025-D06DAB31B26F"));
	assert_true(uuid_equal(uuid, example));
}

static void
test_read_refuses_what_is_no_uuid_and_keeps_the_result(void **state)
{
	static const char *const wrong[] = {
		"",
		"adb71975",
		"adb719754b5b0b40b025d06dab31b26f",
		"{adb71975-4b5b-0b40-b025-d06dab31b26f}",
		"adb71975-4b5b-0b40-b025-d06dab31b26f ",
		"adb71975-4b5b-0b40-b025-d06dab31b26g",
		"adb71975-4b5b-0b40-b025d-06dab31b26f",
	};
	uint8_t uuid[16];

	(void)state;
	memcpy(uuid, example, 16);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (uuid_read(uuid, wrong[i]))
			fail_msg("accepted \"%s\"", wrong[i]);
		assert_true(uuid_equal(uuid, example));
	}
}

static void
test_made_uuids_are_random_version_4(void **state)
{
	uint8_t a[16], b[16];

	(void)state;
	uuid_make(a);
	uuid_make(b);
	assert_false(uuid_equal(a, b));
	assert_false(uuid_is_null(a));
	assert_int_equal(a[6] >> 4, 4);
	assert_int_equal(a[8] >> 6, 2);
}

static void
test_null_means_every_byte(void **state)
{
	uint8_t uuid[16] = {0};

	(void)state;
	assert_true(uuid_is_null(uuid));
	uuid[15] = 1;
	assert_false(uuid_is_null(uuid));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_prints_the_bytes_in_stored_order),
		cmocka_unit_test(test_read_takes_both_cases),
		cmocka_unit_test(
			test_read_refuses_what_is_no_uuid_and_keeps_the_result),
		cmocka_unit_test(test_made_uuids_are_random_version_4),
		cmocka_unit_test(test_null_means_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
