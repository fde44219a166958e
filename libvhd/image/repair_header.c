/* SPDX-License-Identifier: BSD-3-Clause */
/* repair_header.c - repair fields of the dynamic header.
 *
 * The header is two sectors and has no copy.  A change within the first one is
 * a single write.  Any other goes through a second header behind the end of
 * the file: the footers are turned to it, the first is rewritten, the footers
 * are turned back.  One valid header is referred to at every instant. */
#include <string.h>

#include "base/path.h"
#include "base/utf.h"
#include "image/image.h"
#include "image/repair.h"

struct room {
	uint64_t offset; /* NO_OFFSET: none */
	uint64_t length; /* wanted */
};

static void
clear_locators(struct dynhdr *h)
{
	for (unsigned i = 0; i < MAX_LOCATORS; i++) {
		if (h->locator[i].code == PLATFORM_NONE)
			h->locator[i] = (struct locator){.code = PLATFORM_NONE};
		h->locator[i].reserved = 0;
	}
}

/* ---- V56: a relative path for Windows ----------------------------------- */

static void
name_of_parent(char *ret, const struct dynhdr *h)
{
	if (!dynhdr_parent_name(ret, MAX_PATH_TEXT, h))
		ret[0] = '\0';
	for (char *p = ret; *p; p++)
		if (*p == '\\')
			*p = '/';
	memmove(ret, path_name(ret), strlen(path_name(ret)) + 1);
}

static struct locator *
free_locator(struct dynhdr *h)
{
	for (unsigned i = 0; i < MAX_LOCATORS; i++)
		if (h->locator[i].code == PLATFORM_NONE)
			return &h->locator[i];
	return NULL;
}

/* XenServer wants metadata below the first block (V78). */
static int
find_room(struct check *c, uint64_t start, uint64_t end, void *user)
{
	struct room *room = user;
	uint64_t at = round_up(start, SECTOR_SIZE);

	if (room->offset == NO_OFFSET && range_ok(at, room->length, end) &&
	    (c->used == 0 || at < check_block_start(c, c->order[0])))
		room->offset = at;
	return 0;
}

/* Both sectors of a header can be changed only where the end footer is the last
 * sector, and the file may grow. */
static bool
can_rewrite(const struct repair *r)
{
	return !r->c->io->block_device && r->patcher.size % SECTOR_SIZE == 0;
}

static int
add_relative_path(struct dynhdr *h, struct repair *r)
{
	struct room room = {NO_OFFSET, 0};
	struct locator *l = free_locator(h);
	uint8_t data[2 * MAX_PATH_TEXT] = {0};
	char name[MAX_PATH_TEXT];
	size_t length;
	int err;

	name_of_parent(name, h);
	if (!l || !name[0] || !can_rewrite(r) ||
	    !locator_encode(data, sizeof(data), &length, PLATFORM_W2RU, name))
		return 0;
	room.length = round_up(length, SECTOR_SIZE);
	err = check_gaps(r->c, find_room, &room);
	if (err || room.offset == NO_OFFSET)
		return err;
	err = patch_put(&r->patcher, room.offset, data, (size_t)room.length);
	if (!err)
		err = patch_commit(&r->patcher);
	*l = (struct locator){.code = PLATFORM_W2RU,
			      .space = (uint32_t)room.length,
			      .length = (uint32_t)length,
			      .offset = room.offset};
	return err;
}

/* ---- Writing ------------------------------------------------------------ */

static int
put_durably(struct repair *r, uint64_t offset, const void *data, size_t length)
{
	int err = patch_put(&r->patcher, offset, data, length);

	return err ? err : patch_commit(&r->patcher);
}

static int
turn_footers(struct repair *r, uint64_t end, uint64_t header)
{
	struct footer f = r->footer;
	struct disk_footer disk;
	int err;

	f.data_offset = header;
	footer_encode(&disk, &f);
	err = put_durably(r, end, &disk, sizeof(disk));
	return err ? err : put_durably(r, 0, &disk, sizeof(disk));
}

/* Behind the file for a while: a second header, and the end footer. */
static int
rewrite(struct repair *r, const struct disk_dynhdr *disk)
{
	uint64_t second = r->patcher.size, end = second + sizeof(*disk);
	uint64_t first = r->footer.data_offset;
	uint8_t behind[sizeof(*disk) + FOOTER_SIZE];
	struct disk_footer footer;
	int err;

	footer_encode(&footer, &r->footer);
	memcpy(behind, disk, sizeof(*disk));
	memcpy(behind + sizeof(*disk), &footer, sizeof(footer));
	err = put_durably(r, second, behind, sizeof(behind));
	if (!err)
		err = turn_footers(r, end, second);
	if (!err)
		err = put_durably(r, first, disk, sizeof(*disk));
	if (!err)
		err = turn_footers(r, end, first);
	return err ? err : patch_resize(&r->patcher, second);
}

static int
write_header(struct repair *r, const struct dynhdr *h)
{
	uint64_t at = r->footer.data_offset;
	struct disk_dynhdr before, after;
	const size_t half = SECTOR_SIZE;
	int err = r->c->io->ops->pread(r->c->io, &before, sizeof(before), at);

	if (err)
		return err;
	dynhdr_encode(&after, h);
	if (!memcmp((uint8_t *)&before + half, (uint8_t *)&after + half,
		    sizeof(after) - half) &&
	    at % SECTOR_SIZE == 0)
		return put_durably(r, at, &after, half);
	return can_rewrite(r) ? rewrite(r, &after) : 0;
}

int
repair_header(struct repair *r)
{
	const struct findings *f = r->c->findings;
	struct dynhdr h = r->c->found.hdr;
	int err = 0;

	if (!repair_is_safe(r->c, r->footer.data_offset, DYNHDR_SIZE) ||
	    !(findings_has(f, V43) || findings_has(f, V52) ||
	      findings_has(f, V56) || findings_has(f, V59) ||
	      findings_has(f, V60)))
		return 0;
	h.data_offset = NO_OFFSET;
	h.reserved1 = 0;
	memset(h.reserved2, 0, sizeof(h.reserved2));
	clear_locators(&h);
	if (findings_has(f, V56))
		err = add_relative_path(&h, r);
	return err ? err : write_header(r, &h);
}
