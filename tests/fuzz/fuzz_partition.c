/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_partition.c - any sectors as a disk with a partition table, as they
 * are and with the checksums of a GPT made right. */
#include "fuzz.h"
#include "partition.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#define SECTORS 2048U

static unsigned char disk[SECTORS * SECTOR];

/* A sector each: where it goes, two bytes, and what is in it. */
static void
fill(const uint8_t *data, size_t size)
{
	memset(disk, 0, sizeof(disk));
	while (size > 2) {
		size_t at = (data[0] | (size_t)data[1] << 8) % SECTORS;
		size_t length = size - 2 < SECTOR ? size - 2 : SECTOR;

		memcpy(disk + at * SECTOR, data + 2, length);
		data += 2 + length;
		size -= 2 + length;
	}
}

static void
put_le32(unsigned char *to, uint32_t value)
{
	for (unsigned int i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

static void
seal(size_t at)
{
	unsigned char *h = disk + at * SECTOR;
	uint64_t array = partition_le64(h + 72);
	uint64_t bytes =
		(uint64_t)partition_le32(h + 80) * partition_le32(h + 84);
	uint32_t size = partition_le32(h + 12);

	if (array < SECTORS && bytes <= sizeof(disk) - array * SECTOR)
		put_le32(h + 88, (uint32_t)crc32(0, disk + array * SECTOR,
						 (uInt)bytes));
	put_le32(h + 16, 0);
	if (size <= SECTOR)
		put_le32(h + 16, (uint32_t)crc32(0, h, size));
}

static int
read_disk(void *buf, size_t len, uint64_t offset, void *user)
{
	uint64_t size = *(const uint64_t *)user;

	CHECK(offset <= size && len <= size - offset);
	memcpy(buf, disk + offset, len);
	return 0;
}

static void
judge(uint64_t size)
{
	static struct partition_table table;
	struct partition_disk source = {read_disk, &size, size};
	bool seen[PARTITION_LAST + 1] = {false};

	partition_scan(&table, &source);
	CHECK(table.count <= PARTITION_LAST);
	for (size_t i = 0; i < table.count; i++) {
		const struct partition *p = &table.parts[i];

		CHECK(p->number >= 1 && p->number <= PARTITION_LAST);
		CHECK(!seen[p->number]);
		seen[p->number] = true;
		CHECK(p->length > 0 && p->start >= SECTOR);
		CHECK(p->start <= size && p->length <= size - p->start);
		CHECK(p->start % SECTOR == 0 && p->length % SECTOR == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fill(data, size);
	judge(sizeof(disk));
	judge(sizeof(disk) - 700);
	seal(1);
	seal(SECTORS - 1);
	judge(sizeof(disk));
	return 0;
}
