/* SPDX-License-Identifier: BSD-3-Clause */
/* image_header.c - change the header and the footers of an image, each change
 * one atomic step.
 *
 * A footer is one sector, and there are two of them: the end one is written
 * and made durable, then the copy at 0; either alone is enough to open the
 * file (D1).  A footer that leads to another header is durable before it can be
 * seen (D9).  The first sector of the header is rewritten in place.  A change
 * that reaches its second sector (locators) is written as a whole new header
 * in free room; the footers are pointed at it, the usual place is rewritten,
 * and the footers are pointed back.  At every instant both footers lead to a
 * valid header. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/path.h"
#include "base/utf.h"
#include "image/image.h"
#include "image/mutant.h"
#include "image/room.h"

static int
sync_after(struct image *img, int err)
{
	if (!err && !mutant(HEADER_EARLY))
		err = img->io->ops->flush(img->io);
	if (err)
		img->failed = true;
	return err;
}

static int
write_durably(struct image *img, const void *buf, size_t len, uint64_t at)
{
	return sync_after(img, img->io->ops->pwrite(img->io, buf, len, at));
}

/* Whoever makes the file longer meanwhile writes the same footer behind it. */
static int
write_end_footer(struct image *img)
{
	struct disk_footer footer;
	int err = 0;

	pthread_mutex_lock(&img->lock);
	footer_encode(&footer, &img->footer);
	if (img->footer_offset != NO_OFFSET)
		err = img->io->ops->pwrite(img->io, &footer, FOOTER_SIZE,
					   img->footer_offset);
	pthread_mutex_unlock(&img->lock);
	return sync_after(img, err);
}

int
image_write_footers(struct image *img)
{
	struct disk_footer footer;
	int err = write_end_footer(img);

	footer_encode(&footer, &img->footer);
	if (!err && image_is_sparse(img))
		err = write_durably(img, &footer, FOOTER_SIZE, 0);
	return err;
}

static int
change_time(struct image *img, uint32_t time, uint8_t hidden)
{
	if (img->footer.timestamp == time && img->footer.reserved[0] == hidden)
		return 0;
	pthread_mutex_lock(&img->lock);
	img->footer.timestamp = time;
	img->footer.reserved[0] = hidden;
	pthread_mutex_unlock(&img->lock);
	return image_write_footers(img);
}

int
image_set_time(struct image *img, uint32_t time, uint8_t hidden)
{
	int err;

	pthread_mutex_lock(&img->flush_lock);
	err = change_time(img, time, hidden);
	pthread_mutex_unlock(&img->flush_lock);
	return err;
}

/* [footer_lock] */
static int
write_footers_durably(struct image *img, const struct disk_footer *footer)
{
	const struct io_ops *ops = img->io->ops;
	int err = 0;

	if (img->footer_offset != NO_OFFSET)
		err = ops->pwrite_durable(img->io, footer, FOOTER_SIZE,
					  img->footer_offset);
	if (!err)
		err = ops->pwrite_durable(img->io, footer, FOOTER_SIZE, 0);
	if (err)
		img->failed = true;
	return err;
}

/* On what an image stands is acted upon by others, who may remove or change
 * what it stood on before.  So nobody sees it before it is durable, which a
 * flush after the write would not do for whoever is killed in between (D9); and
 * guests who make the file longer write the new footer only after that. */
static int
point_footers(struct image *img, uint64_t header, enum vhd_type type)
{
	struct disk_footer footer;
	int err;

	pthread_mutex_lock(&img->lock);
	pthread_mutex_lock(&img->footer_lock);
	img->footer.data_offset = header;
	img->footer.type = type;
	footer_encode(&footer, &img->footer);
	pthread_mutex_unlock(&img->lock);
	err = mutant(LINK_SEEN_EARLY) ? 0 : write_footers_durably(img, &footer);
	pthread_mutex_unlock(&img->footer_lock);
	return mutant(LINK_SEEN_EARLY) ? image_write_footers(img) : err;
}

static void
keep_header(struct image *img, const struct dynhdr *hdr, enum vhd_type type)
{
	pthread_mutex_lock(&img->lock);
	img->hdr = *hdr;
	img->type = type;
	pthread_mutex_unlock(&img->lock);
}

static int
write_header_at(struct image *img, const struct disk_dynhdr *disk, uint64_t at)
{
	return write_durably(img, disk, sizeof(*disk), at);
}

/* The new header becomes the header, and type the type; room has what the
 * header refers to. */
static int
switch_header(struct image *img, const struct dynhdr *hdr, struct room *room,
	      enum vhd_type type)
{
	struct disk_dynhdr disk;
	uint64_t spare;
	int err = room_take(&spare, room, img, DYNHDR_SIZE);

	if (err)
		return err;
	dynhdr_encode(&disk, hdr);
	err = write_header_at(img, &disk, spare);
	if (!err && !mutant(HEADER_IN_PLACE))
		err = point_footers(img, spare, type);
	if (!err)
		err = write_header_at(img, &disk, img->header_at);
	if (!err)
		err = point_footers(img, img->header_at, type);
	if (!err)
		keep_header(img, hdr, type);
	return err;
}

int
image_switch_header(struct image *img, const struct dynhdr *hdr,
		    struct room *room)
{
	return switch_header(img, hdr, room, img->type);
}

int
image_move_header(struct image *img, struct room *room)
{
	struct disk_dynhdr disk;
	uint64_t to;
	int err = room_take(&to, room, img, DYNHDR_SIZE);

	if (err)
		return err;
	dynhdr_encode(&disk, &img->hdr);
	err = write_header_at(img, &disk, to);
	if (!err)
		err = point_footers(img, to, img->type);
	if (!err)
		img->header_at = to;
	return err;
}

int
image_rewrite_header(struct image *img, const struct dynhdr *hdr)
{
	struct disk_dynhdr disk;
	int err;

	dynhdr_encode(&disk, hdr);
	err = write_durably(img, &disk, SECTOR_SIZE, img->header_at);
	if (!err)
		keep_header(img, hdr, img->type);
	return err;
}

int
image_fail_parent_path(const char *name, const char *path)
{
	const char *why = "is longer than a locator holds";

	if (!utf8_valid(path))
		why = "is not UTF-8";
	else if (strchr(path, '\\'))
		why = "has a backslash, which in an image stands between "
		      "folders";
	return fail(VHD_E_INVALID,
		    "%.120s: the path of its parent, %.200s, %s; rename that "
		    "first",
		    name, path, why);
}

/* Write one locator's data into free room and describe it. */
static int
write_locator(struct locator *ret, struct image *img, struct room *room,
	      uint32_t code, const char *path)
{
	AUTO_FREE uint8_t *data = calloc(1, ROOM_LOCATOR);
	size_t length;
	uint64_t at;
	int err;

	if (!data)
		return fail_nomem();
	if (!locator_encode(data, ROOM_LOCATOR, &length, code, path))
		return image_fail_parent_path(img->io->name, path);
	err = room_take(&at, room, img, ROOM_LOCATOR);
	if (!err)
		err = img->io->ops->pwrite(img->io, data, ROOM_LOCATOR, at);
	if (err)
		return err;
	*ret = (struct locator){.code = code,
				.space = ROOM_LOCATOR,
				.length = (uint32_t)length,
				.offset = at};
	return 0;
}

static int
write_locators(struct dynhdr *hdr, struct image *img, struct room *room,
	       const struct image_link *link)
{
	const char *abs = link->absolute ? link->absolute : link->relative;
	int err;

	memset(hdr->locator, 0, sizeof(hdr->locator));
	err = write_locator(&hdr->locator[0], img, room, PLATFORM_MACX,
			    link->relative);
	if (!err)
		err = write_locator(&hdr->locator[1], img, room, PLATFORM_W2KU,
				    abs);
	if (!err)
		err = write_locator(&hdr->locator[2], img, room, PLATFORM_W2RU,
				    link->relative);
	return err;
}

static int
set_parent(struct image *img, const struct image_link *link)
{
	struct room room = {0};
	struct dynhdr hdr = img->hdr;
	int err = mutant(LINK_EARLY) ? 0 : image_publish_held(img);

	if (err)
		return err;
	memcpy(hdr.parent_uuid, link->uuid, sizeof(hdr.parent_uuid));
	hdr.parent_time = link->time;
	dynhdr_set_parent_name(&hdr, path_name(link->relative));
	err = write_locators(&hdr, img, &room, link);
	if (!err)
		err = switch_header(img, &hdr, &room, img->type);
	return err;
}

int
image_set_parent(struct image *img, const struct image_link *link)
{
	int err;

	pthread_mutex_lock(&img->flush_lock);
	err = set_parent(img, link);
	pthread_mutex_unlock(&img->flush_lock);
	image_punch(img);
	return err;
}

void
image_fill_new(struct image *img, bool yes)
{
	img->fills_new = yes;
}

static int
fill(struct image *img, uint32_t block, uint8_t *map)
{
	uint32_t n = img->block_size >> SECTOR_SHIFT;
	uint64_t first = (uint64_t)block * n, at, bytes;
	enum presence presence;
	int err = image_presence(&presence, map, img, first, n);

	if (!err)
		err = image_locate(&at, &bytes, img, first << SECTOR_SHIFT);
	if (!err && at + bytes > image_end_footer(img))
		n = (uint32_t)((image_end_footer(img) - at) >> SECTOR_SHIFT);

	for (uint32_t i = 0, run; i < n && !err; i += run) {
		run = bits_run(map, i, n - i);
		if (!bit_get(map, i))
			err = image_write_zeros(img,
						(first + i) << SECTOR_SHIFT,
						(uint64_t)run << SECTOR_SHIFT);
	}
	return err;
}

int
image_fill_block(struct image *img, uint32_t block)
{
	AUTO_FREE uint8_t *map = NULL;

	if (!image_has_block(img, block) || bitmaps_full(img, block))
		return 0;
	map = malloc(img->block_size / SECTOR_SIZE / 8 + 1);
	return map ? fill(img, block, map) : fail_nomem();
}

static int
make_root(struct image *img)
{
	struct room room = {0};
	struct dynhdr hdr = img->hdr;
	int err = mutant(LINK_EARLY) ? 0 : image_publish_held(img);

	if (err)
		return err;
	memset(hdr.parent_uuid, 0, sizeof(hdr.parent_uuid));
	memset(hdr.parent_name, 0, sizeof(hdr.parent_name));
	memset(hdr.locator, 0, sizeof(hdr.locator));
	hdr.parent_time = 0;
	return switch_header(img, &hdr, &room, VHD_TYPE_DYNAMIC);
}

int
image_make_root(struct image *img)
{
	int err;

	pthread_mutex_lock(&img->flush_lock);
	err = make_root(img);
	pthread_mutex_unlock(&img->flush_lock);
	image_punch(img);
	return err;
}
