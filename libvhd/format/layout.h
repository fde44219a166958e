/* SPDX-License-Identifier: BSD-3-Clause */
/* layout.h - the structs on disk, byte for byte (format 3, 8, 9, 15.2).
 *
 * Only byte arrays: no padding, no alignment, and no field that could be used
 * without being converted. */
#ifndef VHDI_LAYOUT_H
#define VHDI_LAYOUT_H
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* The footer: last sector of every VHD, and a copy in the first sector of a
 * dynamic or differencing one.  Integers are big-endian. */
struct disk_footer {
	uint8_t cookie[8];          /* 0x000  "conectix" */
	uint8_t features[4];        /* 0x008  bit 1 always set */
	uint8_t version[4];         /* 0x00c  0x00010000 */
	uint8_t data_offset[8];     /* 0x010  dynamic header; ~0 when fixed */
	uint8_t timestamp[4];       /* 0x018  seconds since 2000-01-01 UTC */
	uint8_t creator_app[4];     /* 0x01c */
	uint8_t creator_version[4]; /* 0x020 */
	uint8_t creator_os[4];      /* 0x024  "Wi2k" or "Mac " */
	uint8_t original_size[8];   /* 0x028  bytes, when created */
	uint8_t current_size[8];    /* 0x030  bytes, what the guest sees */
	uint8_t geometry[4];        /* 0x038  cylinders:16 heads:8 sectors:8 */
	uint8_t disk_type[4];       /* 0x03c  2, 3 or 4: enum vhd_type */
	uint8_t checksum[4];        /* 0x040  ~(sum of all other bytes) */
	uint8_t uuid[16];           /* 0x044 */
	uint8_t saved_state;        /* 0x054 */
	uint8_t reserved[427];      /* 0x055  zero */
};
static_assert(sizeof(struct disk_footer) == 512, "footer is one sector");
static_assert(offsetof(struct disk_footer, checksum) == 0x40, "format 3.1");

struct disk_locator {
	uint8_t code[4];     /* 0x00  "W2ru" and so on; 0 if unused */
	uint8_t space[4];    /* 0x04  room for data; sectors, or bytes (!) */
	uint8_t length[4];   /* 0x08  bytes used */
	uint8_t reserved[4]; /* 0x0c */
	uint8_t offset[8];   /* 0x10  where in the file, bytes */
};
struct disk_dynhdr {
	uint8_t cookie[8];        /* 0x000  "cxsparse" */
	uint8_t data_offset[8];   /* 0x008  ~0, unused */
	uint8_t bat_offset[8];    /* 0x010  bytes from the start of the file */
	uint8_t version[4];       /* 0x018  0x00010000 */
	uint8_t bat_entries[4];   /* 0x01c  one per block of the disk */
	uint8_t block_size[4];    /* 0x020  bytes of data; a power of two */
	uint8_t checksum[4];      /* 0x024 */
	uint8_t parent_uuid[16];  /* 0x028 */
	uint8_t parent_time[4];   /* 0x038  seconds since 2000-01-01 UTC */
	uint8_t reserved1[4];     /* 0x03c */
	uint8_t parent_name[512]; /* 0x040  UTF-16, big-endian */
	struct disk_locator loc[8]; /* 0x240 */
	uint8_t reserved2[256];     /* 0x300 */
};
static_assert(sizeof(struct disk_dynhdr) == 1024, "two sectors");
static_assert(offsetof(struct disk_dynhdr, loc) == 0x240, "format 8");
static_assert(offsetof(struct disk_dynhdr, reserved2) == 0x300, "format 8");
static_assert(_Alignof(struct disk_dynhdr) == 1, "byte arrays only");

/* XenServer's map of full blocks, found by its place behind the BAT. */
struct disk_batmap {
	uint8_t cookie[8];   /* 0x00  "tdbatmap" */
	uint8_t offset[8];   /* 0x08  of the map, bytes */
	uint8_t sectors[4];  /* 0x10  of the map */
	uint8_t version[4];  /* 0x14  0x00010002; 1: signed checksum */
	uint8_t checksum[4]; /* 0x18  over the map */
	uint8_t marker;      /* 0x1c */
	uint8_t keyhash[65]; /* 0x1d */
	uint8_t reserved[418];
};
static_assert(sizeof(struct disk_batmap) == 512, "one sector");
#endif
