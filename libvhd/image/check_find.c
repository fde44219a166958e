/* SPDX-License-Identifier: BSD-3-Clause */
/* check_find.c - rules V01 to V10 and V31: the file as a whole, and the two
 * copies of the footer (format 20.1).
 *
 * Which copy counts is decided by find_footer, as it is when an image is
 * opened.  V04 is told by check_space.c, which knows what lies at the end. */
#include "image/check.h"

#include <inttypes.h>
#include <string.h>

#include "image/image.h"

/* ---- Reading ------------------------------------------------------------ */

static int
read_copy(struct footer_copy *ret, struct io *io, uint64_t offset,
	  uint64_t length)
{
	int err;

	memset(ret, 0, sizeof(*ret));
	ret->offset = offset;
	ret->length = length;
	err = io->ops->pread(io, &ret->disk, (size_t)length, offset);
	if (!err)
		ret->fault = footer_decode(&ret->footer, &ret->disk);
	return err;
}

/* Where the end footer is, or should be. */
static int
read_end(struct check *c)
{
	uint64_t rest = c->file_size % SECTOR_SIZE;
	uint64_t aligned = c->file_size - rest;

	if (c->usable && c->found.footer_offset != NO_OFFSET)
		return read_copy(&c->end, c->io, c->found.footer_offset,
				 c->found.tail_length);
	if (rest == SECTOR_SIZE - 1)
		return read_copy(&c->end, c->io, aligned, rest);
	return read_copy(&c->end, c->io, aligned - SECTOR_SIZE, SECTOR_SIZE);
}

static int
read_footers(struct check *c)
{
	int err = find_footer(&c->found, c->io, IMAGE_DAMAGED);

	c->usable = !err;
	if (err && err != VHD_E_FORMAT && err != VHD_E_CORRUPT &&
	    err != VHD_E_UNSUPPORTED)
		return err;
	err = read_copy(&c->start, c->io, 0,
			min_u64(c->file_size, FOOTER_SIZE));
	if (!err)
		err = read_end(c);
	if (c->usable)
		c->sparse = c->found.footer.type != VHD_TYPE_FIXED;
	return err;
}

/* ---- Files that cannot be opened ---------------------------------------- */

static void
tell_bad_header(struct check *c, const struct footer_copy *copy,
		const struct disk_dynhdr *disk)
{
	uint64_t at = copy->footer.data_offset;
	struct dynhdr hdr;

	switch (dynhdr_decode(&hdr, disk)) {
	case DYNHDR_NO_COOKIE:
		tell(c, V40, at, "no dynamic header where the footer says");
		break;
	case DYNHDR_BAD_CHECKSUM:
		tell(c, V41, at,
		     "the header's checksum is wrong, and its "
		     "fields make no sense");
		break;
	case DYNHDR_BAD_VERSION:
		tell(c, V42, at, "header version %#x; only 0x10000 is known",
		     hdr.version);
		break;
	case DYNHDR_BAD_BLOCK_SIZE:
		tell(c, V47, at,
		     "block size %u; a power of two from 512 to %u is allowed",
		     hdr.block_size, MAX_BLOCK_SIZE);
		break;
	case DYNHDR_BAD_ENTRIES:
		tell(c, V51, at, "the block table has no entries");
		break;
	case DYNHDR_OK:
		tell(c, V03, copy->offset, "no footer that can be used");
		break;
	}
}

static int
tell_no_header(struct check *c, const struct footer_copy *copy)
{
	uint64_t at = copy->footer.data_offset;
	uint64_t limit = copy == &c->end ? copy->offset : c->file_size;
	struct disk_dynhdr disk;
	int err;

	if (at < FOOTER_SIZE || !range_ok(at, sizeof(disk), limit)) {
		tell(c, V17,
		     copy->offset + offsetof(struct disk_footer, data_offset),
		     "the header should be at %#" PRIx64 ", and %" PRIu64
		     " bytes can hold it",
		     at, limit);
		return 0;
	}
	err = c->io->ops->pread(c->io, &disk, sizeof(disk), at);
	if (!err)
		tell_bad_header(c, copy, &disk);
	return err;
}

static int
tell_unusable(struct check *c, const struct footer_copy *copy)
{
	const struct footer *f = &copy->footer;

	switch (copy->fault) {
	case FOOTER_OK:
		if (f->type != VHD_TYPE_FIXED)
			return tell_no_header(c, copy);
		/* A fixed footer at 0 is guest data. */
		/* fall through */
	case FOOTER_NO_COOKIE:
		tell(c, V03, c->end.offset,
		     "neither the end nor the start holds a footer");
		break;
	case FOOTER_POISONED:
		tell(c, V31, copy->offset, "in use by tapdisk, or interrupted");
		tell(c, V03, copy->offset, "no other copy of the footer");
		break;
	case FOOTER_BAD_CHECKSUM:
		tell_as(c, V07, VHD_FATAL, copy->offset,
			"the footer's checksum is wrong, and no other copy is "
			"usable");
		break;
	case FOOTER_BAD_VERSION:
		tell(c, V11, copy->offset, "version %#x; only 1.x is known",
		     f->version);
		break;
	case FOOTER_BAD_TYPE:
		tell(c, V15, copy->offset,
		     "disk type %u; fixed (2), dynamic (3) and differencing "
		     "(4) are known",
		     f->type);
		break;
	case FOOTER_BAD_SIZE:
		tell(c, V19, copy->offset,
		     "a disk of %" PRIu64 " bytes; 1 to 2^63 are possible",
		     f->current_size);
		break;
	}
	return 0;
}

/* ---- The two copies ----------------------------------------------------- */

/* A sparse footer found in front of other data is only looked for when the
 * copy at 0 is of no use. */
static void
start_rule(struct check *c)
{
	bool scanned = c->sparse && c->found.defects & DEFECT_DATA_AFTER &&
		       c->start.fault != FOOTER_OK;

	if (!(c->found.defects & DEFECT_START_BAD) && !scanned)
		return;
	if (c->start.fault == FOOTER_POISONED) {
		tell(c, V31, 0,
		     "poisoned: an operation of vhd-util was "
		     "interrupted");
		return;
	}
	if (c->start.fault == FOOTER_BAD_CHECKSUM)
		tell(c, V07, 0, "the footer's checksum is wrong");
	tell(c, V05, 0, "no valid copy of the footer at 0: %s",
	     c->start.fault == FOOTER_OK ? "it describes a fixed disk"
					 : footer_fault_text(c->start.fault));
}

/* find_footer compares them unless it had to look for the end footer. */
static void
differ_rule(struct check *c)
{
	bool scanned = c->sparse && c->found.defects & DEFECT_DATA_AFTER &&
		       c->start.fault == FOOTER_OK;
	char diff[256];

	if (!c->found.has_other && !scanned)
		return;
	footer_diff(diff, sizeof(diff), &c->found.footer,
		    scanned ? &c->start.footer : &c->found.other);
	if (scanned && !diff[0])
		return;
	if (c->found.defects & DEFECT_HALF_UPDATE)
		tell_as(c, V06, VHD_WARNING, 0,
			"a change of the footer was interrupted; the copies "
			"differ in%s",
			diff);
	else if (diff[0])
		tell(c, V06, 0, "the copies of the footer differ in%s", diff);
	else
		tell(c, V06, 0, "only the copy at 0 leads to a header");
}

/* A footer in front of anything but zeros is found for salvage only. */
static bool
is_openable(const struct check *c)
{
	struct found found;

	return find_footer(&found, c->io, 0) == 0;
}

static void
file_size_rule(struct check *c)
{
	uint64_t rest = c->file_size % SECTOR_SIZE;
	uint64_t end = c->end.offset + c->end.length;
	bool after = c->found.defects & DEFECT_DATA_AFTER;

	if (rest && rest != SECTOR_SIZE - 1)
		tell(c, V09, c->file_size,
		     "the file has %" PRIu64 " bytes, which is no multiple of "
		     "512",
		     c->file_size);
	if (c->found.defects & DEFECT_SHORT_FOOTER)
		tell(c, V10, c->end.offset, "a footer of 511 bytes");
	if (after && c->file_size > end &&
	    (c->file_size - end >= SECTOR_SIZE ||
	     !findings_has(c->findings, V09)) &&
	    !findings_has(c->findings, V03))
		tell_as(c, V08, is_openable(c) ? VHD_WARNING : VHD_ERROR, end,
			"%" PRIu64 " bytes follow the footer",
			c->file_size - end);
}

/* ---- A fixed disk that was growing -------------------------------------- */

/* Where the last run of data ends. */
static int
end_of_last_run(uint64_t *ret, struct check *c)
{
	uint64_t at = 0, next, last = 0;

	while (at < c->file_size) {
		bool data;
		int err = c->io->ops->extent(&data, &next, c->io, at);

		if (err)
			return err;
		if (data)
			last = next;
		if (next <= at)
			break;
		at = next;
	}
	*ret = min_u64(round_up(last, SECTOR_SIZE),
		       round_down(c->file_size, SECTOR_SIZE));
	return 0;
}

static int
try_lost(bool *ret, struct check *c, uint64_t at)
{
	struct footer_copy copy;
	int err = read_copy(&copy, c->io, at, FOOTER_SIZE);

	*ret = !err && copy.fault == FOOTER_OK &&
	       copy.footer.type == VHD_TYPE_FIXED &&
	       copy.footer.current_size == at;
	if (!*ret)
		return err;
	c->end = copy;
	c->found = (struct found){.footer = copy.footer,
				  .footer_offset = at,
				  .tail_length = FOOTER_SIZE,
				  .file_size = c->file_size,
				  .defects = DEFECT_DATA_AFTER};
	c->usable = true;
	tell_as(c, V03, VHD_ERROR, at,
		"the footer is %" PRIu64 " bytes in front of the end: the "
		"disk was growing when something failed",
		c->file_size - at);
	return 0;
}

/* A crash may leave the file at its new size with the footer still at the old
 * one: in front of the hole that it grew by. */
static int
find_lost(struct check *c)
{
	uint64_t end, stop;
	bool found = false;
	int err = end_of_last_run(&end, c);

	stop = err || end < PAGE_SIZE_4K ? 0 : end - PAGE_SIZE_4K;
	while (!err && !found && end >= stop + SECTOR_SIZE) {
		end -= SECTOR_SIZE;
		err = try_lost(&found, c, end);
	}
	return err;
}

static int
cannot_be_opened(struct check *c)
{
	int err;

	if (!memcmp(&c->start.disk, "vhdxfile", 8)) {
		tell(c, V02, 0, "this is a VHDX, another format");
		return 0;
	}
	if (c->end.fault != FOOTER_NO_COOKIE)
		return tell_unusable(c, &c->end);
	err = find_lost(c);
	return err || c->usable ? err : tell_unusable(c, &c->start);
}

int
check_find(struct check *c)
{
	int err = c->io->ops->size(&c->file_size, c->io);

	if (err)
		return err;
	if (c->file_size < FOOTER_SIZE - 1) {
		tell(c, V01, 0, "%" PRIu64 " bytes; a footer alone has 512",
		     c->file_size);
		return 0;
	}
	err = read_footers(c);
	if (!err && !c->usable)
		err = cannot_be_opened(c);
	if (err || !c->usable)
		return err;
	start_rule(c);
	differ_rule(c);
	file_size_rule(c);
	return 0;
}
