/* SPDX-License-Identifier: BSD-3-Clause */
/* room.c - find free room for metadata. */
#include "image/room.h"
#include "image/image.h"

/* Where the first block starts: beyond it is not ours to search. */
static uint64_t
first_block(const struct image *img)
{
	uint64_t first = img->footer_offset;

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

	if (ranges_overlap(at, length, img->footer.data_offset, DYNHDR_SIZE))
		return img->footer.data_offset + DYNHDR_SIZE;
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

int
room_take(uint64_t *ret, struct room *room, struct image *img, uint64_t length)
{
	uint64_t at = search(room, img, length);

	if (room->n == ROOM_MOST)
		return fail(VHD_E_TOOBIG, "%s: no room for more metadata",
			    img->io->name);
	if (at == NO_OFFSET && img->io->block_device)
		return fail(VHD_E_NOSPACE,
			    "%s: no room for %llu bytes of metadata on this "
			    "device",
			    img->io->name, (unsigned long long)length);
	if (at == NO_OFFSET) {
		at = round_up(img->file_size, 4096);
		for (unsigned i = 0; i < room->n; i++)
			at = max_u64(at, round_up(room->taken[i].offset +
							  room->taken[i].length,
						  4096));
	}
	room->taken[room->n].offset = at;
	room->taken[room->n].length = length;
	room->n++;
	*ret = at;
	return 0;
}

int
room_seal(struct room *room, struct image *img)
{
	struct disk_footer footer;
	uint64_t end = 0;
	int err;

	for (unsigned i = 0; i < room->n; i++)
		end = max_u64(end,
			      room->taken[i].offset + room->taken[i].length);
	if (end > img->footer_offset) {
		end = round_up(end + FOOTER_SIZE, 4096);
		footer_encode(&footer, &img->footer);
		err = img->io->ops->pwrite(img->io, &footer, FOOTER_SIZE,
					   end - FOOTER_SIZE);
		if (err)
			return err;
		img->file_size = end;
		img->footer_offset = end - FOOTER_SIZE;
		img->untidy = true;
	}
	err = img->io->ops->flush(img->io);
	if (err)
		img->failed = true;
	return err;
}
