/* SPDX-License-Identifier: BSD-3-Clause */
/* check_footer.c - rules V11 to V30, V32 and V90: the fields of the footer that
 * counts (format 20.1). */
#include "image/check.h"

#include <inttypes.h>

#include "base/iszero.h"
#include "base/uuid.h"
#include "image/image.h"

#define FEATURE_TEMPORARY 0x1u
#define FEATURE_RESERVED  0x2u
#define A_DAY             86400
#define AT(c, field)      (footer_at(c) + offsetof(struct disk_footer, field))

static uint64_t
footer_at(const struct check *c)
{
	uint64_t at = c->found.footer_offset;

	return at == NO_OFFSET ? 0 : at;
}

static void
version_rule(struct check *c, const struct footer *f)
{
	if (f->version & 0xffff)
		tell_as(c, V11, VHD_WARNING, AT(c, version),
			"version %#x; 0x10000 is usual", f->version);
}

static void
features_rule(struct check *c, const struct footer *f)
{
	uint32_t unknown =
		f->features & ~(FEATURE_TEMPORARY | FEATURE_RESERVED);

	if (!(f->features & FEATURE_RESERVED))
		tell(c, V12, AT(c, features),
		     "features %#x without bit 1, which must be set",
		     f->features);
	if (unknown)
		tell(c, V13, AT(c, features), "unknown features %#x", unknown);
	if (f->features & FEATURE_TEMPORARY)
		tell(c, V14, AT(c, features), "marked as temporary");
}

static void
data_offset_rule(struct check *c, const struct footer *f)
{
	if (!c->sparse) {
		if (f->data_offset != NO_OFFSET)
			tell(c, V16, AT(c, data_offset),
			     "data_offset %#" PRIx64
			     " in a fixed disk; all ones are due",
			     f->data_offset);
		return;
	}
	if (f->data_offset % SECTOR_SIZE)
		tell_as(c, V17, VHD_WARNING, AT(c, data_offset),
			"the header is at %#" PRIx64 ", no multiple of 512",
			f->data_offset);
	else if (f->data_offset != FOOTER_SIZE)
		tell(c, V18, AT(c, data_offset),
		     "the header is at %#" PRIx64 "; 512 is usual",
		     f->data_offset);
}

static void
size_rule(struct check *c, const struct footer *f)
{
	if (f->current_size % SECTOR_SIZE)
		tell_as(c, V19, VHD_ERROR, AT(c, current_size),
			"a disk of %" PRIu64 " bytes, no multiple of 512",
			f->current_size);
	if (c->sparse && f->current_size > MAX_DISK_SIZE)
		tell(c, V20, AT(c, current_size),
		     "a disk of %" PRIu64 " bytes; %" PRIu64
		     " is the most that others read",
		     f->current_size, (uint64_t)MAX_DISK_SIZE);
	if (f->original_size == 0 || f->original_size > f->current_size ||
	    f->original_size % SECTOR_SIZE)
		tell(c, V23, AT(c, original_size),
		     "original size %" PRIu64 "; a multiple of 512 up to the "
		     "present size, %" PRIu64 ", is usual",
		     f->original_size, f->current_size);
}

static void
fixed_rule(struct check *c, const struct footer *f)
{
	uint64_t at = c->found.footer_offset;

	if (c->sparse)
		return;
	if (f->current_size > at)
		tell(c, V21, at,
		     "the data is cut: %" PRIu64 " bytes in front of the "
		     "footer, %" PRIu64 " are due",
		     at, f->current_size);
	if (f->current_size < at)
		tell(c, V22, f->current_size,
		     "%" PRIu64 " bytes between the end of the disk and the "
		     "footer",
		     at - f->current_size);
}

static bool
geometry_is(struct geometry a, struct geometry b)
{
	return a.cylinders == b.cylinders && a.heads == b.heads &&
	       a.sectors == b.sectors;
}

static bool
is_mark(struct geometry g)
{
	return geometry_is(g, (struct geometry){65535, 16, 255}) ||
	       geometry_is(g, (struct geometry){0, 0, 0});
}

/* QEMU takes the geometry for the size where Virtual PC did, and before
 * version 10 for more creators (format 5). */
static void
qemu_rule(struct check *c, const struct footer *f)
{
	static const char exact[][4] = {{'w', 'i', 'n', ' '},
					{'q', 'e', 'm', '2'},
					{'d', '2', 'v', ' '},
					{'C', 'T', 'X', 'S'},
					{'t', 'a', 'p', '\0'}};
	uint64_t bytes = geometry_bytes(f->geometry);
	bool always =
		footer_creator_is(f, "vpc ") || footer_creator_is(f, "qemu");

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++)
		if (footer_creator_is(f, exact[i]))
			return;
	if (!is_mark(f->geometry) && bytes != f->current_size)
		tell(c, V26, AT(c, geometry),
		     "QEMU%s takes this disk for %" PRIu64
		     " bytes, others for %" PRIu64,
		     always ? "" : " before version 10", bytes,
		     f->current_size);
}

static void
geometry_rule(struct check *c, const struct footer *f)
{
	struct geometry g = f->geometry, due = geometry_for(f->current_size);
	uint64_t bytes = geometry_bytes(g);

	if (is_mark(g))
		return;
	if (bytes > f->current_size)
		tell(c, V24, AT(c, geometry),
		     "geometry %u/%u/%u has %" PRIu64
		     " bytes, more than the disk's %" PRIu64,
		     g.cylinders, g.heads, g.sectors, bytes, f->current_size);
	else if (!geometry_is(g, due))
		tell(c, V25, AT(c, geometry),
		     "geometry %u/%u/%u; %u/%u/%u is usual for this size",
		     g.cylinders, g.heads, g.sectors, due.cylinders, due.heads,
		     due.sectors);
}

static void
uuid_rule(struct check *c, const struct footer *f)
{
	if (uuid_is_null(f->uuid))
		tell(c, V27, AT(c, uuid),
		     "no UUID: a child cannot tell whether this is its parent");
}

static void
saved_state_rule(struct check *c, const struct footer *f)
{
	if (f->saved_state == 1)
		tell_as(c, V28, VHD_NOTE, AT(c, saved_state),
			"in saved state: it cannot be resized or compacted");
	else if (f->saved_state)
		tell(c, V28, AT(c, saved_state),
		     "saved state %u; 0 and 1 are known", f->saved_state);
}

static void
reserved_rule(struct check *c, const struct footer *f)
{
	bool hidden = footer_creator_is(f, "tap") && f->reserved[0] == 1;

	if (footer_creator_is(f, "simh") ||
	    is_zero(f->reserved + hidden, sizeof(f->reserved) - hidden))
		return;
	tell(c, V29, AT(c, reserved), "reserved bytes are not zero");
}

static void
time_rule(struct check *c, const struct footer *f)
{
	int64_t created = (int64_t)f->timestamp + VHD_EPOCH;

	if (created > c->opts->now + A_DAY)
		tell(c, V30, AT(c, timestamp),
		     "created in the future: %" PRId64 " seconds from now",
		     created - c->opts->now);
}

static void
creator_rule(struct check *c, const struct footer *f)
{
	static const char known[][4] = {
		{'v', 'p', 'c', ' '}, {'v', 's', ' ', ' '},
		{'w', 'i', 'n', ' '}, {'q', 'e', 'm', 'u'},
		{'q', 'e', 'm', '2'}, {'v', 'b', 'o', 'x'},
		{'d', '2', 'v', 0},   {'t', 'a', 'p', 0},
		{'C', 'T', 'X', 'S'}, {'w', 'a', 0, 0},
		{'c', 'a', 'm', 'l'}, {'d', 'u', 't', 'l'},
		{'x', 'o', ' ', ' '}, {'m', 'V', 'H', 'D'},
		{'D', 'B', 'o', 'x'}, {'s', 'i', 'm', 'h'},
		{'*', 'i', 'm', 'g'}, {0, 0, 0, 0},
	};
	const uint8_t *a = f->creator_app;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (footer_creator_is(f, known[i]))
			return;
	tell(c, V32, AT(c, creator_app), "unknown creator %02x %02x %02x %02x",
	     a[0], a[1], a[2], a[3]);
}

static void
bitmap_order_rule(struct check *c, const struct footer *f)
{
	if (c->sparse && footer_creator_is(f, "tap") && f->creator_version == 1)
		tell(c, V90, AT(c, creator_version),
		     "made by XenServer's first version, whose bitmaps run "
		     "backwards; it can be read and converted");
}

int
check_footer(struct check *c)
{
	static void (*const rules[])(struct check *, const struct footer *) = {
		version_rule,      features_rule, data_offset_rule,
		size_rule,         fixed_rule,    geometry_rule,
		qemu_rule,         uuid_rule,     saved_state_rule,
		reserved_rule,     time_rule,     creator_rule,
		bitmap_order_rule,
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		rules[i](c, &c->found.footer);
	return 0;
}
