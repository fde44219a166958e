/* SPDX-License-Identifier: BSD-3-Clause */
/* repair_blocks.c - repair the batmap, the bitmaps and the table.
 *
 * In this order: a batmap must not call a block full whose bitmap loses bits.
 * Only bits are changed that stand for nothing the guest can read, and only
 * entries of blocks that the disk does not have. */
#include <string.h>

#include "base/bits.h"
#include "base/bytes.h"
#include "image/batmap.h"
#include "image/image.h"
#include "image/repair.h"

#define CHUNK 65536u /* bytes of the table that are written at once */

/* ---- V88, V89: the batmap ----------------------------------------------- */

static int
read_batmap_header(struct disk_batmap *ret, struct repair *r)
{
	struct io *io = r->c->io;

	return io->ops->pread(io, ret, sizeof(*ret), r->c->batmap.header);
}

/* The map, and then the header with its checksum. */
static int
write_batmap(struct repair *r, struct disk_batmap *disk, const uint8_t *map,
	     uint64_t bytes)
{
	bool is_signed = load_be32(disk->version) == BATMAP_SIGNED;
	int err = patch_put(&r->patcher, load_be64(disk->offset), map,
			    (size_t)bytes);

	if (!err)
		err = patch_commit(&r->patcher);
	if (err)
		return err;
	store_be32(disk->checksum, batmap_checksum(map, bytes, is_signed));
	err = patch_put(&r->patcher, r->c->batmap.header, disk, sizeof(*disk));
	return err ? err : patch_commit(&r->patcher);
}

/* A map without bits is right for every image.  What else the header holds,
 * such as the hash of a key, is kept. */
static int
rebuild_batmap(struct repair *r)
{
	const struct batmap *b = &r->c->batmap;
	uint64_t bytes =
		round_up(ceil_div(r->c->found.hdr.max_entries, 8), SECTOR_SIZE);
	AUTO_FREE uint8_t *map = calloc(1, (size_t)bytes);
	struct disk_batmap disk;
	bool free_place;
	int err;

	if (!map)
		return fail_nomem();
	err = repair_in_gap(&free_place, r->c, b->header, sizeof(disk) + bytes);
	if (err || !free_place)
		return err;
	err = read_batmap_header(&disk, r);
	if (err)
		return err;
	if (memcmp(disk.cookie, "tdbatmap", sizeof(disk.cookie)) != 0)
		memset(&disk, 0, sizeof(disk));
	memcpy(disk.cookie, "tdbatmap", sizeof(disk.cookie));
	store_be64(disk.offset, b->header + sizeof(disk));
	store_be32(disk.sectors, (uint32_t)(bytes / SECTOR_SIZE));
	store_be32(disk.version, BATMAP_UNSIGNED);
	return write_batmap(r, &disk, map, bytes);
}

static int
clear_batmap_bit(struct check *c, struct reader *reader,
		 const struct block_view *v, void *user)
{
	(void)reader;
	(void)user;
	if (v->in_batmap && !v->all)
		bits_clear(c->batmap.map, v->block, 1);
	return 0;
}

int
repair_batmap(struct repair *r)
{
	struct batmap *b = &r->c->batmap;
	struct disk_batmap disk;
	int err;

	if (findings_has(r->c->findings, V88))
		return rebuild_batmap(r);
	if (!findings_has(r->c->findings, V89))
		return 0;
	for (uint32_t i = 0; i < r->c->blocks; i++)
		if (check_in_batmap(r->c, i) &&
		    bat_get(r->c->bat, i) == BAT_UNUSED)
			bits_clear(b->map, i, 1);
	err = check_walk(r->c, clear_batmap_bit, NULL);
	if (!err)
		err = read_batmap_header(&disk, r);
	return err ? err : write_batmap(r, &disk, b->map, b->bytes);
}

/* ---- V84: bits behind the end ------------------------------------------- */

static int
clear_stray_bits(struct check *c, struct reader *reader,
		 const struct block_view *v, void *user)
{
	struct repair *r = user;
	AUTO_FREE uint8_t *bitmap = NULL;

	(void)reader;
	if (!v->stray)
		return 0;
	bitmap = malloc(c->bitmap_bytes);
	if (!bitmap)
		return fail_nomem();
	memcpy(bitmap, v->bitmap, c->bitmap_bytes);
	bits_clear(bitmap, v->sectors, c->bitmap_bytes * 8 - v->sectors);
	return patch_put(&r->patcher, v->offset, bitmap, c->bitmap_bytes);
}

/* ---- V76: entries behind the end ---------------------------------------- */

static int
clear_entries(struct repair *r)
{
	const struct check *c = r->c;
	uint64_t first = c->need;
	uint64_t end =
		min_u64(c->found.hdr.max_entries, first + CHECK_MAX_SPARE);
	AUTO_FREE uint8_t *raw = malloc(CHUNK);
	int err = 0;

	if (!raw)
		return fail_nomem();
	memset(raw, 0xff, CHUNK);
	while (!err && first < end) {
		uint64_t n = min_u64(end - first, CHUNK / 4);
		uint64_t at = c->found.hdr.table_offset + 4 * first;

		if (repair_is_safe(c, at, 4 * n))
			err = patch_put(&r->patcher, at, raw, (size_t)(4 * n));
		first += n;
	}
	return err;
}

/* ---- V83: blocks that hold nothing --------------------------------------- */

static int
drop_empty(struct check *c, struct reader *reader, const struct block_view *v,
	   void *user)
{
	struct repair *r = user;
	uint64_t entry = c->found.hdr.table_offset + 4 * (uint64_t)v->block;
	uint8_t unused[4];
	bool zero;
	int err;

	if (!v->none || !repair_is_safe(c, entry, sizeof(unused)))
		return 0;
	err = reader_is_zero(&zero, reader, v->offset + c->bitmap_bytes,
			     (uint64_t)v->sectors * SECTOR_SIZE);
	if (err || !zero)
		return err;
	store_be32(unused, BAT_UNUSED);
	return patch_put(&r->patcher, entry, unused, sizeof(unused));
}

int
repair_blocks(struct repair *r)
{
	const struct findings *f = r->c->findings;
	int err = 0;

	if (findings_has(f, V84))
		err = check_walk(r->c, clear_stray_bits, r);
	if (!err && findings_has(f, V76))
		err = clear_entries(r);
	if (!err && findings_has(f, V83))
		err = check_walk(r->c, drop_empty, r);
	return err ? err : patch_commit(&r->patcher);
}
