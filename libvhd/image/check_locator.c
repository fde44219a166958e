/* SPDX-License-Identifier: BSD-3-Clause */
/* check_locator.c - rules V55, V56 and V58 to V65: parent locators, and
 * whether they agree with each other (format 9, 20.2). */
#include "image/check.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "image/image.h"

#define AT(c, i)                                                               \
	((c)->found.footer.data_offset + offsetof(struct disk_dynhdr, loc) +   \
	 (i) * sizeof(struct disk_locator))

static bool
is_utf16(uint32_t code)
{
	return code == PLATFORM_W2RU || code == PLATFORM_W2KU;
}

static bool
is_known(uint32_t code)
{
	return is_utf16(code) || code == PLATFORM_WI2R ||
	       code == PLATFORM_WI2K || code == PLATFORM_MAC ||
	       code == PLATFORM_MACX;
}

/* ---- One locator -------------------------------------------------------- */

static void
unused_rule(struct check *c, unsigned i, const struct locator *l)
{
	if (l->code == PLATFORM_NONE &&
	    (l->space || l->length || l->reserved || l->offset))
		tell(c, V59, AT(c, i),
		     "locator %u is unused, but its fields are not zero", i);
}

static void
code_rule(struct check *c, unsigned i, const struct locator *l)
{
	if (l->code != PLATFORM_NONE && !is_known(l->code))
		tell(c, V58, AT(c, i), "locator %u has the unknown code %#x", i,
		     l->code);
}

static void
fields_rule(struct check *c, unsigned i, const struct locator *l)
{
	if (l->code == PLATFORM_NONE)
		return;
	if (l->reserved)
		tell(c, V60, AT(c, i),
		     "the reserved field of locator %u is %#x, not 0", i,
		     l->reserved);
	if (l->offset % SECTOR_SIZE)
		tell(c, V62, AT(c, i),
		     "the data of locator %u is at %#" PRIx64
		     ", no multiple of 512",
		     i, l->offset);
	if (l->space >= SECTOR_SIZE && l->space % SECTOR_SIZE)
		tell(c, V64, AT(c, i),
		     "locator %u has room for %u bytes, no multiple of 512", i,
		     l->space);
}

static void
length_rule(struct check *c, unsigned i, const struct locator *l)
{
	if (l->code == PLATFORM_NONE)
		return;
	if (l->length == 0)
		tell(c, V63, AT(c, i), "locator %u is empty", i);
	else if (l->length > locator_space(l))
		tell(c, V63, AT(c, i),
		     "locator %u has %u bytes of data and room for %" PRIu64, i,
		     l->length, locator_space(l));
	else if (is_utf16(l->code) && l->length % 2)
		tell(c, V63, AT(c, i),
		     "locator %u has %u bytes, which cannot be UTF-16", i,
		     l->length);
}

static void
place_rule(struct check *c, unsigned i, const struct locator *l)
{
	struct place mine = place_make(l->offset, l->length, NULL);
	struct place end =
		place_make(c->end.offset, c->end.length, "the end footer");

	if (l->code == PLATFORM_NONE || l->length == 0)
		return;
	if (!range_ok(l->offset, l->length, c->file_size)) {
		tell(c, V61, AT(c, i),
		     "the data of locator %u at %#" PRIx64
		     " is outside the file",
		     i, l->offset);
		return;
	}
	for (size_t m = 0; m < 3; m++)
		if (places_meet(&mine, &c->meta[m]))
			tell(c, V61, AT(c, i),
			     "the data of locator %u overlaps %s", i,
			     c->meta[m].what);
	if (c->found.footer_offset != NO_OFFSET && places_meet(&mine, &end))
		tell(c, V61, AT(c, i), "the data of locator %u overlaps %s", i,
		     end.what);
	if (check_block_meets(c, l->offset, l->length))
		tell(c, V61, AT(c, i),
		     "the data of locator %u overlaps a block", i);
}

static void
apart_rule(struct check *c, unsigned i, const struct locator *l)
{
	struct place mine = place_make(l->offset, l->length, NULL);

	for (unsigned j = 0; j < i; j++) {
		const struct locator *o = &c->found.hdr.locator[j];
		struct place other = place_make(o->offset, o->length, NULL);

		if (l->code != PLATFORM_NONE && o->code != PLATFORM_NONE &&
		    l->length && o->length && places_meet(&mine, &other))
			tell(c, V61, AT(c, i),
			     "the data of locators %u and %u overlaps", j, i);
	}
}

/* ---- All of them -------------------------------------------------------- */

static void
parent_rule(struct check *c)
{
	const struct dynhdr *h = &c->found.hdr;
	bool any = h->parent_name[0] || h->parent_name[1], relative = false;

	if (c->found.footer.type != VHD_TYPE_DIFFERENCING)
		return;
	for (unsigned i = 0; i < MAX_LOCATORS; i++) {
		any |= h->locator[i].code != PLATFORM_NONE;
		relative |= h->locator[i].code == PLATFORM_W2RU;
	}
	if (!any)
		tell(c, V55, AT(c, 0),
		     "neither a name nor a locator says where the parent is");
	else if (!relative)
		tell(c, V56, AT(c, 0),
		     "no relative path for Windows (W2ru); Windows 11 needs "
		     "it");
}

/* The path that a locator holds, as stored or as a path; "" when it is none
 * that can be read. */
static int
read_path(char *ret, char *ret_stored, struct check *c, const struct locator *l)
{
	AUTO_FREE uint8_t *data = NULL;
	int err;

	ret[0] = ret_stored[0] = '\0';
	if (l->code == PLATFORM_NONE || l->length > MAX_LOCATOR_BYTES ||
	    !range_ok(l->offset, l->length, c->file_size))
		return 0;
	data = malloc((size_t)l->length + 1);
	if (!data)
		return fail_nomem();
	err = c->io->ops->pread(c->io, data, l->length, l->offset);
	if (err)
		return err;
	if (!locator_decode(ret, MAX_PATH_TEXT, l->code, data, l->length))
		ret[0] = '\0';
	if (!locator_text(ret_stored, MAX_PATH_TEXT, l->code, data, l->length))
		ret_stored[0] = '\0';
	return 0;
}

/* A character takes at least as many bytes in UTF-8 as it takes units in
 * UTF-16. */
static bool
contains_nul(const struct check *c, const struct locator *l, const char *stored)
{
	return is_utf16(l->code) && l->length >= 2 &&
	       range_ok(l->offset, l->length, c->file_size) &&
	       l->length <= MAX_PATH_TEXT / 2 &&
	       l->length <= locator_space(l) && l->length % 2 == 0 &&
	       strlen(stored) < l->length / 2;
}

/* Names are compared as Windows does, without regard to case. */
static void
agree_rule(struct check *c, unsigned i, const struct locator *l,
	   const char *path, char *first)
{
	bool absolute = path_is_absolute(path);

	if (l->code == PLATFORM_W2RU && absolute)
		tell(c, V65, AT(c, i), "locator %u (W2ru) is not relative", i);
	if (l->code == PLATFORM_W2KU && !absolute)
		tell(c, V65, AT(c, i), "locator %u (W2ku) is not absolute", i);
	if (!first[0])
		strcpy(first, path_name(path));
	else if (strcasecmp(first, path_name(path)) != 0)
		tell(c, V65, AT(c, i),
		     "locator %u names another file than those before it", i);
}

static void
last_name(char *name)
{
	for (char *p = name; *p; p++)
		if (*p == '\\')
			*p = '/';
	memmove(name, path_name(name), strlen(path_name(name)) + 1);
}

static int
check_texts(struct check *c)
{
	char first[MAX_PATH_TEXT], path[MAX_PATH_TEXT], stored[MAX_PATH_TEXT];

	if (!dynhdr_parent_name(first, sizeof(first), &c->found.hdr))
		first[0] = '\0';
	last_name(first);
	for (unsigned i = 0; i < MAX_LOCATORS; i++) {
		const struct locator *l = &c->found.hdr.locator[i];
		int err = read_path(path, stored, c, l);

		if (err)
			return err;
		if (contains_nul(c, l, stored))
			tell(c, V63, AT(c, i),
			     "the %u bytes of locator %u include a NUL, or "
			     "are not UTF-16",
			     l->length, i);
		if (path[0])
			agree_rule(c, i, l, path, first);
	}
	return 0;
}

int
check_locators(struct check *c)
{
	static void (*const rules[])(struct check *, unsigned,
				     const struct locator *) = {
		unused_rule, code_rule,  fields_rule,
		length_rule, place_rule, apart_rule,
	};

	for (unsigned i = 0; i < MAX_LOCATORS; i++)
		for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++)
			rules[r](c, i, &c->found.hdr.locator[i]);
	parent_rule(c);
	return check_texts(c);
}
