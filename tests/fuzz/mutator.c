/* SPDX-License-Identifier: BSD-3-Clause */
/* mutator.c - change an image so that it is still worth opening.
 *
 * Random bytes die at the first checksum.  Here a field, a table entry, a
 * bitmap or the shape of the file is changed, and then what holds the file
 * together is put right again: both footers, the header, XenServer's map and,
 * between several images, the link from child to parent.  Now and then it is
 * left broken. */
#include "fuzz.h"

#include <string.h>

#include "base/arith.h"
#include "base/bytes.h"
#include "format/dynhdr.h"
#include "format/footer.h"

#define MAX_IMAGE (256u << 10)

struct bytes {
	uint8_t *data;
	size_t size, room;
};

static uint64_t state;

static uint32_t
below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return n ? (uint32_t)((state >> 33) % n) : 0;
}

/* ---- Where things are -------------------------------------------------- */

static struct disk_footer *
end_footer(struct bytes *b)
{
	return b->size >= 512 ? (void *)(b->data + b->size - 512) : NULL;
}

static bool
has_copy(const struct bytes *b)
{
	return b->size >= 512 && memcmp(b->data, "conectix", 8) == 0;
}

static struct disk_dynhdr *
header(struct bytes *b)
{
	struct disk_footer *end = end_footer(b);
	uint64_t at;

	if (!end)
		return NULL;
	at = load_be64(has_copy(b) ? b->data + 16 : end->data_offset);
	if (!range_ok(at, sizeof(struct disk_dynhdr), b->size))
		return NULL;
	return (void *)(b->data + at);
}

/* ---- Changes ----------------------------------------------------------- */

/* A number that has hurt somebody, or is near the old one. */
static uint64_t
interesting(uint64_t old, size_t file_size)
{
	switch (below(12)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX - below(3);
	case 2:
		return old + 1;
	case 3:
		return old - 1;
	case 4:
		return old * 2;
	case 5:
		return old / 2;
	case 6:
		return UINT64_C(1) << below(64);
	case 7:
		return (UINT64_C(1) << below(64)) - 1;
	case 8:
		return file_size - below(3) * 512;
	case 9:
		return file_size / 512 - below(3);
	case 10:
		return below(file_size + 1) & ~511u;
	default:
		return below(file_size / 512 + 2);
	}
}

static void
change_number(uint8_t *at, unsigned width, size_t file_size)
{
	uint64_t old = width == 8   ? load_be64(at)
		       : width == 4 ? load_be32(at)
				    : *at;
	uint64_t value = interesting(old, file_size);

	if (width == 8)
		store_be64(at, value);
	else if (width == 4)
		store_be32(at, (uint32_t)value);
	else
		*at = (uint8_t)value;
}

/* In both copies, or in the one at the end only. */
static void
change_footer(struct bytes *b)
{
	static const struct {
		uint8_t offset, width;
	} fields[] = {{8, 4},  {12, 4}, {16, 8}, {24, 4}, {28, 4}, {32, 4},
		      {40, 8}, {48, 8}, {48, 8}, {48, 8}, {56, 4}, {60, 4},
		      {63, 1}, {68, 8}, {84, 1}, {85, 1}, {86, 4}};
	struct disk_footer *end = end_footer(b);
	unsigned f = below(sizeof(fields) / sizeof(fields[0]));

	if (!end)
		return;
	change_number((uint8_t *)end + fields[f].offset, fields[f].width,
		      b->size);
	if (has_copy(b) && b->size >= 1024 && below(4))
		memcpy(b->data, end, 512);
}

static void
change_header(struct bytes *b)
{
	struct disk_dynhdr *h = header(b);
	uint32_t place;

	if (!h)
		return;
	switch (below(6)) {
	case 0:
		change_number(h->bat_offset, 8, b->size);
		break;
	case 1:
		change_number(h->bat_entries, 4, b->size);
		break;
	case 2:
		store_be32(h->block_size, 512u << below(14));
		break;
	case 3:
		place = 4 * below(sizeof(*h) / 4);
		change_number((uint8_t *)h + place, 4, b->size);
		break;
	case 4:
		place = below(sizeof(h->parent_name));
		h->parent_name[place] = (uint8_t)below(256);
		break;
	default:
		place = 4 * below(sizeof(h->loc) / 4);
		change_number((uint8_t *)h->loc + place, 4, b->size);
		break;
	}
}

static void
change_entry(struct bytes *b)
{
	struct disk_dynhdr *h = header(b);
	uint64_t table = h ? load_be64(h->bat_offset) : 0;
	uint32_t n = h ? load_be32(h->bat_entries) : 0;
	uint8_t *at;

	if (!n || !range_ok(table, 4 * (uint64_t)n, b->size))
		return;
	at = b->data + table + 4 * (size_t)below(n);
	switch (below(4)) {
	case 0:
		store_be32(at, BAT_UNUSED);
		break;
	case 1:
		memcpy(at, b->data + table + 4 * (size_t)below(n), 4);
		break;
	default:
		change_number(at, 4, b->size);
	}
}

/* Bytes in the middle, the end footer staying where it belongs. */
static void
change_bytes(struct bytes *b)
{
	uint8_t end[512];
	size_t size = b->size;

	if (size < 512) {
		b->size = LLVMFuzzerMutate(b->data, size, b->room);
		return;
	}
	memcpy(end, b->data + size - 512, 512);
	size = LLVMFuzzerMutate(b->data, size - 512, b->room - 512);
	memcpy(b->data + size, end, 512);
	b->size = size + 512;
}

/* Longer or shorter by whole sectors, with or without its footer. */
static void
change_length(struct bytes *b)
{
	size_t by = 512 * (1 + (size_t)below(16)), size = b->size;
	uint8_t end[512];

	if (size < 1024)
		return;
	memcpy(end, b->data + size - 512, 512);
	if (below(2)) {
		size = size > by + 512 ? size - by : 512;
	} else if (size + by <= b->room) {
		memset(b->data + size, 0, by);
		size += by;
	}
	if (below(8))
		memcpy(b->data + size - 512, end, 512);
	b->size = size - (below(16) == 0);
}

static void
change_data(struct bytes *b)
{
	if (b->size <= 1024)
		return;
	for (uint32_t n = below(4); n < 4; n++)
		b->data[512 + below(b->size - 1024)] = (uint8_t)below(256);
}

static void
change(struct bytes *b)
{
	switch (below(8)) {
	case 0:
	case 1:
		change_footer(b);
		break;
	case 2:
		change_header(b);
		break;
	case 3:
	case 4:
		change_entry(b);
		break;
	case 5:
		change_bytes(b);
		break;
	case 6:
		change_length(b);
		break;
	default:
		change_data(b);
	}
}

/* ---- Putting it right -------------------------------------------------- */

static void
repair_footer(uint8_t *at)
{
	if (memcmp(at, "conectix", 8) == 0)
		store_be32(at + 64, vhd_checksum(at, 512, 64));
}

static void
repair_batmap(struct bytes *b, const struct disk_dynhdr *h)
{
	uint64_t at, offset, bytes;
	struct disk_batmap *map;

	if (!add_ok(&at, load_be64(h->bat_offset),
		    round_up(4 * (uint64_t)load_be32(h->bat_entries), 512)) ||
	    !range_ok(at, sizeof(*map), b->size))
		return;
	map = (void *)(b->data + at);
	offset = load_be64(map->offset);
	bytes = 512 * (uint64_t)load_be32(map->sectors);
	if (memcmp(map->cookie, "tdbatmap", 8) == 0 &&
	    range_ok(offset, bytes, b->size))
		store_be32(map->checksum,
			   vhd_checksum(b->data + offset, (uint32_t)bytes,
					UINT32_MAX));
}

static void
repair(struct bytes *b)
{
	struct disk_dynhdr *h = header(b);

	if (b->size < 512)
		return;
	if (h && memcmp(h->cookie, "cxsparse", 8) == 0) {
		repair_batmap(b, h);
		store_be32(h->checksum, vhd_checksum(h, sizeof(*h), 36));
	}
	repair_footer(b->data);
	repair_footer(b->data + b->size - 512);
}

static void
repair_link(struct bytes *child, struct bytes *parent)
{
	struct disk_dynhdr *h = header(child);
	struct disk_footer *f = end_footer(parent);

	if (h && f && memcmp(h->cookie, "cxsparse", 8) == 0) {
		memcpy(h->parent_uuid, f->uuid, 16);
		repair(child);
	}
}

/* ---- The entry --------------------------------------------------------- */

static size_t
join(uint8_t *data, size_t max_size, const struct bytes *parts)
{
	size_t used = 0;

	for (unsigned i = 0; i < fuzz_parts; i++) {
		size_t n = parts[i].size;
		bool last = i + 1 == fuzz_parts;

		if (max_size - used < n + 4)
			break;
		if (!last) {
			for (int k = 0; k < 4; k++)
				data[used++] = (uint8_t)(n >> 8 * k);
		}
		memcpy(data + used, parts[i].data, n);
		used += n;
	}
	return used;
}

static void
change_parts(struct bytes *parts)
{
	unsigned first_image = fuzz_parts - fuzz_images;
	unsigned i = below(fuzz_parts);

	if (i < first_image) {
		parts[i].size = LLVMFuzzerMutate(parts[i].data, parts[i].size,
						 parts[i].room);
		return;
	}
	for (uint32_t n = below(3); n < 3; n++)
		change(&parts[i]);
	if (below(32))
		repair(&parts[i]);
	if (below(32) && i > first_image)
		repair_link(&parts[i - 1], &parts[i]);
	if (below(32) && i + 1 < fuzz_parts)
		repair_link(&parts[i], &parts[i + 1]);
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			unsigned seed)
{
	static uint8_t room[MAX_PARTS][MAX_IMAGE];
	struct part from[MAX_PARTS];
	struct bytes parts[MAX_PARTS];

	state = seed;
	fuzz_split(from, fuzz_parts, data, size);
	for (unsigned i = 0; i < fuzz_parts; i++) {
		size_t n = from[i].size < MAX_IMAGE ? from[i].size : MAX_IMAGE;

		memcpy(room[i], from[i].data, n);
		parts[i] = (struct bytes){room[i], n, MAX_IMAGE};
	}
	change_parts(parts);
	return join(data, max_size, parts);
}
