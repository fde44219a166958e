/* SPDX-License-Identifier: BSD-3-Clause */
/* test_dynhdr.c - the headers of the worked examples (format 22), the faults,
 * and the parent's name. */
#include "format/dynhdr.h"

#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/utf.h"
#include "format/footer.h"
#include "hex.h"

static const char example_b[] =
	"63 78 73 70 61 72 73 65  ff ff ff ff ff ff ff ff "
	"00 00 00 00 00 00 06 00  00 01 00 00 00 00 00 05 "
	"00 20 00 00 ff ff f4 72";
static const char example_c[] =
	"63 78 73 70 61 72 73 65  ff ff ff ff ff ff ff ff "
	"00 00 00 00 00 00 20 00  00 01 00 00 00 00 00 05 "
	"00 20 00 00 ff ff e2 99  33 22 11 00 55 44 77 66 "
	"88 99 aa bb cc dd ee ff  2d 24 bd 3c 00 00 00 00 "
	"00 43 00 3a 00 5c 00 76  00 6d 00 5c 00 62 00 61 "
	"00 73 00 65 00 2e 00 76  00 68 00 64 00 00 00 00";
static const char example_c_locators[] =
	"57 32 6b 75 00 00 10 00  00 00 00 1c 00 00 00 00 "
	"00 00 00 00 00 00 10 00  57 32 72 75 00 01 00 00 "
	"00 00 00 14 00 00 00 00  00 00 00 00 00 00 30 00";

static struct disk_dynhdr
disk_b(void)
{
	struct disk_dynhdr disk = {0};

	(void)hex_put(&disk, example_b);
	return disk;
}

static struct disk_dynhdr
disk_c(void)
{
	struct disk_dynhdr disk = {0};

	(void)hex_put(&disk, example_c);
	(void)hex_put(disk.loc, example_c_locators);
	return disk;
}

static void
test_example_b_is_built_from_its_parameters(void **state)
{
	struct disk_dynhdr want = disk_b(), disk;
	struct dynhdr h;

	(void)state;
	dynhdr_init(&h, 0x600, 5, 2 << 20);
	dynhdr_encode(&disk, &h);
	assert_memory_equal(&disk, &want, sizeof(disk));
}

static void
test_checksums_for_other_numbers_of_entries(void **state)
{
	static const uint32_t known[][2] = {
		{1, 0xfffff476},   {3, 0xfffff474},     {5, 0xfffff472},
		{20, 0xfffff463},  {21, 0xfffff462},    {32, 0xfffff457},
		{512, 0xfffff475}, {65024, 0xfffff379},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct disk_dynhdr disk;
		struct dynhdr h;

		dynhdr_init(&h, 0x600, known[i][0], 2 << 20);
		dynhdr_encode(&disk, &h);
		assert_true(load_be32(disk.checksum) == known[i][1]);
	}
}

static void
test_example_c_is_built_from_its_parameters(void **state)
{
	static const uint8_t parent[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44,
					   0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb,
					   0xcc, 0xdd, 0xee, 0xff};
	struct disk_dynhdr want = disk_c(), disk;
	struct dynhdr h;

	(void)state;
	dynhdr_init(&h, 0x2000, 5, 2 << 20);
	memcpy(h.parent_uuid, parent, 16);
	h.parent_time = 0x2d24bd3c;
	dynhdr_set_parent_name(&h, "C:\\vm\\base.vhd");
	h.locator[0] = (struct locator){.code = PLATFORM_W2KU,
					.space = 4096,
					.length = 28,
					.offset = 0x1000};
	h.locator[1] = (struct locator){.code = PLATFORM_W2RU,
					.space = 65536,
					.length = 20,
					.offset = 0x3000};
	dynhdr_encode(&disk, &h);
	assert_memory_equal(&disk, &want, sizeof(disk));
}

static void
test_fields_of_example_c(void **state)
{
	struct disk_dynhdr disk = disk_c();
	struct dynhdr h;
	char name[64];

	(void)state;
	assert_int_equal(dynhdr_decode(&h, &disk), DYNHDR_OK);
	assert_true(h.data_offset == NO_OFFSET);
	assert_int_equal(h.table_offset, 0x2000);
	assert_int_equal(h.max_entries, 5);
	assert_int_equal(h.block_size, 2 << 20);
	assert_int_equal(h.parent_uuid[15], 0xff);
	assert_int_equal(h.parent_time, 0x2d24bd3c);
	assert_int_equal(h.locator[0].code, PLATFORM_W2KU);
	assert_int_equal(h.locator[1].code, PLATFORM_W2RU);
	assert_int_equal(h.locator[1].space, 65536);
	assert_int_equal(h.locator[1].length, 20);
	assert_int_equal(h.locator[1].offset, 0x3000);
	assert_int_equal(h.locator[2].code, PLATFORM_NONE);
	assert_true(dynhdr_parent_name(name, sizeof(name), &h));
	assert_string_equal(name, "C:\\vm\\base.vhd");
}

static void
fix_checksum(struct disk_dynhdr *disk)
{
	store_be32(disk->checksum, vhd_checksum(disk, sizeof(*disk), 36));
}

static void
test_every_byte_survives_decoding_and_encoding(void **state)
{
	struct disk_dynhdr disk = disk_c(), again;
	uint8_t *b = (uint8_t *)&disk;
	struct dynhdr h;

	(void)state;
	for (size_t i = 40; i < sizeof(disk); i++)
		b[i] = (uint8_t)(i * 11 + 3);
	fix_checksum(&disk);
	assert_int_equal(dynhdr_decode(&h, &disk), DYNHDR_OK);
	dynhdr_encode(&again, &h);
	assert_memory_equal(&again, &disk, sizeof(disk));
}

static void
test_any_single_changed_byte_is_noticed(void **state)
{
	struct dynhdr h;

	(void)state;
	for (size_t at = 0; at < sizeof(struct disk_dynhdr); at++) {
		struct disk_dynhdr bad = disk_c();

		((uint8_t *)&bad)[at] ^= 0x41;
		if (dynhdr_decode(&h, &bad) == DYNHDR_OK)
			fail_msg("byte %zu changed, still accepted", at);
	}
}

static void
test_no_cookie_leaves_the_result_alone(void **state)
{
	struct disk_dynhdr disk = disk_b();
	struct dynhdr h = {.max_entries = 42};

	(void)state;
	disk.cookie[7] = 'E';
	assert_int_equal(dynhdr_decode(&h, &disk), DYNHDR_NO_COOKIE);
	assert_int_equal(h.max_entries, 42);
}

static void
test_wrong_checksum_still_fills_the_result(void **state)
{
	struct disk_dynhdr disk = disk_b();
	struct dynhdr h;

	(void)state;
	disk.checksum[0] = 0;
	assert_int_equal(dynhdr_decode(&h, &disk), DYNHDR_BAD_CHECKSUM);
	assert_int_equal(h.max_entries, 5);
}

static void
assert_fault(struct disk_dynhdr *disk, enum dynhdr_fault want)
{
	struct dynhdr h;

	fix_checksum(disk);
	assert_string_equal(dynhdr_fault_text(dynhdr_decode(&h, disk)),
			    dynhdr_fault_text(want));
}

static void
test_only_the_major_version_counts(void **state)
{
	struct disk_dynhdr disk = disk_b();

	(void)state;
	store_be32(disk.version, 0x00010007);
	assert_fault(&disk, DYNHDR_OK);
	store_be32(disk.version, 0x00000000);
	assert_fault(&disk, DYNHDR_BAD_VERSION);
	store_be32(disk.version, 0x00020000);
	assert_fault(&disk, DYNHDR_BAD_VERSION);
}

static void
test_block_size_is_a_power_of_two_in_bounds(void **state)
{
	static const uint32_t bad[] = {
		0,       1,        256,        511,         513,
		3 << 20, 0x1fffff, 0x20000000, 0x80000000u, UINT32_MAX};
	struct disk_dynhdr disk = disk_b();

	(void)state;
	for (uint32_t size = 512; size <= MAX_BLOCK_SIZE; size *= 2) {
		store_be32(disk.block_size, size);
		assert_fault(&disk, DYNHDR_OK);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		store_be32(disk.block_size, bad[i]);
		assert_fault(&disk, DYNHDR_BAD_BLOCK_SIZE);
	}
}

static void
test_a_table_without_entries_is_refused(void **state)
{
	struct disk_dynhdr disk = disk_b();

	(void)state;
	store_be32(disk.bat_entries, 0);
	assert_fault(&disk, DYNHDR_BAD_ENTRIES);
	store_be32(disk.bat_entries, UINT32_MAX);
	assert_fault(&disk, DYNHDR_OK);
}

static void
test_offsets_are_not_judged_here(void **state)
{
	struct disk_dynhdr disk = disk_b();

	(void)state;
	memset(disk.bat_offset, 0xff, 8);
	memset(disk.data_offset, 0, 8);
	memset(disk.loc, 0xff, sizeof(disk.loc));
	assert_fault(&disk, DYNHDR_OK);
}

/* What dynhdr_parent_name() makes of these bytes. */
static const char *
name_of(const void *bytes, size_t n)
{
	static char name[1024];
	struct dynhdr h = {0};

	memcpy(h.parent_name, bytes, n);
	if (!dynhdr_parent_name(name, sizeof(name), &h))
		return "(malformed)";
	return name;
}

static void
test_names_of_several_scripts_come_back(void **state)
{
	static const char *const names[] = {
		"",
		"base.vhd",
		"C:\\Projects\\fat-parent.vhd",
		"Gr\303\274\303\237e.vhd",
		"\xd0\xb4\xd0\xb8\xd1\x81\xd0\xba.vhd",
		"\xe7\xa3\x81\xe7\x9b\x98.vhd",
		"\xe4\xb8\x80.vhd",
		"\xe4\xb8\x80",
		"\xe3\x83\x87\xe3\x82\xa3\xe3\x82\xb9\xe3\x82\xaf",
		"\xf0\x9f\x92\xbe.vhd",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dynhdr h = {0};
		char back[64];

		dynhdr_set_parent_name(&h, names[i]);
		assert_true(dynhdr_parent_name(back, sizeof(back), &h));
		assert_string_equal(back, names[i]);
	}
}

static void
test_name_of_exactly_256_units_needs_no_terminator(void **state)
{
	struct dynhdr h = {0};
	char name[257], back[1024];

	(void)state;
	memset(name, 'n', 256);
	name[256] = '\0';
	dynhdr_set_parent_name(&h, name);
	assert_int_equal(h.parent_name[511], 'n');
	assert_true(dynhdr_parent_name(back, sizeof(back), &h));
	assert_string_equal(back, name);
}

static void
test_long_name_is_cut_between_characters(void **state)
{
	struct dynhdr h = {0};
	char name[300], back[1024];

	(void)state;
	/* 255 units, then a pair that would need two. */
	memset(name, 'n', 255);
	strcpy(name + 255, "\xf0\x9f\x92\xbe.vhd");
	dynhdr_set_parent_name(&h, name);
	assert_true(dynhdr_parent_name(back, sizeof(back), &h));
	name[255] = '\0';
	assert_string_equal(back, name);
}

static void
test_longest_names_of_wide_characters_fit(void **state)
{
	struct dynhdr h = {0};
	char name[4 * 300 + 1] = "", back[1024];

	(void)state;
	for (int i = 0; i < 300; i++)
		strcpy(name + 3 * i, "\xe7\xa3\x81");
	dynhdr_set_parent_name(&h, name);
	assert_true(dynhdr_parent_name(back, sizeof(back), &h));
	assert_int_equal(strlen(back), 256 * 3);
	for (int i = 0; i < 300; i++)
		strcpy(name + 4 * i, "\xf0\x9f\x92\xbe");
	dynhdr_set_parent_name(&h, name);
	assert_true(dynhdr_parent_name(back, sizeof(back), &h));
	assert_int_equal(strlen(back), 128 * 4);
}

static void
test_new_name_leaves_nothing_of_the_old(void **state)
{
	struct dynhdr h = {0};

	(void)state;
	memset(h.parent_name, 0xaa, sizeof(h.parent_name));
	dynhdr_set_parent_name(&h, "a");
	for (size_t i = 2; i < sizeof(h.parent_name); i++)
		assert_int_equal(h.parent_name[i], 0);
}

static void
test_name_that_is_not_utf8_is_not_stored(void **state)
{
	struct dynhdr h = {0};
	char back[64];

	(void)state;
	dynhdr_set_parent_name(&h, "old.vhd");
	dynhdr_set_parent_name(&h, "\xe4\xf6\xfc.vhd");
	assert_true(dynhdr_parent_name(back, sizeof(back), &h));
	assert_string_equal(back, "");
}

static void
test_little_endian_names_of_early_xenserver_are_read(void **state)
{
	(void)state;
	assert_string_equal(name_of("b\0a\0s\0e\0.\0v\0h\0d", 16), "base.vhd");
	assert_string_equal(name_of("\xc1\x78.\0v\0h\0d", 10),
			    "\xe7\xa3\x81.vhd");
}

static void
test_lone_surrogates_in_a_name_are_refused(void **state)
{
	(void)state;
	assert_string_equal(name_of("\0a\xd8\x3d\0b", 6), "(malformed)");
	assert_string_equal(name_of("\xdc\xbe", 2), "(malformed)");
}

static void
test_name_filled_with_ones_is_harmless(void **state)
{
	uint8_t bytes[512];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_true(utf8_valid(name_of(bytes, sizeof(bytes))));
	memset(bytes, 0xdc, sizeof(bytes));
	assert_string_equal(name_of(bytes, sizeof(bytes)), "(malformed)");
}

static void
test_name_must_fit_its_buffer(void **state)
{
	struct dynhdr h = {0};
	char small[8];

	(void)state;
	dynhdr_set_parent_name(&h, "base.vhd");
	assert_false(dynhdr_parent_name(small, sizeof(small), &h));
	assert_string_equal(small, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example_b_is_built_from_its_parameters),
		cmocka_unit_test(test_checksums_for_other_numbers_of_entries),
		cmocka_unit_test(test_example_c_is_built_from_its_parameters),
		cmocka_unit_test(test_fields_of_example_c),
		cmocka_unit_test(
			test_every_byte_survives_decoding_and_encoding),
		cmocka_unit_test(test_any_single_changed_byte_is_noticed),
		cmocka_unit_test(test_no_cookie_leaves_the_result_alone),
		cmocka_unit_test(test_wrong_checksum_still_fills_the_result),
		cmocka_unit_test(test_only_the_major_version_counts),
		cmocka_unit_test(test_block_size_is_a_power_of_two_in_bounds),
		cmocka_unit_test(test_a_table_without_entries_is_refused),
		cmocka_unit_test(test_offsets_are_not_judged_here),
		cmocka_unit_test(test_names_of_several_scripts_come_back),
		cmocka_unit_test(
			test_name_of_exactly_256_units_needs_no_terminator),
		cmocka_unit_test(test_long_name_is_cut_between_characters),
		cmocka_unit_test(test_longest_names_of_wide_characters_fit),
		cmocka_unit_test(test_new_name_leaves_nothing_of_the_old),
		cmocka_unit_test(test_name_that_is_not_utf8_is_not_stored),
		cmocka_unit_test(
			test_little_endian_names_of_early_xenserver_are_read),
		cmocka_unit_test(test_lone_surrogates_in_a_name_are_refused),
		cmocka_unit_test(test_name_filled_with_ones_is_harmless),
		cmocka_unit_test(test_name_must_fit_its_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
