/* SPDX-License-Identifier: BSD-3-Clause */
/* batmap.c - XenServer's images say in one more map which blocks are full.
 *
 * It is only a cache, so we never set a bit; but a bit that stays set after
 * its block went away would make sectors appear that are not there.  Bits are
 * cleared before the entries change on disk.  The checksum is a sum of bytes,
 * so it is adjusted by what changed. */
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "image/batmap.h"
#include "image/image.h"

#define TAP_VERSION_1_1 0x00010001u /* may have a map */
#define TAP_VERSION_1_2 0x00010002u /* must have one */

bool
batmap_is_possible(const struct footer *f)
{
	return footer_creator_is(f, "tap") &&
	       f->creator_version >= TAP_VERSION_1_1;
}

bool
batmap_is_due(const struct footer *f)
{
	return batmap_is_possible(f) && f->creator_version >= TAP_VERSION_1_2;
}

bool
batmap_is_sane(const struct disk_batmap *disk, uint64_t blocks,
	       uint32_t max_entries)
{
	uint32_t version = load_be32(disk->version);
	uint64_t offset = load_be64(disk->offset);
	uint64_t bytes = (uint64_t)load_be32(disk->sectors) << SECTOR_SHIFT;

	return (version == BATMAP_SIGNED || version == BATMAP_UNSIGNED) &&
	       bytes >= ceil_div(blocks, 8) &&
	       bytes <= round_up(ceil_div(max_entries, 8), 4096) && offset &&
	       offset % SECTOR_SIZE == 0 && range_ok(offset, bytes, INT64_MAX);
}

/* What a byte adds to the sum: version 1 added signed characters. */
static uint32_t
weight(uint8_t byte, bool is_signed)
{
	return is_signed ? (uint32_t)(int8_t)byte : byte;
}

static int
clear_one(struct image *img, struct disk_batmap *hdr, uint32_t block)
{
	bool is_signed = load_be32(hdr->version) == BATMAP_SIGNED;
	uint64_t at = img->batmap_offset + block / 8;
	uint32_t sum = ~load_be32(hdr->checksum);
	uint8_t byte, mask = (uint8_t)(0x80 >> block % 8);
	int err = img->io->ops->pread(img->io, &byte, 1, at);

	if (err || !(byte & mask))
		return err;
	sum -= weight(byte, is_signed);
	byte &= (uint8_t)~mask;
	sum += weight(byte, is_signed);
	store_be32(hdr->checksum, ~sum);
	return img->io->ops->pwrite(img->io, &byte, 1, at);
}

int
batmap_clear(struct image *img, const struct bat_change *changes, size_t n)
{
	struct disk_batmap hdr, before;
	int err;

	if (!img->batmap_header || !n)
		return 0;
	err = img->io->ops->pread(img->io, &hdr, sizeof(hdr),
				  img->batmap_header);
	if (err)
		return err;
	before = hdr;
	for (size_t i = 0; i < n && !err; i++)
		err = clear_one(img, &hdr, changes[i].block);
	if (err || !memcmp(&hdr, &before, sizeof(hdr)))
		return err;
	return img->io->ops->pwrite(img->io, &hdr, sizeof(hdr),
				    img->batmap_header);
}
