/* SPDX-License-Identifier: BSD-3-Clause */
/* test_footer.c - the worked examples of format 22, byte for byte, and every
 * reason to refuse a sector. */
#include "format/footer.h"

#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "hex.h"

#define MIB          (UINT64_C(1) << 20)
#define CREATED_2024 INT64_C(1704067200)
#define WINDOWS_UUID                                                           \
	{                                                                      \
		0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99,    \
			0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff                     \
	}

/* Everything not shown is zero. */
static const char example_a[] =
	"63 6f 6e 65 63 74 69 78  00 00 00 02 00 01 00 00 "
	"ff ff ff ff ff ff ff ff  2d 24 bd 00 77 69 6e 20 "
	"00 0a 00 00 57 69 32 6b  00 00 00 00 04 00 00 00 "
	"00 00 00 00 04 00 00 00  03 c3 08 11 00 00 00 02 "
	"ff ff e7 e3 33 22 11 00  55 44 77 66 88 99 aa bb "
	"cc dd ee ff";
static const char example_b[] =
	"63 6f 6e 65 63 74 69 78  00 00 00 02 00 01 00 00 "
	"00 00 00 00 00 00 02 00  2d 24 bd 00 77 69 6e 20 "
	"00 0a 00 00 57 69 32 6b  00 00 00 00 00 a0 00 00 "
	"00 00 00 00 00 a0 00 00  01 2d 04 11 00 00 00 03 "
	"ff ff ef 3c 33 22 11 00  55 44 77 66 88 99 aa bb "
	"cc dd ee ff";
static const char example_c[] =
	"63 6f 6e 65 63 74 69 78  00 00 00 02 00 01 00 00 "
	"00 00 00 00 00 00 02 00  2d 24 cb 10 77 69 6e 20 "
	"00 0a 00 00 57 69 32 6b  00 00 00 00 00 a0 00 00 "
	"00 00 00 00 00 a0 00 00  01 2d 04 11 00 00 00 04 "
	"ff ff f1 2e 00 ee ff c0  11 11 22 42 83 33 44 44 "
	"55 55 66 66";
static const char example_e[] =
	"63 6f 6e 65 63 74 69 78  00 00 00 02 00 01 00 00 "
	"ff ff ff ff ff ff ff ff  32 93 cd e6 71 65 6d 75 "
	"00 05 00 03 57 69 32 6b  00 00 00 00 04 00 40 00 "
	"00 00 00 00 04 00 40 00  03 c4 08 11 00 00 00 02 "
	"ff ff e5 6a 4d 0c d1 45  0c ff 41 fb 8b 2a ba f4 "
	"90 4e df 68";
static const char example_f[] =
	"63 6f 6e 65 63 74 69 78  00 00 00 02 00 01 00 00 "
	"00 00 00 00 00 00 02 00  1c 6c 0c 56 77 69 6e 20 "
	"00 06 00 03 57 69 32 6b  00 00 00 00 02 80 00 00 "
	"00 00 00 00 02 80 00 00  03 c3 05 11 00 00 00 03 "
	"ff ff f0 0a ad b7 19 75  4b 5b 0b 40 b0 25 d0 6d "
	"ab 31 b2 6f";

static struct disk_footer
disk_of(const char *hex)
{
	struct disk_footer disk = {0};

	(void)hex_put(&disk, hex);
	return disk;
}

static void
fix_checksum(struct disk_footer *disk)
{
	store_be32(disk->checksum, vhd_checksum(disk, sizeof(*disk), 64));
}

static struct footer
decoded(const struct disk_footer *disk)
{
	struct footer f;

	assert_int_equal(footer_decode(&f, disk), FOOTER_OK);
	return f;
}

static void
test_checksums_of_the_examples(void **state)
{
	static const struct {
		const char *hex;
		uint32_t sum;
	} known[] = {{example_a, 0xffffe7e3},
		     {example_b, 0xffffef3c},
		     {example_c, 0xfffff12e},
		     {example_e, 0xffffe56a},
		     {example_f, 0xfffff00a}};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct disk_footer disk = disk_of(known[i].hex);

		assert_true(vhd_checksum(&disk, 512, 64) == known[i].sum);
		assert_true(load_be32(disk.checksum) == known[i].sum);
	}
}

static void
test_footer_of_511_bytes_has_the_same_checksum(void **state)
{
	struct disk_footer disk = disk_of(example_a);

	(void)state;
	assert_true(vhd_checksum(&disk, 511, 64) == 0xffffe7e3);
}

static void
test_example_a_is_built_from_its_parameters(void **state)
{
	static const uint8_t uuid[16] = WINDOWS_UUID;
	struct disk_footer want = disk_of(example_a), disk;
	struct footer f;

	(void)state;
	footer_init(&f, VHD_TYPE_FIXED, 64 * MIB, uuid, CREATED_2024, "win ");
	footer_encode(&disk, &f);
	assert_memory_equal(&disk, &want, sizeof(disk));
}

static void
test_example_b_is_built_from_its_parameters(void **state)
{
	static const uint8_t uuid[16] = WINDOWS_UUID;
	struct disk_footer want = disk_of(example_b), disk;
	struct footer f;

	(void)state;
	footer_init(&f, VHD_TYPE_DYNAMIC, 10 * MIB, uuid, CREATED_2024, "win ");
	footer_encode(&disk, &f);
	assert_memory_equal(&disk, &want, sizeof(disk));
}

static void
test_fields_of_example_f(void **state)
{
	struct disk_footer disk = disk_of(example_f);
	struct footer f = decoded(&disk);

	(void)state;
	assert_int_equal(f.features, 2);
	assert_int_equal(f.version, 0x10000);
	assert_int_equal(f.data_offset, 512);
	assert_int_equal(f.timestamp + INT64_C(946684800), 1423527894);
	assert_true(footer_creator_is(&f, "win "));
	assert_int_equal(f.creator_version, 0x00060003);
	assert_memory_equal(f.creator_os, "Wi2k", 4);
	assert_int_equal(f.original_size, 41943040);
	assert_int_equal(f.current_size, 41943040);
	assert_int_equal(f.geometry.cylinders, 963);
	assert_int_equal(f.geometry.heads, 5);
	assert_int_equal(f.geometry.sectors, 17);
	assert_int_equal(f.type, VHD_TYPE_DYNAMIC);
	assert_memory_equal(f.uuid, "\xad\xb7\x19\x75\x4b\x5b\x0b\x40", 8);
	assert_int_equal(f.saved_state, 0);
}

static void
test_every_byte_survives_decoding_and_encoding(void **state)
{
	static const char *const all[] = {example_a, example_b, example_c,
					  example_e, example_f};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		struct disk_footer disk = disk_of(all[i]), again;
		struct footer f;

		disk.saved_state = 1;
		for (size_t n = 0; n < sizeof(disk.reserved); n++)
			disk.reserved[n] = (uint8_t)(n * 7 + 1);
		fix_checksum(&disk);
		f = decoded(&disk);
		footer_encode(&again, &f);
		assert_memory_equal(&again, &disk, sizeof(disk));
	}
}

static void
test_any_single_changed_byte_is_noticed(void **state)
{
	struct disk_footer good = disk_of(example_b);

	(void)state;
	for (size_t at = 0; at < sizeof(good); at++) {
		struct disk_footer bad = good;
		struct footer f;

		((uint8_t *)&bad)[at] ^= 0x41;
		if (footer_decode(&f, &bad) == FOOTER_OK)
			fail_msg("byte %zu changed, still accepted", at);
	}
}

static enum footer_fault
fault_of(struct disk_footer *disk)
{
	struct footer f;

	fix_checksum(disk);
	return footer_decode(&f, disk);
}

static void
test_no_cookie_leaves_the_result_alone(void **state)
{
	struct disk_footer disk = {0};
	struct footer f = {.timestamp = 42};

	(void)state;
	assert_int_equal(footer_decode(&f, &disk), FOOTER_NO_COOKIE);
	assert_int_equal(f.timestamp, 42);
	disk = disk_of(example_a);
	disk.cookie[0] = 'C';
	assert_int_equal(footer_decode(&f, &disk), FOOTER_NO_COOKIE);
	assert_int_equal(f.timestamp, 42);
}

static void
test_poison_of_tapdisk_is_named(void **state)
{
	struct disk_footer disk = disk_of(example_b);
	struct footer f;

	(void)state;
	memcpy(disk.cookie, "v_poison", 8);
	assert_int_equal(fault_of(&disk), FOOTER_POISONED);
	memset(&disk, 0xc7, sizeof(disk));
	assert_int_equal(footer_decode(&f, &disk), FOOTER_POISONED);
	disk.reserved[426] = 0;
	assert_int_equal(footer_decode(&f, &disk), FOOTER_NO_COOKIE);
}

static void
test_wrong_checksum_still_fills_the_result(void **state)
{
	struct disk_footer disk = disk_of(example_a);
	struct footer f;

	(void)state;
	disk.checksum[3]++;
	assert_int_equal(footer_decode(&f, &disk), FOOTER_BAD_CHECKSUM);
	assert_int_equal(f.current_size, 64 * MIB);
}

static void
test_only_the_major_version_counts(void **state)
{
	struct disk_footer disk = disk_of(example_a);

	(void)state;
	store_be32(disk.version, 0x00010005);
	assert_int_equal(fault_of(&disk), FOOTER_OK);
	store_be32(disk.version, 0x00020000);
	assert_int_equal(fault_of(&disk), FOOTER_BAD_VERSION);
	store_be32(disk.version, 0x00000001);
	assert_int_equal(fault_of(&disk), FOOTER_BAD_VERSION);
}

static void
test_only_types_2_3_and_4_are_disks(void **state)
{
	static const uint32_t bad[] = {0, 1, 5, 6, 0x03000000, UINT32_MAX};
	struct disk_footer disk = disk_of(example_a);

	(void)state;
	for (uint32_t type = 2; type <= 4; type++) {
		store_be32(disk.disk_type, type);
		assert_int_equal(fault_of(&disk), FOOTER_OK);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		store_be32(disk.disk_type, bad[i]);
		assert_int_equal(fault_of(&disk), FOOTER_BAD_TYPE);
	}
}

static void
test_sizes_at_the_edges(void **state)
{
	static const struct {
		uint64_t size;
		enum footer_fault fault;
	} edge[] = {{0, FOOTER_BAD_SIZE},
		    {1, FOOTER_OK},
		    {513, FOOTER_OK},
		    {UINT64_C(1) << 63, FOOTER_OK},
		    {(UINT64_C(1) << 63) + 1, FOOTER_BAD_SIZE},
		    {UINT64_MAX, FOOTER_BAD_SIZE}};
	struct disk_footer disk = disk_of(example_a);

	(void)state;
	for (size_t i = 0; i < sizeof(edge) / sizeof(edge[0]); i++) {
		store_be64(disk.current_size, edge[i].size);
		assert_int_equal(fault_of(&disk), edge[i].fault);
	}
}

static void
test_original_size_and_geometry_decide_nothing(void **state)
{
	struct disk_footer disk = disk_of(example_a);

	(void)state;
	memset(disk.original_size, 0, 8);
	memset(disk.geometry, 0, 4);
	assert_int_equal(fault_of(&disk), FOOTER_OK);
	memset(disk.original_size, 0xff, 8);
	memset(disk.geometry, 0xff, 4);
	assert_int_equal(fault_of(&disk), FOOTER_OK);
}

/* A copy made by tap 0.1 or 1.1 whose hidden byte was set afterwards. */
static struct disk_footer
hidden_by_tap(uint32_t version)
{
	struct disk_footer disk = disk_of(example_b);

	memcpy(disk.creator_app, "tap", 4);
	store_be32(disk.creator_version, version);
	fix_checksum(&disk);
	disk.reserved[0] = 1;
	return disk;
}

static void
test_early_tap_may_hide_without_a_new_checksum(void **state)
{
	static const uint32_t early[] = {0x00000001, 0x00010001};
	struct footer f;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct disk_footer disk = hidden_by_tap(early[i]);

		assert_int_equal(footer_decode(&f, &disk), FOOTER_OK);
		assert_int_equal(f.reserved[0], 1);
		disk.reserved[1] = 1;
		assert_int_equal(footer_decode(&f, &disk), FOOTER_BAD_CHECKSUM);
	}
}

static void
test_later_tap_may_not(void **state)
{
	struct disk_footer disk = hidden_by_tap(0x00010003);
	struct footer f;

	(void)state;
	assert_int_equal(footer_decode(&f, &disk), FOOTER_BAD_CHECKSUM);
	fix_checksum(&disk);
	assert_int_equal(footer_decode(&f, &disk), FOOTER_OK);
}

static void
test_init_times_that_do_not_fit_are_clamped(void **state)
{
	static const uint8_t uuid[16] = WINDOWS_UUID;
	struct footer f;

	(void)state;
	footer_init(&f, VHD_TYPE_FIXED, MIB, uuid, 0, "win ");
	assert_int_equal(f.timestamp, 0);
	footer_init(&f, VHD_TYPE_FIXED, MIB, uuid, INT64_MIN, "win ");
	assert_int_equal(f.timestamp, 0);
	footer_init(&f, VHD_TYPE_FIXED, MIB, uuid, VHD_EPOCH + 1, "win ");
	assert_int_equal(f.timestamp, 1);
	footer_init(&f, VHD_TYPE_FIXED, MIB, uuid, INT64_MAX, "win ");
	assert_true(f.timestamp == UINT32_MAX);
}

static void
test_set_size_follows_with_the_geometry(void **state)
{
	struct disk_footer disk = disk_of(example_b);
	struct footer f = decoded(&disk);

	(void)state;
	footer_set_size(&f, 64 * MIB);
	assert_int_equal(f.current_size, 64 * MIB);
	assert_int_equal(f.original_size, 10 * MIB);
	assert_int_equal(f.geometry.cylinders, 963);
	assert_int_equal(f.geometry.heads, 8);
}

/* A disk that is smaller than it was made is refused by some readers. */
static void
test_set_size_lowers_the_original_size(void **state)
{
	struct footer f;

	(void)state;
	footer_init(&f, VHD_TYPE_DYNAMIC, 128 * MIB, (const uint8_t[16]){1},
		    VHD_EPOCH, "win ");
	footer_set_size(&f, 256 * MIB);
	assert_int_equal(f.original_size, 128 * MIB);
	footer_set_size(&f, 64 * MIB);
	assert_int_equal(f.original_size, 64 * MIB);
}

static void
test_set_size_keeps_a_geometry_that_is_a_mark(void **state)
{
	static const struct geometry mark[] = {{65535, 16, 255}, {0, 0, 0}};
	struct disk_footer disk = disk_of(example_b);
	struct footer f = decoded(&disk);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		f.geometry = mark[i];
		footer_set_size(&f, 64 * MIB);
		assert_int_equal(f.geometry.cylinders, mark[i].cylinders);
		assert_int_equal(f.geometry.sectors, mark[i].sectors);
	}
}

static void
test_set_size_shrinks_a_truly_largest_geometry(void **state)
{
	static const uint8_t uuid[16] = WINDOWS_UUID;
	struct footer f;

	(void)state;
	footer_init(&f, VHD_TYPE_DYNAMIC, 200 * 1024 * MIB, uuid, CREATED_2024,
		    "win ");
	assert_int_equal(f.geometry.cylinders, 65535);
	footer_set_size(&f, 64 * MIB);
	assert_int_equal(f.geometry.cylinders, 963);
}

static void
test_diff_names_the_fields(void **state)
{
	struct disk_footer disk_a = disk_of(example_a);
	struct disk_footer disk_b = disk_of(example_b);
	struct footer a = decoded(&disk_a), b = decoded(&disk_b);
	char text[256];

	(void)state;
	footer_diff(text, sizeof(text), &a, &a);
	assert_string_equal(text, "");
	footer_diff(text, sizeof(text), &a, &b);
	assert_string_equal(text, " data_offset original_size current_size"
				  " geometry disk_type");
	footer_diff(text, 20, &a, &b);
	assert_string_equal(text, " data_offset");
}

static void
test_diff_sees_every_field(void **state)
{
	struct disk_footer disk = disk_of(example_b);
	struct footer a = decoded(&disk), b;
	char text[256];

	(void)state;
	for (size_t at = 8; at < sizeof(disk); at++) {
		struct disk_footer other = disk;

		if (at >= 64 && at < 68)
			continue;
		((uint8_t *)&other)[at] ^= 0x41;
		fix_checksum(&other);
		(void)footer_decode(&b, &other);
		footer_diff(text, sizeof(text), &a, &b);
		if (!text[0])
			fail_msg("byte %zu differs, nothing is said", at);
	}
}

static void
test_diff_forgives_the_hidden_byte_of_tap_only(void **state)
{
	struct disk_footer disk = disk_of(example_b);
	struct footer a = decoded(&disk), b = a;
	char text[64];

	(void)state;
	b.reserved[0] = 1;
	footer_diff(text, sizeof(text), &a, &b);
	assert_string_equal(text, " reserved");
	memcpy(a.creator_app, "tap", 4);
	memcpy(b.creator_app, "tap", 4);
	footer_diff(text, sizeof(text), &a, &b);
	assert_string_equal(text, "");
	b.reserved[1] = 1;
	footer_diff(text, sizeof(text), &a, &b);
	assert_string_equal(text, " reserved");
}

static void
test_every_fault_has_its_own_text(void **state)
{
	(void)state;
	for (int i = FOOTER_OK; i <= FOOTER_BAD_SIZE; i++)
		for (int n = FOOTER_OK; n < i; n++)
			assert_string_not_equal(
				footer_fault_text((enum footer_fault)i),
				footer_fault_text((enum footer_fault)n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksums_of_the_examples),
		cmocka_unit_test(
			test_footer_of_511_bytes_has_the_same_checksum),
		cmocka_unit_test(test_example_a_is_built_from_its_parameters),
		cmocka_unit_test(test_example_b_is_built_from_its_parameters),
		cmocka_unit_test(test_fields_of_example_f),
		cmocka_unit_test(
			test_every_byte_survives_decoding_and_encoding),
		cmocka_unit_test(test_any_single_changed_byte_is_noticed),
		cmocka_unit_test(test_no_cookie_leaves_the_result_alone),
		cmocka_unit_test(test_poison_of_tapdisk_is_named),
		cmocka_unit_test(test_wrong_checksum_still_fills_the_result),
		cmocka_unit_test(test_only_the_major_version_counts),
		cmocka_unit_test(test_only_types_2_3_and_4_are_disks),
		cmocka_unit_test(test_sizes_at_the_edges),
		cmocka_unit_test(
			test_original_size_and_geometry_decide_nothing),
		cmocka_unit_test(
			test_early_tap_may_hide_without_a_new_checksum),
		cmocka_unit_test(test_later_tap_may_not),
		cmocka_unit_test(test_init_times_that_do_not_fit_are_clamped),
		cmocka_unit_test(test_set_size_follows_with_the_geometry),
		cmocka_unit_test(test_set_size_lowers_the_original_size),
		cmocka_unit_test(test_set_size_keeps_a_geometry_that_is_a_mark),
		cmocka_unit_test(
			test_set_size_shrinks_a_truly_largest_geometry),
		cmocka_unit_test(test_diff_names_the_fields),
		cmocka_unit_test(test_diff_sees_every_field),
		cmocka_unit_test(
			test_diff_forgives_the_hidden_byte_of_tap_only),
		cmocka_unit_test(test_every_fault_has_its_own_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
