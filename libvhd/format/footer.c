/* SPDX-License-Identifier: BSD-3-Clause */
/* footer.c - the hard disk footer (format 3).
 *
 * Decoding judges a single sector; where footers are looked for, and which of
 * two wins, is the business of whoever reads files. */
#include "format/footer.h"

#include <stdio.h>
#include <string.h>

#include "base/arith.h"
#include "base/bytes.h"

#define FEATURE_RESERVED 0x2u
#define VERSION_1_0      0x00010000u
#define CREATOR_VERSION  0x000a0000u /* Windows 10.0, whose layout we write */
#define DYNHDR_PLACE     512u
#define CHECKSUM_FIELD   offsetof(struct disk_footer, checksum)

static const char cookie[8] = {'c', 'o', 'n', 'e', 'c', 't', 'i', 'x'};
static const char poison[8] = {'v', '_', 'p', 'o', 'i', 's', 'o', 'n'};

static struct geometry
load_geometry(const uint8_t b[static 4])
{
	return (struct geometry){load_be16(b), b[2], b[3]};
}

static void
load(struct footer *ret, const struct disk_footer *disk)
{
	ret->features = load_be32(disk->features);
	ret->version = load_be32(disk->version);
	ret->data_offset = load_be64(disk->data_offset);
	ret->timestamp = load_be32(disk->timestamp);
	memcpy(ret->creator_app, disk->creator_app, 4);
	ret->creator_version = load_be32(disk->creator_version);
	memcpy(ret->creator_os, disk->creator_os, 4);
	ret->original_size = load_be64(disk->original_size);
	ret->current_size = load_be64(disk->current_size);
	ret->geometry = load_geometry(disk->geometry);
	ret->type = load_be32(disk->disk_type);
	memcpy(ret->uuid, disk->uuid, 16);
	ret->saved_state = disk->saved_state;
	memcpy(ret->reserved, disk->reserved, sizeof(ret->reserved));
}

static bool
is_poisoned(const struct disk_footer *disk)
{
	const uint8_t *b = (const uint8_t *)disk;

	if (memcmp(disk->cookie, poison, 8) == 0)
		return true;
	return b[0] == 0xc7 && memcmp(b, b + 1, sizeof(*disk) - 1) == 0;
}

/* Tap 0.1 and 1.1 set the hidden byte after they computed the checksum
 * (format 15.1). */
static bool
forgets_hidden(const struct footer *f)
{
	return footer_creator_is(f, "tap") &&
	       (f->creator_version == 0x00000001 ||
		f->creator_version == 0x00010001);
}

static bool
checksum_ok(const struct disk_footer *disk, const struct footer *f)
{
	uint32_t stored = load_be32(disk->checksum);
	uint32_t sum = vhd_checksum(disk, sizeof(*disk), CHECKSUM_FIELD);

	return stored == sum ||
	       (forgets_hidden(f) && stored == sum + disk->reserved[0]);
}

enum footer_fault
footer_decode(struct footer *ret, const struct disk_footer *disk)
{
	if (is_poisoned(disk))
		return FOOTER_POISONED;
	if (memcmp(disk->cookie, cookie, 8) != 0)
		return FOOTER_NO_COOKIE;
	load(ret, disk);
	if (!checksum_ok(disk, ret))
		return FOOTER_BAD_CHECKSUM;
	if (ret->version >> 16 != VERSION_1_0 >> 16)
		return FOOTER_BAD_VERSION;
	if (ret->type < VHD_TYPE_FIXED || ret->type > VHD_TYPE_DIFFERENCING)
		return FOOTER_BAD_TYPE;
	if (ret->current_size == 0 || ret->current_size > UINT64_C(1) << 63)
		return FOOTER_BAD_SIZE;
	return FOOTER_OK;
}

const char *
footer_fault_text(enum footer_fault fault)
{
	switch (fault) {
	case FOOTER_OK:
		return "valid";
	case FOOTER_NO_COOKIE:
		return "no footer";
	case FOOTER_POISONED:
		return "marked as in use or interrupted by XenServer";
	case FOOTER_BAD_CHECKSUM:
		return "wrong checksum";
	case FOOTER_BAD_VERSION:
		return "unknown format version";
	case FOOTER_BAD_TYPE:
		return "unknown disk type";
	case FOOTER_BAD_SIZE:
		return "impossible disk size";
	}
	return "unknown fault";
}

void
footer_encode(struct disk_footer *ret, const struct footer *f)
{
	memcpy(ret->cookie, cookie, 8);
	store_be32(ret->features, f->features);
	store_be32(ret->version, f->version);
	store_be64(ret->data_offset, f->data_offset);
	store_be32(ret->timestamp, f->timestamp);
	memcpy(ret->creator_app, f->creator_app, 4);
	store_be32(ret->creator_version, f->creator_version);
	memcpy(ret->creator_os, f->creator_os, 4);
	store_be64(ret->original_size, f->original_size);
	store_be64(ret->current_size, f->current_size);
	store_be16(ret->geometry, f->geometry.cylinders);
	ret->geometry[2] = f->geometry.heads;
	ret->geometry[3] = f->geometry.sectors;
	store_be32(ret->disk_type, f->type);
	memcpy(ret->uuid, f->uuid, 16);
	ret->saved_state = f->saved_state;
	memcpy(ret->reserved, f->reserved, sizeof(ret->reserved));
	store_be32(ret->checksum,
		   vhd_checksum(ret, sizeof(*ret), CHECKSUM_FIELD));
}

/* Times before 2000 and after February 2136 cannot be stored. */
static uint32_t
timestamp_of(int64_t unix_time)
{
	if (unix_time <= VHD_EPOCH)
		return 0;
	return (uint32_t)min_u64((uint64_t)unix_time - VHD_EPOCH, UINT32_MAX);
}

void
footer_init(struct footer *ret, enum vhd_type type, uint64_t size,
	    const uint8_t uuid[static 16], int64_t created,
	    const char creator[static 4])
{
	*ret = (struct footer){
		.features = FEATURE_RESERVED,
		.version = VERSION_1_0,
		.data_offset =
			type == VHD_TYPE_FIXED ? NO_OFFSET : DYNHDR_PLACE,
		.timestamp = timestamp_of(created),
		.creator_version = CREATOR_VERSION,
		.original_size = size,
		.current_size = size,
		.geometry = geometry_for(size),
		.type = type,
	};
	memcpy(ret->creator_app, creator, 4);
	memcpy(ret->creator_os, "Wi2k", 4);
	memcpy(ret->uuid, uuid, 16);
}

static bool
geometry_equal(struct geometry a, struct geometry b)
{
	return a.cylinders == b.cylinders && a.heads == b.heads &&
	       a.sectors == b.sectors;
}

/* A mark rather than a shape: the largest geometry on a smaller disk
 * (disk2vhd, qemu's force_size), or none at all (OpenVMM). */
static bool
geometry_is_convention(const struct footer *f)
{
	const struct geometry largest = {65535, 16, 255}, none = {0, 0, 0};

	if (geometry_equal(f->geometry, none))
		return true;
	return geometry_equal(f->geometry, largest) &&
	       !geometry_equal(geometry_for(f->current_size), largest);
}

void
footer_set_size(struct footer *f, uint64_t size)
{
	if (!geometry_is_convention(f))
		f->geometry = geometry_for(size);
	f->current_size = size;
	/* Xen Orchestra refuses a disk smaller than it was made (V23). */
	if (f->original_size > size)
		f->original_size = size;
}

bool
footer_creator_is(const struct footer *f, const char app[static 4])
{
	return memcmp(f->creator_app, app, 4) == 0;
}

static bool
reserved_equal(const struct footer *a, const struct footer *b)
{
	size_t skip = footer_creator_is(a, "tap") ? 1 : 0;

	return memcmp(a->reserved + skip, b->reserved + skip,
		      sizeof(a->reserved) - skip) == 0;
}

void
footer_diff(char *ret, size_t ret_size, const struct footer *a,
	    const struct footer *b)
{
#define SAME(field) (memcmp(&a->field, &b->field, sizeof(a->field)) == 0)
	const struct {
		const char *name;
		bool same;
	} fields[] = {
		{"features", SAME(features)},
		{"version", SAME(version)},
		{"data_offset", SAME(data_offset)},
		{"timestamp", SAME(timestamp)},
		{"creator_app", SAME(creator_app)},
		{"creator_version", SAME(creator_version)},
		{"creator_os", SAME(creator_os)},
		{"original_size", SAME(original_size)},
		{"current_size", SAME(current_size)},
		{"geometry", geometry_equal(a->geometry, b->geometry)},
		{"disk_type", SAME(type)},
		{"uuid", SAME(uuid)},
		{"saved_state", SAME(saved_state)},
		{"reserved", reserved_equal(a, b)},
	};
#undef SAME
	size_t used = 0;

	if (ret_size == 0)
		return;
	ret[0] = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t n = strlen(fields[i].name) + 1;

		if (fields[i].same || ret_size - used <= n)
			continue;
		(void)snprintf(ret + used, ret_size - used, " %s",
			       fields[i].name);
		used += n;
	}
}
