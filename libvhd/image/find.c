/* SPDX-License-Identifier: BSD-3-Clause */
/* find.c - find the footer and the dynamic header of a file (format 4.4).
 *
 * The end is looked at first, then the copy at offset 0, then, for a fixed
 * disk that was padded, the sectors in front of the padding.  A candidate is
 * usable when its footer is, and when it leads to a header that is.  The copy
 * at 0 counts only for sparse types: in a fixed disk it is guest data. */
#include <inttypes.h>
#include <string.h>

#include "base/arith.h"
#include "base/cleanup.h"
#include "base/iszero.h"
#include "image/find.h"
#include "image/image.h"

/* A place that may hold a footer, and where it leads. */
struct candidate {
	uint64_t offset;
	uint64_t length; /* 511 or 512 */
	enum footer_fault fault;
	bool header_outside;
	enum dynhdr_fault header_fault;
	struct footer footer;
	struct dynhdr hdr;
};

static bool
is_sparse(const struct footer *f)
{
	return f->type == VHD_TYPE_DYNAMIC || f->type == VHD_TYPE_DIFFERENCING;
}

static bool
usable(const struct candidate *c)
{
	if (c->fault != FOOTER_OK)
		return false;
	return !is_sparse(&c->footer) ||
	       (!c->header_outside && c->header_fault == DYNHDR_OK);
}

/* Usable but for the checksum of its header (V41)? */
static bool
usable_damaged(const struct candidate *c)
{
	struct disk_dynhdr disk;
	struct dynhdr hdr;

	if (c->fault != FOOTER_OK || c->header_outside ||
	    c->header_fault != DYNHDR_BAD_CHECKSUM)
		return false;
	dynhdr_encode(&disk, &c->hdr);
	return dynhdr_decode(&hdr, &disk) == DYNHDR_OK;
}

/* limit: the header must end before it. */
static int
load_header(struct candidate *c, struct io *io, uint64_t limit)
{
	struct disk_dynhdr disk;
	uint64_t at = c->footer.data_offset;
	int err;

	c->header_outside =
		at < FOOTER_SIZE || !range_ok(at, DYNHDR_SIZE, limit);
	if (c->header_outside)
		return 0;
	err = io->ops->pread(io, &disk, sizeof disk, at);
	if (err)
		return err;
	c->header_fault = dynhdr_decode(&c->hdr, &disk);
	return 0;
}

static int
load(struct candidate *ret, struct io *io, uint64_t offset, uint64_t length,
     uint64_t limit)
{
	struct candidate c = {.offset = offset, .length = length};
	struct disk_footer disk = {.cookie = {0}};
	int err;

	err = io->ops->pread(io, &disk, (size_t)length, offset);
	if (err)
		return err;
	c.fault = footer_decode(&c.footer, &disk);
	if (c.fault == FOOTER_OK && is_sparse(&c.footer)) {
		err = load_header(&c, io, limit);
		if (err)
			return err;
	}
	*ret = c;
	return 0;
}

/* A file of whole sectors, or one byte short of it, has one place for the
 * footer; any other length has three. */
static int
load_end(struct candidate *ret, struct io *io, uint64_t size)
{
	uint64_t rest = size % SECTOR_SIZE;
	uint64_t aligned = size - rest;
	const uint64_t place[3][2] = {
		{size - 512, 512}, {size - 511, 511}, {aligned - 512, 512}};
	int err;

	if (rest == 0)
		return load(ret, io, size - 512, 512, size - 512);
	if (rest == 511)
		return load(ret, io, aligned, 511, aligned);
	for (int i = 0; i < 3; i++) {
		err = load(ret, io, place[i][0], place[i][1], place[i][0]);
		if (err || ret->fault == FOOTER_OK)
			return err;
	}
	return 0;
}

/* ---- What to say ------------------------------------------------------- */

#define CONVERT "a plain disk needs -f raw, other images: qemu-img convert"

static const struct {
	unsigned offset;
	unsigned length;
	const char *magic;
	const char *name, *remedy;
} strangers[] = {
	{0, 4, "QFI\xfb", "a QCOW2 image", CONVERT},
	{0, 4, "KDMV", "a VMDK image", CONVERT},
	{0, 21, "# Disk DescriptorFile", "a VMDK description", CONVERT},
	{64, 4, "\x7f\x10\xda\xbe", "a VDI image", CONVERT},
	{0, 4, "QED", "a QED image", CONVERT},
	{0, 3, "\x1f\x8b\x08", "compressed with gzip", "try: gunzip"},
	{510, 2, "\x55\xaa", "a plain disk with a boot sector",
	 "that needs -f raw"},
};

static int
not_a_vhd(const struct io *io, const uint8_t *head)
{
	for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
		if (!memcmp(head + strangers[i].offset, strangers[i].magic,
			    strangers[i].length))
			return fail(VHD_E_FORMAT, "%s: not a VHD but %s; %s",
				    io->name, strangers[i].name,
				    strangers[i].remedy);
	return fail(VHD_E_FORMAT,
		    "%s: not a VHD: neither its end nor its start holds a "
		    "footer; a plain disk needs -f raw, and of a split "
		    "image (.vhd, .v01, ...) the pieces must be joined",
		    io->name);
}

static int
bad_header(const struct io *io, const struct candidate *c)
{
	if (c->header_outside)
		return fail(VHD_E_CORRUPT,
			    "%s: the dynamic header should be at %" PRIu64
			    ", outside the file; try: vhdtool check FILE",
			    io->name, c->footer.data_offset);
	return fail(c->header_fault == DYNHDR_BAD_VERSION ? VHD_E_UNSUPPORTED
							  : VHD_E_CORRUPT,
		    "%s: the dynamic header at %" PRIu64 " is damaged (%s) "
		    "and has no copy; try: vhdtool check FILE",
		    io->name, c->footer.data_offset,
		    dynhdr_fault_text(c->header_fault));
}

/* Nothing was usable: the most telling of the reasons. */
static int
explain(const struct io *io, const uint8_t *head, const struct candidate *end,
	const struct candidate *start)
{
	const struct candidate *c;

	c = end->fault == FOOTER_NO_COOKIE ? start : end;
	switch (c->fault) {
	case FOOTER_NO_COOKIE:
		return not_a_vhd(io, head);
	case FOOTER_OK:
		if (is_sparse(&c->footer))
			return bad_header(io, c);
		return not_a_vhd(io, head);
	case FOOTER_POISONED:
		return fail(VHD_E_CORRUPT,
			    "%s: tapdisk has this file in use, or was "
			    "interrupted in it (%s); stop tapdisk, or finish "
			    "its operation with vhd-util",
			    io->name, footer_fault_text(c->fault));
	case FOOTER_BAD_VERSION:
	case FOOTER_BAD_TYPE:
		return fail(VHD_E_UNSUPPORTED,
			    "%s: the footer at %" PRIu64 " cannot be used: "
			    "%s (version %#x, type %u); fixed (2), dynamic "
			    "(3) and differencing (4) can",
			    io->name, c->offset, footer_fault_text(c->fault),
			    c->footer.version, c->footer.type);
	default:
		return fail(VHD_E_CORRUPT,
			    "%s: the footer at %" PRIu64 " is damaged (%s) "
			    "and no copy of it is usable; try: vhdtool check "
			    "FILE",
			    io->name, c->offset, footer_fault_text(c->fault));
	}
}

/* ---- Choosing ---------------------------------------------------------- */

static void
choose(struct found *ret, const struct candidate *c, bool is_end)
{
	ret->footer = c->footer;
	ret->hdr = c->hdr;
	if (is_end) {
		ret->footer_offset = c->offset;
		ret->tail_length = c->length;
		if (c->length < FOOTER_SIZE)
			ret->defects |= DEFECT_SHORT_FOOTER;
		if (c->offset + c->length < ret->file_size)
			ret->defects |= DEFECT_DATA_AFTER;
	}
}

static bool
equal_footers(const struct footer *a, const struct footer *b)
{
	char diff[256];

	footer_diff(diff, sizeof diff, a, b);
	return diff[0] == '\0';
}

/* An interrupted change of the footer leaves both valid, and differing in
 * nothing but what we change (D1). */
static bool
half_updated(const struct footer *end, const struct footer *start)
{
	struct footer f = *end;

	f.data_offset = start->data_offset;
	f.timestamp = start->timestamp;
	f.original_size = start->original_size;
	f.current_size = start->current_size;
	f.geometry = start->geometry;
	f.type = start->type;
	f.reserved[0] = start->reserved[0];
	if (footer_creator_is(start, "tap")) { /* and we take that over */
		memcpy(f.creator_app, "tap", sizeof(f.creator_app));
		f.creator_version = start->creator_version;
	}
	return equal_footers(&f, start);
}

static void
use_end(struct found *ret, const struct candidate *end,
	const struct candidate *start)
{
	choose(ret, end, true);
	if (!is_sparse(&end->footer))
		return;
	if (start->fault != FOOTER_OK || !is_sparse(&start->footer)) {
		ret->defects |= DEFECT_START_BAD;
		return;
	}
	if (equal_footers(&end->footer, &start->footer))
		return;
	ret->other = start->footer;
	ret->has_other = true;
	ret->defects |=
		usable(start) && half_updated(&end->footer, &start->footer)
			? DEFECT_HALF_UPDATE
			: DEFECT_DIFFER;
}

static void
use_start(struct found *ret, const struct candidate *end,
	  const struct candidate *start)
{
	choose(ret, start, false);
	if (end->fault == FOOTER_OK) {
		ret->other = end->footer;
		ret->has_other = true;
		ret->defects |= DEFECT_DIFFER;
	} else {
		ret->defects |= DEFECT_END_MISSING;
	}
}

/* ---- In front of padding (format 4.4, step 4) -------------------------- */

/* Is this sector the footer of what lies in front of it?  Sparse images found
 * this way are for salvage only. */
static bool
acceptable(const struct candidate *c, unsigned flags)
{
	if (!usable(c))
		return false;
	if (flags & IMAGE_DAMAGED)
		return is_sparse(&c->footer) ||
		       c->footer.current_size <= c->offset;
	return !is_sparse(&c->footer) && c->footer.current_size == c->offset;
}

/* Look at the sectors of one window, last first.  *ret_stop: look no further,
 * with or without a result.  Without IMAGE_DAMAGED only zeros may follow. */
static int
scan_window(struct candidate *ret, bool *ret_stop, bool *ret_found,
	    struct io *io, const uint8_t *window, uint64_t offset,
	    uint64_t length, unsigned flags)
{
	for (uint64_t at = length; at >= SECTOR_SIZE; at -= SECTOR_SIZE) {
		const uint8_t *sector = window + at - SECTOR_SIZE;
		uint64_t place = offset + at - SECTOR_SIZE;
		int err;

		if (is_zero(sector, SECTOR_SIZE))
			continue;
		if (!memcmp(sector, "conectix", 8)) {
			err = load(ret, io, place, SECTOR_SIZE, place);
			if (err)
				return err;
			*ret_found = acceptable(ret, flags);
		}
		*ret_stop = *ret_found || !(flags & IMAGE_DAMAGED);
		if (*ret_stop)
			return 0;
	}
	return 0;
}

static int
scan_back(struct candidate *ret, bool *ret_found, struct io *io, uint64_t size,
	  unsigned flags)
{
	AUTO_FREE uint8_t *window = malloc(FIND_SCAN_WINDOW);
	uint64_t end = round_down(size, SECTOR_SIZE);
	uint64_t stop = end > FIND_SCAN_BYTES ? end - FIND_SCAN_BYTES : 0;
	bool done = false;
	int err;

	if (!window)
		return fail_nomem();
	while (end > stop && !done) {
		uint64_t n = min_u64(end - stop, FIND_SCAN_WINDOW);

		err = io->ops->pread(io, window, (size_t)n, end - n);
		if (err)
			return err;
		err = scan_window(ret, &done, ret_found, io, window, end - n, n,
				  flags);
		if (err)
			return err;
		end -= n;
	}
	return 0;
}

/* ---- The whole procedure ----------------------------------------------- */

/* Neither end nor start is usable as it should be. */
static int
salvage(struct found *ret, struct io *io, const uint8_t *head,
	const struct candidate *end, const struct candidate *start,
	unsigned flags)
{
	struct candidate found;
	bool have = false;
	int err;

	if ((flags & IMAGE_DAMAGED) &&
	    (usable_damaged(end) || usable_damaged(start))) {
		ret->defects |= DEFECT_BAD_HEADER_SUM;
		if (usable_damaged(end))
			use_end(ret, end, start);
		else
			use_start(ret, end, start);
		return 0;
	}
	if (!(flags & FIND_NO_SCAN)) {
		err = scan_back(&found, &have, io, ret->file_size, flags);
		if (err)
			return err;
	}
	if (!have)
		return explain(io, head, end, start);
	choose(ret, &found, true);
	return 0;
}

/* A fixed disk must have its data in front of its footer (V21).  There is no
 * falling back on the first sector, which belongs to the guest. */
static int
check_fixed(const struct io *io, const struct candidate *end, unsigned flags)
{
	if (is_sparse(&end->footer) || (flags & IMAGE_DAMAGED) ||
	    end->footer.current_size <= end->offset)
		return 0;
	return fail(VHD_E_CORRUPT,
		    "%s: a fixed disk of %" PRIu64 " bytes with only %" PRIu64
		    " in front of its footer: it was cut; copy it again, or "
		    "try: vhdtool check FILE",
		    io->name, end->footer.current_size, end->offset);
}

/* The first bytes of a fixed disk are its guest's (V02). */
static int
check_vhdx(const struct io *io, const uint8_t *head,
	   const struct candidate *end)
{
	if (memcmp(head, "vhdxfile", 8) != 0 ||
	    (usable(end) && !is_sparse(&end->footer)))
		return 0;
	return fail(VHD_E_FORMAT,
		    "%s: a VHDX, which is another format than VHD; "
		    "try: qemu-img convert -O vpc FILE NEW.vhd",
		    io->name);
}

static int
load_both(struct candidate *ret_end, struct candidate *ret_start,
	  uint8_t head[static FOOTER_SIZE], struct io *io, uint64_t size)
{
	uint64_t n = min_u64(size, FOOTER_SIZE);
	int err;

	err = io->ops->pread(io, head, (size_t)n, 0);
	if (err)
		return err;
	err = load_end(ret_end, io, size);
	if (!err)
		err = check_vhdx(io, head, ret_end);
	if (err)
		return err;
	return load(ret_start, io, 0, n, size);
}

int
find_footer(struct found *ret, struct io *io, unsigned flags)
{
	struct found f = {.footer_offset = NO_OFFSET, .tail_length = 512};
	uint8_t head[FOOTER_SIZE] = {0};
	struct candidate end, start;
	int err;

	err = io->ops->size(&f.file_size, io);
	if (err)
		return err;
	if (f.file_size < FOOTER_SIZE - 1)
		return fail(VHD_E_FORMAT,
			    "%s: not a VHD: %" PRIu64 " bytes, and a footer "
			    "alone has 512",
			    io->name, f.file_size);
	err = load_both(&end, &start, head, io, f.file_size);
	if (err)
		return err;
	if (usable(&end)) {
		err = check_fixed(io, &end, flags);
		if (err)
			return err;
		use_end(&f, &end, &start);
	} else if (usable(&start) && is_sparse(&start.footer) &&
		   (end.fault != FOOTER_POISONED || (flags & IMAGE_DAMAGED))) {
		use_start(&f, &end, &start);
	} else {
		err = salvage(&f, io, head, &end, &start, flags);
		if (err)
			return err;
	}
	*ret = f;
	return 0;
}
