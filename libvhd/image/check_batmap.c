/* SPDX-License-Identifier: BSD-3-Clause */
/* check_batmap.c - rule V88: XenServer's map of full blocks (format 15.2).
 *
 * The map is found by its place behind the table.  It is a cache: a clear bit
 * is always right.  Whether set bits are (V89) shows when the bitmaps are
 * read, in check_data.c. */
#include "image/check.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "image/batmap.h"
#include "image/image.h"

uint32_t
batmap_checksum(const uint8_t *map, uint64_t bytes, bool is_signed)
{
	uint32_t sum = 0;
	const uint32_t sign = is_signed ? 0x80 : 0;

	/* This extends the sign bit, if it is one. */
	for (uint64_t i = 0; i < bytes; i++)
		sum += (map[i] ^ sign) - sign;
	return ~sum;
}

static int
read_map(struct check *c, const struct disk_batmap *disk)
{
	struct batmap *b = &c->batmap;
	bool is_signed = load_be32(disk->version) == BATMAP_SIGNED;
	uint32_t due;
	int err;

	b->map = malloc((size_t)b->bytes + 1);
	if (!b->map)
		return fail_nomem();
	err = c->io->ops->pread(c->io, b->map, (size_t)b->bytes, b->offset);
	if (err)
		return err;
	due = batmap_checksum(b->map, b->bytes, is_signed);
	if (load_be32(disk->checksum) != due)
		tell(c, V88, b->header,
		     "the batmap's checksum is %#x, %#x is due",
		     load_be32(disk->checksum), due);
	else
		b->valid = true;
	return 0;
}

/* The map lies before the end footer. */
static uint64_t
end_of_place(const struct check *c)
{
	return min_u64(c->found.footer_offset, c->file_size);
}

static int
judge(struct check *c, const struct disk_batmap *disk)
{
	struct batmap *b = &c->batmap;
	uint32_t version = load_be32(disk->version);
	uint32_t entries = c->found.hdr.max_entries;

	b->offset = load_be64(disk->offset);
	b->bytes = (uint64_t)load_be32(disk->sectors) * SECTOR_SIZE;
	if (version != BATMAP_SIGNED && version != BATMAP_UNSIGNED) {
		tell(c, V88, b->header,
		     "batmap version %#x; 0x10001 and 0x10002 are known",
		     version);
		return 0;
	}
	if (!batmap_is_sane(disk, min_u64(c->need, entries), entries) ||
	    !range_ok(b->offset, b->bytes, end_of_place(c))) {
		tell(c, V88, b->header,
		     "the batmap cannot have %" PRIu64 " bytes at %#" PRIx64,
		     b->bytes, b->offset);
		return 0;
	}
	return read_map(c, disk);
}

int
check_batmap(struct check *c)
{
	const struct footer *f = &c->found.footer;
	const struct dynhdr *h = &c->found.hdr;
	struct batmap *b = &c->batmap;
	struct disk_batmap disk;
	bool inside;
	int err;

	if (!batmap_is_possible(f))
		return 0;
	b->expected = batmap_is_due(f);
	b->header = place_make(h->table_offset, bat_bytes(h), NULL).end;
	inside = range_ok(b->header, sizeof(disk), end_of_place(c));
	if (inside) {
		err = c->io->ops->pread(c->io, &disk, sizeof(disk), b->header);
		if (err)
			return err;
	}
	if (inside && !memcmp(disk.cookie, "tdbatmap", sizeof(disk.cookie)))
		return judge(c, &disk);
	if (b->expected)
		tell(c, V88, b->header, "no batmap behind the table");
	return 0;
}
