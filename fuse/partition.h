/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * partition.h - the partitions of a disk, by its MBR or GPT.
 *
 * A table is written by a guest, who may be hostile: nothing outside the disk
 * is ever described, memory and work are bounded, and where a table
 * contradicts itself no partition is shown rather than a wrong one.  Numbers
 * are those that Linux gives: the slot in an MBR or GPT, and from 5 on the
 * order of the logical ones.
 */
#ifndef VHDFUSE_PARTITION_H
#define VHDFUSE_PARTITION_H
#include <stddef.h>
#include <stdint.h>

#define SECTOR 512U
/* Partitions with higher numbers are not shown. */
#define PARTITION_LAST 255U

struct partition {
	unsigned int number; /* from 1 */
	uint64_t start;      /* bytes */
	uint64_t length;     /* bytes, not 0 */
};

struct partition_table {
	size_t count;
	struct partition parts[PARTITION_LAST];
	const char *note; /* what is wrong with the table; or NULL */
};

/* A disk to read from; read returns 0, or something else when it cannot. */
struct partition_disk {
	int (*read)(void *buf, size_t len, uint64_t offset, void *user);
	void *user;
	uint64_t size;
};

/* A disk without a table, or with one that cannot be trusted, has none. */
void partition_scan(struct partition_table *ret,
		    const struct partition_disk *disk);

/* mbr.c, gpt.c: for partition_scan() only.  sectors is the disk's size. */
#define MBR_ENTRIES  4U
#define MBR_TYPE_GPT 0xEEU

struct mbr_entry {
	unsigned int type; /* 0: unused */
	uint64_t start;    /* sectors, as stored */
	uint64_t sectors;
};

/* 0, or -1 if the sector is no MBR or EBR. */
int mbr_decode(struct mbr_entry ret[MBR_ENTRIES],
	       const unsigned char sector[SECTOR]);
void mbr_partitions(struct partition_table *ret,
		    const struct mbr_entry entries[MBR_ENTRIES],
		    const struct partition_disk *disk);
void gpt_partitions(struct partition_table *ret,
		    const struct partition_disk *disk);

/* Add a partition given in sectors.  -1, and nothing is added, when it is
 * empty, not all inside the disk, or begins at the table itself. */
int partition_add(struct partition_table *table,
		  const struct partition_disk *disk, unsigned int number,
		  uint64_t start, uint64_t sectors);
int partition_read_sector(unsigned char ret[SECTOR],
			  const struct partition_disk *disk, uint64_t sector);

uint32_t partition_le32(const unsigned char *p);
uint64_t partition_le64(const unsigned char *p);
#endif
