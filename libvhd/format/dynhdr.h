/* SPDX-License-Identifier: BSD-3-Clause */
/* dynhdr.h - the dynamic disk header and its parent locators (format 8, 9). */
#ifndef VHDI_DYNHDR_H
#define VHDI_DYNHDR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/layout.h"

#define DYNHDR_SIZE       1024u
#define BAT_UNUSED        UINT32_MAX
#define MAX_LOCATORS      8
#define MAX_BLOCK_SIZE    (256u << 20)
#define MAX_LOCATOR_BYTES 65536u
#define MAX_PATH_TEXT     4096 /* UTF-8 bytes of a path out of a locator */

#define PLATFORM_NONE 0u
#define PLATFORM_WI2R 0x57693272u
#define PLATFORM_WI2K 0x5769326bu
#define PLATFORM_W2RU 0x57327275u
#define PLATFORM_W2KU 0x57326b75u
#define PLATFORM_MAC  0x4d616320u
#define PLATFORM_MACX 0x4d616358u

struct locator {
	uint32_t code;
	uint32_t space;  /* as stored: sectors, or bytes (format 9.3) */
	uint32_t length; /* bytes used */
	uint32_t reserved;
	uint64_t offset; /* where in the file */
};

struct dynhdr {
	uint64_t data_offset;
	uint64_t table_offset;
	uint32_t version;
	uint32_t max_entries;
	uint32_t block_size;
	uint8_t parent_uuid[16];
	uint32_t parent_time; /* seconds since 2000; 0: not stored */
	uint32_t reserved1;
	uint8_t parent_name[512]; /* UTF-16BE as stored */
	struct locator locator[MAX_LOCATORS];
	uint8_t reserved2[256];
};

enum dynhdr_fault {
	DYNHDR_OK = 0,
	DYNHDR_NO_COOKIE,
	DYNHDR_BAD_CHECKSUM,
	DYNHDR_BAD_VERSION,
	DYNHDR_BAD_BLOCK_SIZE, /* not a power of two in 512 .. 256 MiB */
	DYNHDR_BAD_ENTRIES,    /* zero */
};

/* Decode 1024 bytes; *ret is filled whenever the cookie is there. */
enum dynhdr_fault dynhdr_decode(struct dynhdr *ret,
				const struct disk_dynhdr *disk);
const char *dynhdr_fault_text(enum dynhdr_fault fault);
void dynhdr_encode(struct disk_dynhdr *ret, const struct dynhdr *h);

/* A new header by the writer profile (format 24), no parent. */
void dynhdr_init(struct dynhdr *ret, uint64_t table_offset, uint32_t entries,
		 uint32_t block_size);

/* parent_name as UTF-8; false if malformed.  Early XenServer wrote it
 * little-endian (format 8.1). */
bool dynhdr_parent_name(char *ret, size_t ret_size, const struct dynhdr *h);
/* Store a name, cut on a character boundary when too long. */
void dynhdr_set_parent_name(struct dynhdr *h, const char *name);

/* Bytes set aside for a locator's data, whichever unit was used. */
uint64_t locator_space(const struct locator *l);

/* A locator's data as a path in UTF-8 with '/' separators; MacX URLs are
 * decoded.  False when it is not text we can read. */
bool locator_decode(char *ret, size_t ret_size, uint32_t code,
		    const uint8_t *data, size_t length);

/* The same as stored: backslashes and URLs kept; for people. */
bool locator_text(char *ret, size_t ret_size, uint32_t code,
		  const uint8_t *data, size_t length);

/* The data for a relative or absolute POSIX path; W2ru gets ".\" in front
 * unless it starts with "..", W2ku backslashes, MacX a file URL: relative
 * paths as "file://./...".  False when it does not fit or is not UTF-8. */
bool locator_encode(uint8_t *ret, size_t ret_size, size_t *ret_length,
		    uint32_t code, const char *path);

void locator_code_text(char ret[static 5], uint32_t code);

/* Is this path absolute in any of the systems' ways: /x, C:\x, C:x, \\host,
 * or does it climb out with ".."?  (After locator_decode.) */
bool path_is_absolute(const char *path);
bool path_escapes(const char *path);
#endif
