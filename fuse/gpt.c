/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * gpt.c - partitions of a GUID partition table.
 *
 * The table stands at sector 1 and again at the end of the disk; each copy is
 * believed only if both its checksums are right and every field fits the
 * disk.  The second is used when the first is not believed.
 */
#include "partition.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define HEADER_LEAST    92U
#define ENTRY_LEAST     128U
#define ENTRY_MOST      4096U
#define ENTRIES_AT_MOST (1U << 20) /* bytes; 16 KiB is usual */

struct header {
	uint64_t first; /* sector that partitions may use, and the last */
	uint64_t last;
	uint64_t entries_at; /* sector */
	uint32_t count;
	uint32_t entry_size;
	uint32_t entries_crc;
};

/* Is this header, without a look at the entries, to be believed? */
static int
decode_header(struct header *ret, unsigned char sector[SECTOR], uint64_t at)
{
	uint32_t size = partition_le32(sector + 12);
	uint32_t crc = partition_le32(sector + 16);

	if (memcmp(sector, "EFI PART", 8) != 0 ||
	    partition_le32(sector + 8) >> 16 != 1 || size < HEADER_LEAST ||
	    size > SECTOR || partition_le64(sector + 24) != at)
		return -1;
	memset(sector + 16, 0, 4);
	if (crc32(0, sector, size) != crc)
		return -1;
	*ret = (struct header){
		.first = partition_le64(sector + 40),
		.last = partition_le64(sector + 48),
		.entries_at = partition_le64(sector + 72),
		.count = partition_le32(sector + 80),
		.entry_size = partition_le32(sector + 84),
		.entries_crc = partition_le32(sector + 88),
	};
	return 0;
}

/* The array must lie inside the disk, and not where partitions are. */
static int
check_header(uint64_t *ret_bytes, const struct header *h, uint64_t sectors)
{
	uint64_t bytes, array;

	if (h->entry_size < ENTRY_LEAST || h->entry_size > ENTRY_MOST ||
	    h->entry_size % 8 != 0)
		return -1;
	bytes = (uint64_t)h->count * h->entry_size;
	array = (bytes + SECTOR - 1) / SECTOR;
	if (bytes == 0 || bytes > ENTRIES_AT_MOST || h->last >= sectors ||
	    h->first < 2 || h->first > h->last)
		return -1;
	if (h->entries_at < 2 || h->entries_at >= sectors ||
	    array > sectors - h->entries_at)
		return -1;
	if (h->entries_at <= h->last && h->entries_at + array > h->first)
		return -1;
	*ret_bytes = bytes;
	return 0;
}

static void
add_entries(struct partition_table *ret, const struct partition_disk *disk,
	    const struct header *h, const unsigned char *entries)
{
	static const unsigned char unused[16];

	for (uint32_t i = 0; i < h->count; i++) {
		const unsigned char *e = entries + (size_t)i * h->entry_size;
		uint64_t start = partition_le64(e + 32);
		uint64_t end = partition_le64(e + 40);

		if (memcmp(e, unused, sizeof(unused)) == 0)
			continue;
		if (start < h->first || end > h->last || start > end)
			ret->note = "a partition does not lie where the GPT "
				    "allows it; it is not shown";
		else if (partition_add(ret, disk, i + 1, start,
				       end - start + 1))
			ret->note = "there are more partitions than can be "
				    "shown";
	}
}

/* Add what the copy at this sector describes; -1, and nothing is added, if
 * it is not to be believed. */
static int
read_copy(struct partition_table *ret, const struct partition_disk *disk,
	  uint64_t at)
{
	unsigned char sector[SECTOR];
	unsigned char *entries;
	struct header h;
	uint64_t bytes;
	int err = -1;

	if (partition_read_sector(sector, disk, at) ||
	    decode_header(&h, sector, at) ||
	    check_header(&bytes, &h, disk->size / SECTOR))
		return -1;
	entries = malloc((size_t)bytes);
	if (entries &&
	    !disk->read(entries, (size_t)bytes, h.entries_at * SECTOR,
			disk->user) &&
	    crc32(0, entries, (uInt)bytes) == h.entries_crc) {
		add_entries(ret, disk, &h, entries);
		err = 0;
	}
	free(entries);
	return err;
}

void
gpt_partitions(struct partition_table *ret, const struct partition_disk *disk)
{
	uint64_t sectors = disk->size / SECTOR;

	if (!read_copy(ret, disk, 1))
		return;
	if (!read_copy(ret, disk, sectors - 1))
		ret->note = "the first copy of the GPT is damaged; the second "
			    "one is used";
	else
		ret->note = "both copies of the GPT are damaged; no partition "
			    "is shown";
}
