/* SPDX-License-Identifier: BSD-3-Clause */
/* check_space.c - rules V04, V79 and V80: how the file ends, and what lies
 * between the things that the image refers to.
 *
 * A crash while the file grows may leave it without an end footer, and old end
 * footers stay behind where new space begins.  As long as nothing that is
 * referred to lies there, that is no damage: it is recovered by the next open
 * for writing. */
#include "image/check.h"

#include <inttypes.h>
#include <string.h>

#include "image/image.h"
#include "image/reader.h"

#define METADATA_ROOM (256u << 10) /* for locators to come; not waste */

/* ---- Gaps --------------------------------------------------------------- */

/* Metadata, and the room that it has set aside, in file order. */
static size_t
metadata_in_order(struct place ret[static MAX_METADATA + MAX_LOCATORS],
		  const struct check *c)
{
	size_t n = c->nmeta;

	memcpy(ret, c->meta, n * sizeof(*ret));
	for (unsigned i = 0; i < MAX_LOCATORS; i++) {
		const struct locator *l = &c->found.hdr.locator[i];

		if (l->code != PLATFORM_NONE &&
		    range_ok(l->offset, locator_space(l), c->file_size))
			ret[n++] =
				place_make(l->offset, locator_space(l), NULL);
	}
	for (size_t i = 1; i < n; i++) {
		struct place moving = ret[i];
		size_t j = i;

		for (; j && ret[j - 1].start > moving.start; j--)
			ret[j] = ret[j - 1];
		ret[j] = moving;
	}
	return n;
}

static uint64_t
end_of_gaps(const struct check *c)
{
	return min_u64(c->found.footer_offset, c->file_size);
}

int
check_gaps(struct check *c, gap_fn fn, void *user)
{
	struct place meta[MAX_METADATA + MAX_LOCATORS];
	size_t nmeta = metadata_in_order(meta, c), m = 0;
	uint64_t at = 0, limit = end_of_gaps(c);
	uint32_t b = 0;
	int err = 0;

	while (!err && at < limit) {
		struct place next = {limit, limit, NULL};

		if (b < c->used)
			next = place_make(check_block_start(c, c->order[b]),
					  c->region, NULL);
		if (m < nmeta && (b == c->used || meta[m].start < next.start))
			next = meta[m++];
		else if (b < c->used)
			b++;
		if (min_u64(next.start, limit) > at)
			err = fn(c, at, min_u64(next.start, limit), user);
		at = max_u64(at, next.end);
	}
	return err;
}

/* ---- V79, V80 ----------------------------------------------------------- */

struct waste {
	struct reader reader;
	uint64_t bytes;
	uint64_t gaps;
	uint64_t blocks; /* that would fit */
	uint64_t first;  /* where a block begins; the file's end if none */
};

static int
count_gap(struct check *c, uint64_t start, uint64_t end, void *user)
{
	struct waste *w = user;
	uint64_t length = end - start;

	if (length <= PAGE_SIZE_4K ||
	    (end <= w->first && length <= METADATA_ROOM))
		return 0;
	w->bytes += length;
	w->gaps++;
	w->blocks += length / c->region;
	return 0;
}

static void
tell_old_footer(struct check *c, const uint8_t *sector, uint64_t offset)
{
	struct disk_footer disk;
	struct footer f;

	memcpy(&disk, sector, sizeof(disk));
	if (footer_decode(&f, &disk) == FOOTER_OK)
		tell(c, V80, offset,
		     "an old end footer of this or another disk at %#" PRIx64,
		     offset);
}

static int
scan_gap(struct check *c, uint64_t start, uint64_t end, void *user)
{
	struct waste *w = user;
	uint64_t at = round_up(start, SECTOR_SIZE);

	while (at + SECTOR_SIZE <= end) {
		uint64_t n = round_down(end - at, SECTOR_SIZE);
		const uint8_t *data;
		int err;

		n = min_u64(reader_skip(&w->reader, at, n), n);
		at += n;
		n = min_u64(round_down(end - at, SECTOR_SIZE), READER_MAX);
		if (n == 0)
			break;
		err = reader_get(&data, &w->reader, at, (size_t)n);
		if (!err)
			err = check_step(c, n);
		if (err)
			return err;
		for (uint64_t i = 0; i < n; i += SECTOR_SIZE)
			if (!memcmp(data + i, "conectix", 8))
				tell_old_footer(c, data + i, at + i);
		at += n;
	}
	return 0;
}

static int
waste_rule(struct check *c)
{
	struct waste w = {.first = end_of_gaps(c)};
	int err;

	if (c->used)
		w.first = check_block_start(c, c->order[0]);
	err = check_gaps(c, count_gap, &w);
	if (!err && w.bytes)
		tell(c, V79, 0,
		     "%" PRIu64 " bytes in %" PRIu64 " places are referred to "
		     "by nothing, room for %" PRIu64 " blocks",
		     w.bytes, w.gaps, w.blocks);
	if (err || c->opts->flags & VHD_CHECK_NO_DATA)
		return err;
	err = reader_init(&w.reader, c->io);
	if (!err)
		err = check_gaps(c, scan_gap, &w);
	reader_free(&w.reader);
	return err;
}

/* ---- V04 ---------------------------------------------------------------- */

/* Format 12.5.  What lies outside the file is told elsewhere. */
static uint64_t
end_of_data(const struct check *c)
{
	struct place meta[MAX_METADATA + MAX_LOCATORS];
	size_t n = metadata_in_order(meta, c);
	uint64_t end = FOOTER_SIZE;

	for (size_t i = 0; i < n; i++)
		if (meta[i].end <= c->file_size)
			end = max_u64(end, meta[i].end);
	for (uint32_t i = c->used; i > 0; i--) {
		uint32_t block = c->order[i - 1];
		uint64_t start = check_block_start(c, block);

		end = max_u64(end, start + check_block_bytes(c, block));
		if (start + c->region <= end)
			break;
	}
	return end;
}

/* A file that grows is longer before its new footer is written: a crash may
 * leave none at all, in a sector that is nobody's. */
static void
end_rule(struct check *c)
{
	enum footer_fault fault = c->end.fault;

	if (!(c->found.defects & DEFECT_END_MISSING))
		return;
	if (fault == FOOTER_POISONED) {
		tell(c, V31, c->end.offset,
		     "the end footer is poisoned: in use by tapdisk, or "
		     "tapdisk was interrupted");
		return;
	}
	if (fault == FOOTER_BAD_CHECKSUM)
		tell(c, V07, c->end.offset, "the footer's checksum is wrong");
	if (fault == FOOTER_NO_COOKIE && c->end_is_free)
		tell_as(c, V04, VHD_WARNING, c->end.offset,
			"no footer at the end, as after a crash while the "
			"file grew");
	else
		tell(c, V04, c->end.offset, "no valid footer at the end: %s",
		     c->end_is_free ? footer_fault_text(fault)
				    : "blocks or metadata reach to the end");
}

int
check_space(struct check *c)
{
	c->end_of_data = end_of_data(c);
	c->end_is_free =
		range_ok(check_footer_place(c), SECTOR_SIZE, c->file_size);
	end_rule(c);
	return waste_rule(c);
}
