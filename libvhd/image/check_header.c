/* SPDX-License-Identifier: BSD-3-Clause */
/* check_header.c - rules V41 to V54 and V57, V66: the dynamic header, except
 * for the table and the locators it points to (format 20.2). */
#include "image/check.h"

#include <inttypes.h>

#include "base/iszero.h"
#include "base/uuid.h"
#include "image/image.h"

#define A_DAY      86400
#define HALF_ONES  0xffffffffu /* data_offset as old QEMU wrote it */
#define BLOCK_2M   (2u << 20)
#define BLOCK_512K (512u << 10)
#define AT(c, field)                                                           \
	((c)->found.footer.data_offset + offsetof(struct disk_dynhdr, field))

static void
checksum_rule(struct check *c, const struct dynhdr *h)
{
	(void)h;
	if (c->found.defects & DEFECT_BAD_HEADER_SUM)
		tell(c, V41, AT(c, checksum),
		     "the header's checksum is wrong; its fields make sense");
}

static void
version_rule(struct check *c, const struct dynhdr *h)
{
	if (h->version & 0xffff)
		tell_as(c, V42, VHD_WARNING, AT(c, version),
			"header version %#x; 0x10000 is usual", h->version);
}

static void
data_offset_rule(struct check *c, const struct dynhdr *h)
{
	if (h->data_offset != NO_OFFSET)
		tell(c, V43, AT(c, data_offset),
		     "data_offset of the header is %#" PRIx64
		     "%s; all ones are due",
		     h->data_offset,
		     h->data_offset == HALF_ONES ? ", as old QEMU wrote it"
						 : "");
}

static void
block_size_rule(struct check *c, const struct dynhdr *h)
{
	if (h->block_size != BLOCK_2M && h->block_size != BLOCK_512K)
		tell(c, V48, AT(c, block_size),
		     "block size %u; Windows reads %u and %u only",
		     h->block_size, BLOCK_512K, BLOCK_2M);
}

static void
entries_rule(struct check *c, const struct dynhdr *h)
{
	if (h->max_entries < c->need)
		tell(c, V49, AT(c, bat_entries),
		     "the table has %u entries, the disk needs %" PRIu64,
		     h->max_entries, c->need);
	else if (h->max_entries > c->need)
		tell(c, V50, AT(c, bat_entries),
		     "the table has %u entries, the disk needs %" PRIu64,
		     h->max_entries, c->need);
}

static void
reserved_rule(struct check *c, const struct dynhdr *h)
{
	if (h->reserved1)
		tell(c, V52, AT(c, reserved1), "reserved field is %#x, not 0",
		     h->reserved1);
	if (!is_zero(h->reserved2, sizeof(h->reserved2)))
		tell(c, V52, AT(c, reserved2), "reserved bytes are not zero");
}

static bool
has_locator(const struct dynhdr *h)
{
	for (unsigned i = 0; i < MAX_LOCATORS; i++)
		if (h->locator[i].code != PLATFORM_NONE)
			return true;
	return false;
}

static void
root_rule(struct check *c, const struct dynhdr *h)
{
	const char *what = NULL;

	if (c->found.footer.type != VHD_TYPE_DYNAMIC)
		return;
	if (!uuid_is_null(h->parent_uuid))
		what = "a parent UUID";
	else if (!is_zero(h->parent_name, sizeof(h->parent_name)))
		what = "a parent name";
	else if (h->parent_time)
		what = "a parent time";
	else if (has_locator(h))
		what = "a parent locator";
	if (what)
		tell(c, V53, AT(c, parent_uuid),
		     "a dynamic disk, which has no parent, stores %s", what);
}

static void
parent_uuid_rule(struct check *c, const struct dynhdr *h)
{
	if (c->found.footer.type == VHD_TYPE_DIFFERENCING &&
	    uuid_is_null(h->parent_uuid))
		tell(c, V54, AT(c, parent_uuid),
		     "the parent has no UUID: a plain disk, or made by an old "
		     "program; it cannot be verified");
}

static void
parent_name_rule(struct check *c, const struct dynhdr *h)
{
	char name[MAX_PATH_TEXT];

	if (!dynhdr_parent_name(name, sizeof(name), h))
		tell(c, V57, AT(c, parent_name),
		     "the parent's name is not valid UTF-16");
	else if (h->parent_name[0] && !h->parent_name[1] &&
		 footer_creator_is(&c->found.footer, "tap"))
		tell(c, V57, AT(c, parent_name),
		     "the parent's name is stored little-endian");
}

static void
parent_time_rule(struct check *c, const struct dynhdr *h)
{
	int64_t when = (int64_t)h->parent_time + VHD_EPOCH;

	if (when > c->opts->now + A_DAY)
		tell(c, V66, AT(c, parent_time),
		     "the parent's time is in the future: %" PRId64
		     " seconds from now",
		     when - c->opts->now);
}

int
check_header(struct check *c)
{
	static void (*const rules[])(struct check *, const struct dynhdr *) = {
		checksum_rule,    version_rule,     data_offset_rule,
		block_size_rule,  entries_rule,     reserved_rule,
		root_rule,        parent_uuid_rule, parent_name_rule,
		parent_time_rule,
	};
	const struct dynhdr *h = &c->found.hdr;

	c->need = ceil_div(c->found.footer.current_size, h->block_size);
	c->bitmap_bytes = bitmap_bytes_for(h->block_size);
	c->region = (uint64_t)c->bitmap_bytes + h->block_size;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		rules[i](c, h);
	return 0;
}
