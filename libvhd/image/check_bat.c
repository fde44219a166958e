/* SPDX-License-Identifier: BSD-3-Clause */
/* check_bat.c - rules V44 to V46, V76 and V77: the block table itself (format
 * 20.2, 20.3). */
#include "image/check.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "image/image.h"

#define CHUNK 65536u /* bytes of the table that are read at once */

/* ---- Reading the table -------------------------------------------------- */

/* Entries of the table that are inside the file. */
static uint64_t
entries_inside(const struct check *c)
{
	const struct dynhdr *h = &c->found.hdr;

	if (h->table_offset >= c->file_size)
		return 0;
	return min_u64((c->file_size - h->table_offset) / 4, h->max_entries);
}

static void
past_the_disk(struct check *c, uint64_t entry, uint32_t value)
{
	if (value != BAT_UNUSED)
		tell(c, V76, c->found.hdr.table_offset + 4 * entry,
		     "entry %" PRIu64 ", past the end of the disk, is %#x and "
		     "not 0xffffffff",
		     entry, value);
}

/* Take in entries [first, first + n): those of the disk are kept. */
static void
take_entries(struct check *c, const uint8_t *raw, uint64_t first, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t value = load_be32(raw + 4 * i);
		uint64_t entry = first + i;

		if (entry < c->blocks)
			atomic_store_explicit(&c->bat[entry], value,
					      memory_order_relaxed);
		else if (entry >= c->need)
			past_the_disk(c, entry, value);
	}
}

static int
read_table(struct check *c, uint64_t entries)
{
	AUTO_FREE uint8_t *raw = malloc(CHUNK);
	uint64_t at = c->found.hdr.table_offset;
	int err;

	if (!raw)
		return fail_nomem();
	for (uint64_t first = 0; first < entries; first += CHUNK / 4) {
		uint32_t n = (uint32_t)min_u64(entries - first, CHUNK / 4);

		err = c->io->ops->pread(c->io, raw, (size_t)4 * n,
					at + 4 * first);
		if (!err)
			err = check_step(c, 0);
		if (err)
			return err;
		take_entries(c, raw, first, n);
	}
	return 0;
}

static int
load_table(struct check *c)
{
	uint64_t inside = entries_inside(c);
	uint64_t blocks = min_u64(inside, c->need);

	if (blocks > CHECK_MAX_BLOCKS)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: %" PRIu64 " blocks; at most %u can be checked",
			    c->io->name, blocks, CHECK_MAX_BLOCKS);
	c->blocks = (uint32_t)blocks;
	c->bat = malloc((c->blocks + 1) * sizeof(*c->bat));
	if (!c->bat)
		return fail_nomem();
	return read_table(c, min_u64(inside, c->need + CHECK_MAX_SPARE));
}

static int
put_in_order(struct check *c)
{
	uint32_t n = 0;

	for (uint32_t b = 0; b < c->blocks; b++)
		n += bat_get(c->bat, b) != BAT_UNUSED;
	c->order = malloc((n + 1) * sizeof(*c->order));
	if (!c->order)
		return fail_nomem();
	for (uint32_t b = 0; b < c->blocks; b++)
		if (bat_get(c->bat, b) != BAT_UNUSED)
			c->order[c->used++] = b;
	blocks_sort(c->order, c->used, c->bat);
	return 0;
}

/* ---- Rules about the table itself --------------------------------------- */

static int
table_place_rule(struct check *c)
{
	const struct dynhdr *h = &c->found.hdr;

	if (h->table_offset % SECTOR_SIZE)
		tell(c, V44, h->table_offset,
		     "the table is at %#" PRIx64 ", no multiple of 512",
		     h->table_offset);
	if (!range_ok(h->table_offset, 4 * (uint64_t)h->max_entries,
		      c->file_size))
		tell(c, V45, h->table_offset,
		     "the table at %#" PRIx64 " has %u entries, past the end "
		     "of the file at %#" PRIx64,
		     h->table_offset, h->max_entries, c->file_size);
	return 0;
}

/* places_of_metadata puts the copy, the header and the table first. */
static int
table_overlap_rule(struct check *c)
{
	const struct place *table = &c->meta[2];
	struct place end =
		place_make(c->end.offset, c->end.length, "the end footer");

	for (size_t i = 0; i < c->nmeta; i++)
		if (i != 2 && places_meet(table, &c->meta[i]))
			tell(c, V46, table->start, "the table overlaps %s",
			     c->meta[i].what);
	if (c->found.footer_offset != NO_OFFSET && places_meet(table, &end))
		tell(c, V46, table->start, "the table overlaps %s", end.what);
	return 0;
}

/* Others fill the last sector with ones; its content means nothing. */
static int
table_padding_rule(struct check *c)
{
	const struct dynhdr *h = &c->found.hdr;
	uint64_t used = 4 * (uint64_t)h->max_entries;
	uint8_t raw[SECTOR_SIZE];
	size_t n = (size_t)(bat_bytes(h) - used);
	int err;

	if (n == 0 || !range_ok(h->table_offset, bat_bytes(h), c->file_size))
		return 0;
	err = c->io->ops->pread(c->io, raw, n, h->table_offset + used);
	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		if (raw[i] != 0xff) {
			tell(c, V77, h->table_offset + used,
			     "the table's padding is not 0xff");
			break;
		}
	}
	return 0;
}

int
check_bat(struct check *c)
{
	static int (*const rules[])(struct check *) = {
		table_place_rule,
		table_overlap_rule,
		table_padding_rule,
	};
	int err;

	c->nmeta = places_of_metadata(
		c->meta, c->found.footer.data_offset, &c->found.hdr,
		c->batmap.valid ? c->batmap.offset : 0, c->batmap.bytes);
	err = load_table(c);
	if (!err)
		err = put_in_order(c);
	for (size_t i = 0; !err && i < sizeof(rules) / sizeof(rules[0]); i++)
		err = rules[i](c);
	return err;
}
