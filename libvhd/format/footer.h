/* SPDX-License-Identifier: BSD-3-Clause */
/* footer.h - the hard disk footer: decode, judge, encode (format 3). */
#ifndef VHDI_FOOTER_H
#define VHDI_FOOTER_H
#include <stdbool.h>
#include <stdint.h>

#include <vhd.h>

#include "format/layout.h"

#define FOOTER_SIZE   512u
#define VHD_EPOCH     946684800 /* 2000-01-01 UTC in Unix time (format 3.1) */
#define NO_OFFSET     UINT64_MAX
#define MAX_DISK_SIZE 2190433320960ull /* 2040 GiB (format 7) */

struct geometry {
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors;
};

/* A footer in host order.  reserved[] is kept, because the checksum covers it
 * and other products use it: reserved[0] is XenServer's "hidden". */
struct footer {
	uint32_t features;
	uint32_t version;
	uint64_t data_offset;
	uint32_t timestamp; /* seconds since 2000 */
	uint8_t creator_app[4];
	uint32_t creator_version;
	uint8_t creator_os[4];
	uint64_t original_size;
	uint64_t current_size;
	struct geometry geometry;
	uint32_t type; /* enum vhd_type once judged */
	uint8_t uuid[16];
	uint8_t saved_state;
	uint8_t reserved[427];
};

/* Why a sector is not a usable footer; the first that applies. */
enum footer_fault {
	FOOTER_OK = 0,
	FOOTER_NO_COOKIE,
	FOOTER_POISONED, /* "v_poison" or filled with 0xC7: tapdisk */
	FOOTER_BAD_CHECKSUM,
	FOOTER_BAD_VERSION,
	FOOTER_BAD_TYPE,
	FOOTER_BAD_SIZE, /* zero, or past 2^63 */
};

/* Decode 512 bytes.  *ret is filled whenever the cookie is there, so that a
 * report can say more; it may be used for reading only when FOOTER_OK.
 * The checksum exception of early XenServer images is honoured
 * (format 15.1). */
enum footer_fault footer_decode(struct footer *ret,
				const struct disk_footer *disk);
const char *footer_fault_text(enum footer_fault fault);

/* Write every field and the checksum. */
void footer_encode(struct disk_footer *ret, const struct footer *f);

/* A new footer: features, version, creator, times and geometry set by the
 * writer profile (format 24).  created is Unix time. */
void footer_init(struct footer *ret, enum vhd_type type, uint64_t size,
		 const uint8_t uuid[static 16], int64_t created,
		 const char creator[static 4]);

/* Change the size; the geometry follows unless it is the 65535/16/255 or
 * 0/0/0 convention of its creator. */
void footer_set_size(struct footer *f, uint64_t size);

/* Fields that differ, for a report: " current_size geometry"; "" if none.
 * XenServer's hidden byte does not count (format 15.1). */
void footer_diff(char *ret, size_t ret_size, const struct footer *a,
		 const struct footer *b);

bool footer_creator_is(const struct footer *f, const char app[static 4]);

/* Sum of all bytes outside the field at `field`, complemented (format 3.2). */
uint32_t vhd_checksum(const void *bytes, uint32_t length, uint32_t field);

/* geometry.c: the algorithm of format 6.1. */
struct geometry geometry_for(uint64_t size);
uint64_t geometry_bytes(struct geometry g);
#endif
