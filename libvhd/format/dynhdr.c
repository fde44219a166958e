/* SPDX-License-Identifier: BSD-3-Clause */
/* dynhdr.c - the dynamic disk header (format 8).
 *
 * Decoding judges what can be judged without the file around it: whether the
 * BAT lies inside the file, and is long enough, is for the image to say. */
#include "format/dynhdr.h"

#include <string.h>

#include "base/arith.h"
#include "base/bytes.h"
#include "base/utf.h"
#include "format/footer.h"

#define VERSION_1_0    0x00010000u
#define MIN_BLOCK_SIZE SECTOR_SIZE
#define CHECKSUM_FIELD offsetof(struct disk_dynhdr, checksum)
#define NAME_UNITS     256u

static const char cookie[8] = {'c', 'x', 's', 'p', 'a', 'r', 's', 'e'};

static void
load_locator(struct locator *ret, const struct disk_locator *disk)
{
	ret->code = load_be32(disk->code);
	ret->space = load_be32(disk->space);
	ret->length = load_be32(disk->length);
	ret->reserved = load_be32(disk->reserved);
	ret->offset = load_be64(disk->offset);
}

static void
load(struct dynhdr *ret, const struct disk_dynhdr *disk)
{
	ret->data_offset = load_be64(disk->data_offset);
	ret->table_offset = load_be64(disk->bat_offset);
	ret->version = load_be32(disk->version);
	ret->max_entries = load_be32(disk->bat_entries);
	ret->block_size = load_be32(disk->block_size);
	memcpy(ret->parent_uuid, disk->parent_uuid, 16);
	ret->parent_time = load_be32(disk->parent_time);
	ret->reserved1 = load_be32(disk->reserved1);
	memcpy(ret->parent_name, disk->parent_name, sizeof(ret->parent_name));
	for (int i = 0; i < MAX_LOCATORS; i++)
		load_locator(&ret->locator[i], &disk->loc[i]);
	memcpy(ret->reserved2, disk->reserved2, sizeof(ret->reserved2));
}

enum dynhdr_fault
dynhdr_decode(struct dynhdr *ret, const struct disk_dynhdr *disk)
{
	uint32_t sum = vhd_checksum(disk, sizeof(*disk), CHECKSUM_FIELD);

	if (memcmp(disk->cookie, cookie, 8) != 0)
		return DYNHDR_NO_COOKIE;
	load(ret, disk);
	if (load_be32(disk->checksum) != sum)
		return DYNHDR_BAD_CHECKSUM;
	if (ret->version >> 16 != VERSION_1_0 >> 16)
		return DYNHDR_BAD_VERSION;
	if (!is_pow2(ret->block_size) || ret->block_size < MIN_BLOCK_SIZE ||
	    ret->block_size > MAX_BLOCK_SIZE)
		return DYNHDR_BAD_BLOCK_SIZE;
	if (ret->max_entries == 0)
		return DYNHDR_BAD_ENTRIES;
	return DYNHDR_OK;
}

const char *
dynhdr_fault_text(enum dynhdr_fault fault)
{
	switch (fault) {
	case DYNHDR_OK:
		return "valid";
	case DYNHDR_NO_COOKIE:
		return "no dynamic disk header";
	case DYNHDR_BAD_CHECKSUM:
		return "wrong checksum";
	case DYNHDR_BAD_VERSION:
		return "unknown header version";
	case DYNHDR_BAD_BLOCK_SIZE:
		return "impossible block size";
	case DYNHDR_BAD_ENTRIES:
		return "a block table without entries";
	}
	return "unknown fault";
}

static void
store_locator(struct disk_locator *ret, const struct locator *l)
{
	store_be32(ret->code, l->code);
	store_be32(ret->space, l->space);
	store_be32(ret->length, l->length);
	store_be32(ret->reserved, l->reserved);
	store_be64(ret->offset, l->offset);
}

void
dynhdr_encode(struct disk_dynhdr *ret, const struct dynhdr *h)
{
	memcpy(ret->cookie, cookie, 8);
	store_be64(ret->data_offset, h->data_offset);
	store_be64(ret->bat_offset, h->table_offset);
	store_be32(ret->version, h->version);
	store_be32(ret->bat_entries, h->max_entries);
	store_be32(ret->block_size, h->block_size);
	memcpy(ret->parent_uuid, h->parent_uuid, 16);
	store_be32(ret->parent_time, h->parent_time);
	store_be32(ret->reserved1, h->reserved1);
	memcpy(ret->parent_name, h->parent_name, sizeof(ret->parent_name));
	for (int i = 0; i < MAX_LOCATORS; i++)
		store_locator(&ret->loc[i], &h->locator[i]);
	memcpy(ret->reserved2, h->reserved2, sizeof(ret->reserved2));
	store_be32(ret->checksum,
		   vhd_checksum(ret, sizeof(*ret), CHECKSUM_FIELD));
}

void
dynhdr_init(struct dynhdr *ret, uint64_t table_offset, uint32_t entries,
	    uint32_t block_size)
{
	*ret = (struct dynhdr){
		.data_offset = NO_OFFSET,
		.table_offset = table_offset,
		.version = VERSION_1_0,
		.max_entries = entries,
		.block_size = block_size,
	};
}

/* How many units of a name are ASCII when read in this order? */
static uint32_t
ascii_units(const uint8_t *name, enum utf16_order order)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < NAME_UNITS; i++) {
		uint16_t unit = order == UTF16_BE ? load_be16(name + 2 * i)
						  : load_le16(name + 2 * i);

		if (unit == 0)
			break;
		n += unit >= 0x20 && unit < 0x7f;
	}
	return n;
}

/* A single unit proves nothing: U+4E00, the commonest Chinese name there is,
 * is 'N' when swapped. */
static bool
name_is_swapped(const uint8_t *name)
{
	uint32_t swapped = ascii_units(name, UTF16_LE);

	return swapped >= 2 && swapped > ascii_units(name, UTF16_BE);
}

bool
dynhdr_parent_name(char *ret, size_t ret_size, const struct dynhdr *h)
{
	bool swapped = name_is_swapped(h->parent_name);

	return utf16_to_utf8(ret, ret_size, h->parent_name,
			     sizeof(h->parent_name),
			     swapped ? UTF16_LE : UTF16_BE);
}

/* The length of the longest beginning of valid UTF-8 that takes at most
 * NAME_UNITS units of UTF-16. */
static size_t
name_fit(const char *name)
{
	uint32_t units = 0;
	size_t i;

	for (i = 0; name[i]; i++) {
		uint8_t b = (uint8_t)name[i];

		if ((b & 0xc0) == 0x80)
			continue;
		units += b >= 0xf0 ? 2 : 1;
		if (units > NAME_UNITS)
			break;
	}
	return i;
}

void
dynhdr_set_parent_name(struct dynhdr *h, const char *name)
{
	char cut[NAME_UNITS * 3 + 1];
	size_t length;

	memset(h->parent_name, 0, sizeof(h->parent_name));
	if (!utf8_valid(name))
		return;
	length = name_fit(name);
	memcpy(cut, name, length);
	cut[length] = '\0';
	(void)utf8_to_utf16(h->parent_name, sizeof(h->parent_name), &length,
			    cut, UTF16_BE);
}
