/* SPDX-License-Identifier: BSD-3-Clause */
/* repair.c - repair the footers and the end of a file, and lead the other
 * parts.
 *
 * Wherever a crash stops it, the image opens: of the two footers one is valid
 * at every instant (D1), and each step is durable before the next one. */
#include "image/repair.h"

#include <inttypes.h>
#include <string.h>

#include "image/image.h"

#define FEATURE_RESERVED 0x2u

/* ---- What is allowed ---------------------------------------------------- */

bool
repair_is_safe(const struct check *c, uint64_t offset, uint64_t length)
{
	return !c->sparse || !check_block_meets(c, offset, length);
}

struct range {
	uint64_t start, end;
	bool inside;
};

static int
look_in_gap(struct check *c, uint64_t start, uint64_t end, void *user)
{
	struct range *range = user;

	(void)c;
	range->inside |= start <= range->start && range->end <= end;
	return 0;
}

int
repair_in_gap(bool *ret, struct check *c, uint64_t offset, uint64_t length)
{
	struct range range = {.start = offset};
	int err;

	if (!add_ok(&range.end, offset, length)) {
		*ret = false;
		return 0;
	}
	err = check_gaps(c, look_in_gap, &range);
	if (!err)
		*ret = range.inside;
	return err;
}

/* A file in use by others, or one that no program can open, is left alone. */
static bool
is_hopeless(const struct check *c)
{
	return !c->usable || c->findings->with[VHD_FATAL] ||
	       findings_has(c->findings, V31);
}

/* Blocks that end past the file, or a device that cannot grow: there is no
 * place for an end footer. */
static bool
end_has_place(const struct check *c)
{
	uint64_t place = check_footer_place(c);

	if (c->io->block_device)
		return range_ok(place, SECTOR_SIZE, c->file_size);
	return c->end_of_data <= c->file_size;
}

/* Is the file all zero from offset to end? */
static int
zero_from(bool *ret, const struct check *c, uint64_t offset, uint64_t end)
{
	struct reader reader;
	int err;

	*ret = true;
	if (offset >= end)
		return 0;
	err = reader_init(&reader, c->io);
	if (err)
		return err;
	err = reader_is_zero(ret, &reader, offset, end - offset);
	reader_free(&reader);
	return err;
}

/* A fixed disk is cut behind its footer only where that loses nothing. */
static int
can_cut(bool *ret, const struct check *c)
{
	*ret = c->found.defects & DEFECT_DATA_AFTER && !c->io->block_device;
	if (!*ret)
		return 0;
	return zero_from(ret, c, c->found.footer_offset + c->found.tail_length,
			 c->file_size);
}

/* A footer of 511 bytes gets one more only where it is found after that. */
static bool
end_is_at_home(const struct check *c)
{
	return !(c->found.defects & DEFECT_SHORT_FOOTER) ||
	       c->found.footer_offset % SECTOR_SIZE == 0;
}

static void
cannot(struct check *c, const enum check_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		findings_cannot_repair(c->findings, rules[i]);
}

int
repair_foresee(struct check *c)
{
	static const enum check_rule end[] = {V04, V08, V72};
	static const enum check_rule cut[] = {V03, V08, V09};
	static const enum check_rule rewrite[] = {V10, V12, V16, V24};
	static const enum check_rule inside[] = {V43, V52, V56, V59, V60,
						 V76, V83, V84, V88, V89};
	bool can = false;
	int err = c->usable ? can_cut(&can, c) : 0;

	if (err)
		return err;
	if (is_hopeless(c))
		for (unsigned rule = 0; rule < CHECK_RULE_COUNT; rule++)
			findings_cannot_repair(c->findings, rule);
	if (!can)
		cannot(c, cut, c->sparse ? 0 : sizeof(cut) / sizeof(cut[0]));
	if (!can)
		findings_cannot_repair(c->findings, V09);
	if (c->sparse && !end_has_place(c))
		cannot(c, end, sizeof(end) / sizeof(end[0]));
	if (!end_is_at_home(c))
		cannot(c, rewrite, sizeof(rewrite) / sizeof(rewrite[0]));
	if (!check_is_sound(c))
		cannot(c, inside, sizeof(inside) / sizeof(inside[0]));
	return 0;
}

/* ---- Footers ------------------------------------------------------------ */

static bool
improve(struct footer *f, const struct check *c)
{
	bool features = findings_has(c->findings, V12);
	bool offset = findings_has(c->findings, V16);
	bool geometry = findings_has(c->findings, V24);

	if (!end_is_at_home(c))
		return false;
	if (features)
		f->features |= FEATURE_RESERVED;
	if (offset)
		f->data_offset = NO_OFFSET;
	if (geometry)
		f->geometry = geometry_for(f->current_size);
	return features || offset || geometry;
}

/* Neither a block nor metadata is there, but for a footer. */
static bool
is_for_footer(const struct check *c, uint64_t offset)
{
	struct place place = place_make(offset, FOOTER_SIZE, NULL);

	for (size_t i = 1; c->sparse && i < c->nmeta; i++)
		if (places_meet(&place, &c->meta[i]))
			return false;
	return repair_is_safe(c, offset, FOOTER_SIZE);
}

static int
put_footer(struct repair *r, uint64_t offset)
{
	struct disk_footer disk;
	int err;

	if (!is_for_footer(r->c, offset))
		return 0;
	footer_encode(&disk, &r->footer);
	err = patch_put(&r->patcher, offset, &disk, sizeof(disk));
	return err ? err : patch_commit(&r->patcher);
}

/* Where to put an end footer: right behind what is referred to when only
 * zeros follow there; else in the last sector when that is nobody's; else
 * behind the file, so that what is there can still be salvaged. */
static int
choose_place(uint64_t *ret, const struct repair *r)
{
	const struct check *c = r->c;
	uint64_t place = check_footer_place(c), size = r->patcher.size;
	bool zero;
	int err = zero_from(&zero, c, place, size);

	if (err)
		return err;
	if (zero && !c->io->block_device)
		*ret = place;
	else if (place <= size - SECTOR_SIZE && size % SECTOR_SIZE == 0)
		*ret = size - SECTOR_SIZE;
	else
		*ret = round_up(size, SECTOR_SIZE);
	return 0;
}

static int
repair_end(struct repair *r)
{
	uint64_t place;
	int err;

	if (!end_has_place(r->c))
		return 0;
	err = choose_place(&place, r);
	if (err || !is_for_footer(r->c, place))
		return err;
	err = put_footer(r, place);
	if (!err && !r->c->io->block_device)
		err = patch_resize(&r->patcher, place + FOOTER_SIZE);
	return err;
}

/* Cut off what follows the footer, when that is nothing.  *ret: it was. */
static int
cut_zeros(bool *ret, struct repair *r)
{
	const struct check *c = r->c;
	uint64_t end = c->found.footer_offset + c->found.tail_length;
	int err;

	*ret = false;
	if (c->sparse && c->end_of_data > end)
		return 0;
	err = can_cut(ret, c);
	return err || !*ret ? err : patch_resize(&r->patcher, end);
}

/* Where it is. */
static int
rewrite_end(struct repair *r, bool changed)
{
	const struct check *c = r->c;

	if (!end_is_at_home(c) ||
	    !(changed || c->found.defects & DEFECT_SHORT_FOOTER))
		return 0;
	return put_footer(r, c->found.footer_offset);
}

static int
repair_fixed(struct repair *r)
{
	bool changed = improve(&r->footer, r->c), cut;
	int err = cut_zeros(&cut, r);

	return err ? err : rewrite_end(r, changed);
}

/* The end first: it decides while the two differ.  But where the file gets a
 * new end, the old one may not be found any more before that is there. */
static int
repair_footers(struct repair *r)
{
	const struct check *c = r->c;
	unsigned defects = c->found.defects;
	bool changed = improve(&r->footer, c), cut, move;
	bool copy = changed || findings_has(c->findings, V05) ||
		    findings_has(c->findings, V06);
	int err = cut_zeros(&cut, r);

	move = c->found.footer_offset == NO_OFFSET ||
	       findings_has(c->findings, V72) ||
	       (defects & DEFECT_DATA_AFTER && !cut);
	if (!err && move && copy)
		err = put_footer(r, 0);
	if (!err && move)
		err = repair_end(r);
	else if (!err)
		err = rewrite_end(r, changed);
	return err || move || !copy ? err : put_footer(r, 0);
}

static int
repair_sparse(struct repair *r)
{
	int err = repair_footers(r);

	if (err || !check_is_sound(r->c))
		return err;
	err = repair_header(r);
	if (!err)
		err = repair_batmap(r);
	if (!err)
		err = repair_blocks(r);
	return err;
}

int
image_repair(bool *ret_changed, struct check *c, struct undo *undo)
{
	struct repair r = {.c = c, .footer = c->found.footer};
	int err;

	*ret_changed = false;
	if (is_hopeless(c))
		return 0;
	err = patcher_init(&r.patcher, c->io, undo);
	if (err)
		return err;
	err = c->sparse ? repair_sparse(&r) : repair_fixed(&r);
	*ret_changed = r.patcher.changed;
	patcher_free(&r.patcher);
	return err;
}
