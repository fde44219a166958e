/* SPDX-License-Identifier: BSD-3-Clause */
/* test_partition.c - MBR and GPT, those of honest guests and others. */
#include "cmocka.h"
#include "partition.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SECTORS 4096U
#define LAST    (SECTORS - 1)

static unsigned char bytes[SECTORS * SECTOR];
static uint64_t bad_sector; /* cannot be read; 0: every one can */
static struct partition_table table;

static int
read_bytes(void *buf, size_t len, uint64_t offset, void *user)
{
	(void)user;
	assert_true(offset <= sizeof(bytes) && len <= sizeof(bytes) - offset);
	if (bad_sector && offset / SECTOR <= bad_sector &&
	    (offset + len - 1) / SECTOR >= bad_sector)
		return -1;
	memcpy(buf, bytes + offset, len);
	return 0;
}

static void
scan_size(uint64_t size)
{
	struct partition_disk disk = {.read = read_bytes, .size = size};

	partition_scan(&table, &disk);
}

static void
scan(void)
{
	scan_size(sizeof(bytes));
}

static int
setup(void **state)
{
	(void)state;
	memset(bytes, 0, sizeof(bytes));
	bad_sector = 0;
	return 0;
}

/* ---- Writing tables ---- */

static void
put(unsigned char *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

static void
entry(uint32_t sector, unsigned int slot, unsigned int type, uint32_t start,
      uint32_t sectors)
{
	unsigned char *record = bytes + (size_t)sector * SECTOR;
	unsigned char *e = record + 446 + (size_t)slot * 16;

	record[510] = 0x55;
	record[511] = 0xAA;
	e[4] = (unsigned char)type;
	put(e + 8, start, 4);
	put(e + 12, sectors, 4);
}

static void
gpt_entry(uint32_t array, uint32_t index, uint64_t start, uint64_t end)
{
	unsigned char *e = bytes + (size_t)array * SECTOR + (size_t)index * 128;

	memset(e, 0xA5, 32);
	put(e + 32, start, 8);
	put(e + 40, end, 8);
}

static unsigned char *
header(uint32_t at)
{
	return bytes + (size_t)at * SECTOR;
}

static void
seal_header(uint32_t at)
{
	unsigned char *h = header(at);

	put(h + 16, 0, 4);
	put(h + 16, crc32(0, h, 92), 4);
}

static void
seal(uint32_t at)
{
	unsigned char *h = header(at);
	size_t array = (size_t)partition_le64(h + 72) * SECTOR;

	put(h + 88,
	    crc32(0, bytes + array,
		  partition_le32(h + 80) * partition_le32(h + 84)),
	    4);
	seal_header(at);
}

static void
gpt_header(uint32_t at, uint32_t array)
{
	unsigned char *h = header(at);

	memcpy(h, "EFI PART", 8);
	put(h + 8, 0x10000, 4);
	put(h + 12, 92, 4);
	put(h + 24, at, 8);
	put(h + 40, 34, 8);
	put(h + 48, SECTORS - 34, 8);
	put(h + 72, array, 8);
	put(h + 80, 128, 4);
	put(h + 84, 128, 4);
	seal(at);
}

/* Partitions 1 and 3, in both copies. */
static void
good_gpt(void)
{
	static const uint32_t arrays[] = {2, SECTORS - 33};

	entry(0, 0, 0xEE, 1, SECTORS - 1);
	for (int i = 0; i < 2; i++) {
		gpt_entry(arrays[i], 0, 64, 127);
		gpt_entry(arrays[i], 2, 128, SECTORS - 34);
	}
	gpt_header(1, 2);
	gpt_header(LAST, SECTORS - 33);
}

/* ---- What is expected ---- */

static void
expect(size_t index, unsigned int number, uint64_t start, uint64_t sectors)
{
	assert_true(index < table.count);
	assert_int_equal(table.parts[index].number, number);
	assert_int_equal(table.parts[index].start, start * SECTOR);
	assert_int_equal(table.parts[index].length, sectors * SECTOR);
}

static void
expect_count(size_t count, bool note)
{
	assert_int_equal(table.count, count);
	if (note)
		assert_non_null(table.note);
	else
		assert_null(table.note);
}

static void
expect_good_gpt(bool note)
{
	expect_count(2, note);
	expect(0, 1, 64, 64);
	expect(1, 3, 128, SECTORS - 34 - 128 + 1);
}

/* ---- MBR ---- */

static void
an_empty_disk_has_no_partitions(void **state)
{
	(void)state;
	scan();
	expect_count(0, false);
	scan_size(0);
	expect_count(0, false);
	scan_size(SECTOR - 1);
	expect_count(0, false);
}

static void
primary_partitions_are_numbered_by_slot(void **state)
{
	(void)state;
	entry(0, 1, 0x83, 2048, 100);
	entry(0, 3, 0x07, 2148, SECTORS - 2148);
	scan();
	expect_count(2, false);
	expect(0, 2, 2048, 100);
	expect(1, 4, 2148, SECTORS - 2148);
}

static void
logical_partitions_begin_at_5(void **state)
{
	(void)state;
	entry(0, 0, 0x83, 64, 64);
	entry(0, 1, 0x0F, 1000, 2000);
	entry(1000, 0, 0x83, 10, 90);
	entry(1000, 1, 0x05, 500, 200);
	entry(1500, 0, 0x82, 10, 100);
	entry(1500, 1, 0x05, 800, 200);
	entry(1800, 0, 0x83, 1, 1199);
	scan();
	expect_count(4, false);
	expect(0, 1, 64, 64);
	expect(1, 5, 1010, 90);
	expect(2, 6, 1510, 100);
	expect(3, 7, 1801, 1199);
}

static void
an_ebr_without_a_partition_takes_no_number(void **state)
{
	(void)state;
	entry(0, 0, 0x05, 1000, 2000);
	entry(1000, 1, 0x05, 500, 200);
	entry(1500, 0, 0x83, 10, 100);
	scan();
	expect_count(1, false);
	expect(0, 5, 1510, 100);
}

static void
the_boot_sector_of_a_file_system_is_no_table(void **state)
{
	(void)state;
	entry(0, 0, 0x20, 64, 64);
	bytes[446] = 'B';
	scan();
	expect_count(0, false);
}

static void
partitions_outside_the_disk_are_not_shown(void **state)
{
	(void)state;
	entry(0, 0, 0x83, SECTORS - 10, 11);
	entry(0, 1, 0x83, SECTORS, 1);
	entry(0, 2, 0x83, 0xFFFFFFFF, 0xFFFFFFFF);
	entry(0, 3, 0x83, 0, 100); /* the table itself */
	scan();
	expect_count(0, true);
}

static void
the_last_part_of_a_sector_belongs_to_no_partition(void **state)
{
	(void)state;
	entry(0, 0, 0x83, 100, 1);
	scan_size(101 * SECTOR - 1);
	expect_count(0, true);
	scan_size(101 * SECTOR);
	expect_count(1, false);
}

static void
a_loop_of_ebrs_ends(void **state)
{
	(void)state;
	entry(0, 0, 0x05, 1000, 2000);
	entry(1000, 0, 0x83, 10, 90);
	entry(1000, 1, 0x05, 500, 200);
	entry(1500, 0, 0x83, 10, 100);
	entry(1500, 1, 0x05, 500, 200); /* itself */
	scan();
	expect_count(2, true);
	entry(1500, 1, 0x05, 0, 200); /* the first */
	scan();
	expect_count(2, true);
}

static void
ebrs_beyond_the_last_number_are_not_followed(void **state)
{
	(void)state;
	entry(0, 0, 0x05, 1, SECTORS - 1);
	for (uint32_t i = 0; i < 1000; i++) {
		entry(1 + 2 * i, 0, 0x83, 1, 1);
		entry(1 + 2 * i, 1, 0x05, 2 * (i + 1), 2);
	}
	scan();
	expect_count(PARTITION_LAST - 4, true);
}

static void
logical_partitions_outside_the_extended_one_end_the_walk(void **state)
{
	(void)state;
	entry(0, 0, 0x05, 1000, 2000);
	entry(1000, 0, 0x83, 10, 1991);
	entry(1000, 1, 0x05, 500, 200);
	entry(1500, 0, 0x83, 10, 100);
	scan();
	expect_count(0, true);
	entry(1000, 0, 0x83, 0xFFFFFFFF, 0xFFFFFFFF);
	scan();
	expect_count(0, true);
	entry(1000, 0, 0x83, 0, 90); /* over its own EBR */
	scan();
	expect_count(0, true);
	entry(1000, 0, 0x83, 10, 90);
	entry(1000, 1, 0x05, 2000, 200);
	scan();
	expect_count(1, true);
}

static void
an_extended_partition_beyond_the_disk_is_harmless(void **state)
{
	(void)state;
	entry(0, 0, 0x05, 0xFFFFFFFF, 0xFFFFFFFF);
	scan();
	expect_count(0, true);
	entry(0, 0, 0x05, 1000, 0xFFFFFFFF);
	entry(1000, 0, 0x83, 10, 90);
	entry(1000, 1, 0x05, 0xFFFFFFFE, 1);
	scan();
	expect_count(1, true);
}

static void
a_table_that_cannot_be_read_is_none(void **state)
{
	struct partition_disk disk = {.read = read_bytes,
				      .size = sizeof(bytes)};

	(void)state;
	entry(0, 0, 0x05, 1000, 2000);
	entry(1000, 0, 0x83, 10, 90);
	bad_sector = 1000;
	partition_scan(&table, &disk);
	expect_count(0, true);
}

/* ---- GPT ---- */

static void
gpt_partitions_are_numbered_by_slot(void **state)
{
	(void)state;
	good_gpt();
	scan();
	expect_good_gpt(false);
}

static void
the_second_copy_is_used_when_the_first_is_bad(void **state)
{
	(void)state;
	good_gpt();
	header(1)[56] ^= 1; /* the disk's GUID: only the checksum tells */
	scan();
	expect_good_gpt(true);
	good_gpt();
	bytes[2 * SECTOR + 40] ^= 1; /* an entry */
	scan();
	expect_good_gpt(true);
	good_gpt();
	bad_sector = 20;
	scan();
	expect_good_gpt(true);
}

static void
two_bad_copies_show_nothing(void **state)
{
	(void)state;
	good_gpt();
	header(1)[56] ^= 1;
	header(LAST)[56] ^= 1;
	scan();
	expect_count(0, true);
}

/* Both copies, with this field changed and every checksum right. */
static void
forge(size_t field, uint64_t value, size_t size)
{
	setup(NULL);
	good_gpt();
	put(header(1) + field, value, size);
	put(header(LAST) + field, value, size);
	seal_header(1);
	seal_header(LAST);
	scan();
}

static void
forged_headers_show_nothing(void **state)
{
	static const struct {
		size_t field;
		uint64_t value;
		size_t size;
	} forgeries[] = {
		{8, 0x20000, 4},              /* revision */
		{12, 91, 4},                  /* header size */
		{12, 513, 4},                 /* more than a sector */
		{12, 0xFFFFFFFF, 4},          /* . */
		{24, 2, 8},                   /* own place */
		{40, 1, 8},                   /* first over the header */
		{40, SECTORS, 8},             /* first after last */
		{48, SECTORS, 8},             /* last beyond the disk */
		{48, UINT64_MAX, 8},          /* . */
		{72, 0, 8},                   /* array over the MBR */
		{72, 1, 8},                   /* array over the header */
		{72, 40, 8},                  /* array in a partition */
		{72, SECTORS - 31, 8},        /* array beyond the disk */
		{72, UINT64_MAX, 8},          /* . */
		{72, UINT64_MAX / SECTOR, 8}, /* . */
		{80, 0, 4},                   /* no entries */
		{80, 0xFFFFFFFF, 4},          /* too many */
		{84, 0, 4},                   /* no size */
		{84, 64, 4},                  /* too small */
		{84, 129, 4},                 /* odd */
		{84, 0xFFFFFFF8, 4},          /* too large */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forgeries) / sizeof(forgeries[0]); i++) {
		forge(forgeries[i].field, forgeries[i].value,
		      forgeries[i].size);
		if (table.count != 0 || !table.note)
			fail_msg("field %zu = %#llx was believed",
				 forgeries[i].field,
				 (unsigned long long)forgeries[i].value);
	}
}

static void
gpt_partitions_outside_their_area_are_not_shown(void **state)
{
	static const uint64_t bad[][2] = {
		{0, 40},           {33, 40},
		{64, 63},          {64, SECTORS - 33},
		{64, UINT64_MAX},  {UINT64_MAX, UINT64_MAX},
		{UINT64_MAX, 100}, {SECTORS, SECTORS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		good_gpt();
		gpt_entry(2, 0, bad[i][0], bad[i][1]);
		seal(1);
		scan();
		expect_count(1, true);
		expect(0, 3, 128, SECTORS - 34 - 128 + 1);
	}
}

static void
a_gpt_without_its_protective_mbr_does_not_count(void **state)
{
	(void)state;
	good_gpt();
	entry(0, 0, 0x83, 100, 100);
	scan();
	expect_count(1, false);
	expect(0, 1, 100, 100);
}

static void
a_gpt_on_a_tiny_disk_is_harmless(void **state)
{
	(void)state;
	good_gpt();
	for (uint64_t size = 0; size < 40 * SECTOR; size += 100) {
		scan_size(size);
		assert_int_equal(table.count, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, setup)
		TEST(an_empty_disk_has_no_partitions),
		TEST(primary_partitions_are_numbered_by_slot),
		TEST(logical_partitions_begin_at_5),
		TEST(an_ebr_without_a_partition_takes_no_number),
		TEST(the_boot_sector_of_a_file_system_is_no_table),
		TEST(partitions_outside_the_disk_are_not_shown),
		TEST(the_last_part_of_a_sector_belongs_to_no_partition),
		TEST(a_loop_of_ebrs_ends),
		TEST(ebrs_beyond_the_last_number_are_not_followed),
		TEST(logical_partitions_outside_the_extended_one_end_the_walk),
		TEST(an_extended_partition_beyond_the_disk_is_harmless),
		TEST(a_table_that_cannot_be_read_is_none),
		TEST(gpt_partitions_are_numbered_by_slot),
		TEST(the_second_copy_is_used_when_the_first_is_bad),
		TEST(two_bad_copies_show_nothing),
		TEST(forged_headers_show_nothing),
		TEST(gpt_partitions_outside_their_area_are_not_shown),
		TEST(a_gpt_without_its_protective_mbr_does_not_count),
		TEST(a_gpt_on_a_tiny_disk_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
