/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * partition.c - which kind of table a disk has, and what mbr.c and gpt.c
 * share.
 */
#include "partition.h"

#include <stdbool.h>
#include <string.h>

uint32_t
partition_le32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

uint64_t
partition_le64(const unsigned char *p)
{
	return partition_le32(p) | (uint64_t)partition_le32(p + 4) << 32;
}

int
partition_read_sector(unsigned char ret[SECTOR],
		      const struct partition_disk *disk, uint64_t sector)
{
	if (sector >= disk->size / SECTOR)
		return -1;
	return disk->read(ret, SECTOR, sector * SECTOR, disk->user);
}

int
partition_add(struct partition_table *table, const struct partition_disk *disk,
	      unsigned int number, uint64_t start, uint64_t sectors)
{
	uint64_t total = disk->size / SECTOR;

	if (number == 0 || number > PARTITION_LAST ||
	    table->count >= PARTITION_LAST)
		return -1;
	if (start == 0 || sectors == 0 || start >= total ||
	    sectors > total - start)
		return -1;
	table->parts[table->count++] = (struct partition){
		.number = number,
		.start = start * SECTOR,
		.length = sectors * SECTOR,
	};
	return 0;
}

static bool
is_protective(const struct mbr_entry entries[MBR_ENTRIES])
{
	for (unsigned int i = 0; i < MBR_ENTRIES; i++) {
		if (entries[i].type == MBR_TYPE_GPT)
			return true;
	}
	return false;
}

void
partition_scan(struct partition_table *ret, const struct partition_disk *disk)
{
	struct mbr_entry entries[MBR_ENTRIES];
	unsigned char sector[SECTOR];

	ret->count = 0;
	ret->note = NULL;
	if (disk->size < SECTOR)
		return;
	if (partition_read_sector(sector, disk, 0)) {
		ret->note = "the partition table cannot be read";
		return;
	}
	if (mbr_decode(entries, sector))
		return;
	if (is_protective(entries))
		gpt_partitions(ret, disk);
	else
		mbr_partitions(ret, entries, disk);
}
