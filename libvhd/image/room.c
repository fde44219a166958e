/* SPDX-License-Identifier: BSD-3-Clause */
/* room.c - find free room for metadata. */
#include "image/room.h"
#include "image/image.h"

static uint64_t
first_of(uint64_t first, const struct region *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		first = min_u64(first, list[i].offset);
	return first;
}

/* Where the first block starts, be it one that was dropped and that an entry
 * on disk may still name (D7): beyond it is not ours to search. [lock] */
static uint64_t
first_block(const struct image *img)
{
	uint64_t first = img->footer_offset;

	first = first_of(first, img->pending.freed, img->pending.nfreed);
	first = first_of(first, img->publishing.freed, img->publishing.nfreed);
	first = first_of(first, img->loose, img->nloose);

	for (uint32_t b = 0; b < img->blocks; b++) {
		uint32_t value = atomic_load(&img->bat[b]);

		if (value != BAT_UNUSED)
			first = min_u64(first, (uint64_t)value << SECTOR_SHIFT);
	}
	return first;
}

/* If [at, at + length) touches something in use, where does that end? */
static uint64_t
blocked_until(const struct room *room, const struct image *img, uint64_t at,
	      uint64_t length)
{
	const struct dynhdr *h = &img->hdr;
	uint64_t bat = round_up((uint64_t)h->max_entries * 4, SECTOR_SIZE);

	if (ranges_overlap(at, length, img->header_at, DYNHDR_SIZE))
		return img->header_at + DYNHDR_SIZE;
	if (ranges_overlap(at, length, h->table_offset, bat))
		return h->table_offset + bat;
	if (img->batmap_header &&
	    ranges_overlap(at, length, img->batmap_header,
			   img->batmap_offset + img->batmap_bytes -
				   img->batmap_header))
		return img->batmap_offset + img->batmap_bytes;
	for (int i = 0; i < MAX_LOCATORS; i++) {
		const struct locator *l = &h->locator[i];
		uint64_t space = max_u64(l->length, locator_space(l));

		if (l->code && ranges_overlap(at, length, l->offset, space))
			return l->offset + space;
	}
	for (unsigned i = 0; i < room->n; i++)
		if (ranges_overlap(at, length, room->taken[i].offset,
				   room->taken[i].length))
			return room->taken[i].offset + room->taken[i].length;
	return 0;
}

static uint64_t
search(const struct room *room, const struct image *img, uint64_t length)
{
	uint64_t at = FOOTER_SIZE, end = first_block(img);

	for (;;) {
		uint64_t until;

		if (end == NO_OFFSET || !range_ok(at, length, end))
			return NO_OFFSET;
		until = blocked_until(room, img, at, length);
		if (!until)
			return at;
		at = round_up(until, length % 4096 ? SECTOR_SIZE : 4096);
	}
}

/* Until a header names it nothing else tells that room is taken, and part of
 * it may be a region that is free for a block: blocks stay behind it.  [lock]
 */
static int
take(uint64_t *ret, struct room *room, struct image *img, uint64_t length)
{
	uint64_t at = search(room, img, length);
	int err = 0;

	if (at == NO_OFFSET && img->io->block_device)
		return fail(VHD_E_NOSPACE,
			    "%s: no room for %llu bytes of metadata on this "
			    "device",
			    img->io->name, (unsigned long long)length);
	if (at == NO_OFFSET) {
		at = round_up(max_u64(img->file_size, img->space.floor), 4096);
		err = space_reach(img, at + length);
	}
	if (!err) {
		img->space.floor = max_u64(img->space.floor, at + length);
		*ret = at;
	}
	return err;
}

int
room_take(uint64_t *ret, struct room *room, struct image *img, uint64_t length)
{
	uint64_t at = 0;
	int err;

	if (room->n == ROOM_MOST)
		return fail(VHD_E_TOOBIG, "%s: no room for more metadata",
			    img->io->name);
	pthread_mutex_lock(&img->lock);
	err = take(&at, room, img, length);
	pthread_mutex_unlock(&img->lock);
	if (err)
		return err;
	room->taken[room->n].offset = at;
	room->taken[room->n].length = length;
	room->n++;
	*ret = at;
	return 0;
}
