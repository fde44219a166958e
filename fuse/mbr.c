/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mbr.c - partitions of a master boot record: four entries, of which one may
 * be an extended partition, in which each logical partition has a boot record
 * of its own (EBR) with a link to the next.
 */
#include "partition.h"

#include <stdbool.h>

#define ENTRIES_AT    446U
#define ENTRY_SIZE    16U
#define FIRST_LOGICAL 5U
#define NONE          MBR_ENTRIES

/* Positions of EBRs, to find loops. */
struct visited {
	unsigned int count;
	uint64_t at[PARTITION_LAST];
};

int
mbr_decode(struct mbr_entry ret[MBR_ENTRIES],
	   const unsigned char sector[SECTOR])
{
	const unsigned char *p = sector + ENTRIES_AT;

	if (sector[510] != 0x55 || sector[511] != 0xAA)
		return -1;
	/* The boot sector of a file system ends in the same two bytes; what
	 * it has here is code, in which this byte is hardly ever right. */
	for (unsigned int i = 0; i < MBR_ENTRIES; i++) {
		if (p[i * ENTRY_SIZE] & 0x7F)
			return -1;
	}
	for (unsigned int i = 0; i < MBR_ENTRIES; i++, p += ENTRY_SIZE) {
		ret[i].type = p[4];
		ret[i].start = partition_le32(p + 8);
		ret[i].sectors = partition_le32(p + 12);
		if (ret[i].sectors == 0)
			ret[i].type = 0;
	}
	return 0;
}

static bool
is_extended(const struct mbr_entry *entry)
{
	return entry->type == 0x05 || entry->type == 0x0F ||
	       entry->type == 0x85;
}

/* The first two entries of an EBR: its logical partition and the link to the
 * next EBR, in either order; NONE where there is none. */
static void
roles(unsigned int *ret_logical, unsigned int *ret_link,
      const struct mbr_entry entries[MBR_ENTRIES])
{
	*ret_logical = NONE;
	*ret_link = NONE;
	for (unsigned int i = 0; i < 2; i++) {
		if (entries[i].type == 0)
			continue;
		if (!is_extended(&entries[i]))
			*ret_logical = *ret_logical == NONE ? i : *ret_logical;
		else if (*ret_link == NONE)
			*ret_link = i;
	}
}

static bool
visit(struct visited *visited, uint64_t at)
{
	for (unsigned int i = 0; i < visited->count; i++) {
		if (visited->at[i] == at)
			return false;
	}
	if (visited->count == PARTITION_LAST)
		return false;
	visited->at[visited->count++] = at;
	return true;
}

/* Logical partitions are relative to their EBR, links to the start of the
 * extended partition.  The walk ends where something is wrong, since what
 * follows would get wrong numbers. */
static void
logical_partitions(struct partition_table *ret,
		   const struct partition_disk *disk,
		   const struct mbr_entry *extended)
{
	struct mbr_entry entries[MBR_ENTRIES];
	unsigned char sector[SECTOR];
	struct visited visited = {0};
	unsigned int logical, link, number = FIRST_LOGICAL;
	uint64_t at = 0; /* of this EBR in the extended partition */

	for (;; at = entries[link].start) {
		if (at >= extended->sectors || !visit(&visited, at) ||
		    partition_read_sector(sector, disk, extended->start + at) ||
		    mbr_decode(entries, sector))
			break;
		roles(&logical, &link, entries);
		if (logical != NONE) {
			const struct mbr_entry *e = &entries[logical];

			if (e->start == 0 ||
			    at + e->start + e->sectors > extended->sectors ||
			    partition_add(ret, disk, number++,
					  extended->start + at + e->start,
					  e->sectors))
				break;
		}
		if (link == NONE)
			return;
	}
	ret->note = "the logical partitions contradict each other; those "
		    "from there on are not shown";
}

void
mbr_partitions(struct partition_table *ret,
	       const struct mbr_entry entries[MBR_ENTRIES],
	       const struct partition_disk *disk)
{
	const struct mbr_entry *extended = NULL;

	for (unsigned int i = 0; i < MBR_ENTRIES; i++) {
		const struct mbr_entry *e = &entries[i];

		if (e->type == 0)
			continue;
		if (is_extended(e))
			extended = extended ? extended : e;
		else if (partition_add(ret, disk, i + 1, e->start, e->sectors))
			ret->note = "a partition does not lie inside the "
				    "disk; it is not shown";
	}
	if (extended)
		logical_partitions(ret, disk, extended);
}
