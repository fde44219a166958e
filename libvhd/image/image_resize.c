/* SPDX-License-Identifier: BSD-3-Clause */
/* image_resize.c - change what the guest sees (format 17).
 *
 * Growing: what the new range must not show is zeroed, the table gets longer
 * (whatever is in its way moves), and only then the footers say the new size.
 * Shrinking: the footers first, then what lies past the new end goes. */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "image/mutant.h"
#include "image/room.h"

static int
sync_now(struct image *img)
{
	int err = img->io->ops->flush(img->io);

	if (err)
		img->failed = true;
	return err;
}

static int
store_size(struct image *img, uint64_t size)
{
	int err;

	pthread_mutex_lock(&img->flush_lock);
	pthread_mutex_lock(&img->lock);
	footer_set_size(&img->footer, size);
	pthread_mutex_unlock(&img->lock);
	err = image_write_footers(img);
	pthread_mutex_unlock(&img->flush_lock);
	return err;
}

/* The new footer is where the disk ends or, in front of the old one, will end
 * once the file has been cut. */
static int
end_fixed(struct image *img, uint64_t size)
{
	bool cut = size < img->footer_offset;
	int err;

	img->footer_offset = size;
	err = store_size(img, size);
	if (!err && cut)
		err = img->io->ops->truncate(img->io, size + FOOTER_SIZE);
	if (!err && cut)
		err = sync_now(img);
	return err;
}

/* A fixed disk has one footer.  A second one, which says the old size, is put
 * where the new end will be, so that the first can be zeroed before the guest
 * sees its place.  This relies on the file system to make the new length
 * durable after the data behind it, as ext4, xfs and btrfs do; otherwise a
 * footer left behind is found by the repair. */
static int
open_room(struct image *img, uint64_t size)
{
	uint64_t end = img->footer_offset;
	int err = 0;

	if (mutant(ROOM_NOT_OPENED))
		return 0;
	if (size > end) {
		img->footer_offset = size;
		img->file_size = size + FOOTER_SIZE;
		err = image_write_footers(img);
	}
	if (!err)
		err = io_write_zeros(img->io, img->size,
				     min_u64(size, end + FOOTER_SIZE) -
					     img->size);
	return err ? err : sync_now(img);
}

static int
resize_fixed(struct image *img, uint64_t size)
{
	int err = size > img->size ? open_room(img, size) : 0;

	if (!err)
		err = end_fixed(img, size);
	if (!err) {
		img->file_size = size + FOOTER_SIZE;
		img->size = size;
	}
	return err;
}

static int
resize_raw(struct image *img, uint64_t size)
{
	int err = img->io->ops->truncate(img->io, size);

	if (!err)
		err = sync_now(img);
	if (!err) {
		img->size = size;
		img->file_size = size;
	}
	return err;
}

static void
keep_out(const struct image_guard *guard, const struct image *img,
	 uint32_t block)
{
	if (guard)
		guard->close(guard->user, (uint64_t)block << img->block_shift,
			     img->block_size);
}

static void
let_in(const struct image_guard *guard, const struct image *img, uint32_t block)
{
	if (guard)
		guard->open(guard->user, (uint64_t)block << img->block_shift,
			    img->block_size);
}

static int
zero_behind(struct image *img, uint64_t offset)
{
	uint64_t at, run;
	int err;

	if (!image_has_block(img, image_block_of(img, offset)))
		return 0;
	err = image_locate(&at, &run, img, offset);
	return err ? err
		   : io_write_zeros(img->io, at,
				    min_u64(run, img->file_size - at));
}

/* What lies behind the present end in the last block was never the guest's:
 * zero it before it becomes visible. */
static int
zero_tail(struct image *img, const struct image_guard *guard)
{
	uint32_t last = image_block_of(img, img->size);
	int err;

	if (!(img->size & (img->block_size - 1)))
		return 0;
	keep_out(guard, img, last);
	err = zero_behind(img, img->size);
	let_in(guard, img, last);
	return err ? err : sync_now(img);
}

/* Have the file reach to `end`, with an end footer behind it. */
static int
reach(struct image *img, uint64_t end)
{
	bool longer;
	int err = 0;

	pthread_mutex_lock(&img->lock);
	longer = end > img->footer_offset;
	if (longer)
		err = space_reach(img, end);
	pthread_mutex_unlock(&img->lock);
	return longer && !err ? sync_now(img) : err;
}

static bool
is_in_the_way(const struct image *img, uint32_t block, uint64_t table_end)
{
	uint64_t at = (uint64_t)atomic_load(&img->bat[block]) << SECTOR_SHIFT;

	return image_has_block(img, block) && at < table_end &&
	       at >= img->table_at;
}

static int
move_away(struct image *img, uint32_t block, uint64_t table_end,
	  const struct image_guard *guard)
{
	bool moved;
	int err = 0;

	keep_out(guard, img, block);
	if (is_in_the_way(img, block, table_end))
		err = image_move_block(&moved, img, block, UINT64_MAX);
	let_in(guard, img, block);
	return err;
}

/* Blocks in the way of the longer table move behind it. */
static int
move_blocks(struct image *img, uint64_t table_end,
	    const struct image_guard *guard)
{
	int err = 0;

	pthread_mutex_lock(&img->lock);
	img->space.floor = max_u64(img->space.floor, table_end);
	pthread_mutex_unlock(&img->lock);
	for (uint32_t b = 0; b < img->blocks && !err; b++)
		if (is_in_the_way(img, b, table_end))
			err = move_away(img, b, table_end, guard);
	return err || mutant(TABLE_TOO_SOON) ? err : image_flush(img);
}

static int
move_locator(struct locator *l, struct image *img, struct room *room)
{
	uint64_t bytes = max_u64(l->length, locator_space(l));
	uint64_t to;
	int err;

	if (bytes > MAX_LOCATOR_BYTES ||
	    !range_ok(l->offset, bytes, img->file_size))
		return fail(VHD_E_CORRUPT,
			    "%s: a locator of %llu bytes is in the way of a "
			    "longer table; try: vhdtool convert",
			    img->io->name, (unsigned long long)bytes);
	err = room_take(&to, room, img, round_up(bytes, SECTOR_SIZE));
	if (!err)
		err = io_copy(img->io, to, img->io, l->offset, bytes);
	if (!err)
		l->offset = to;
	return err;
}

static struct room
room_beside(const struct image *img, uint64_t table_end)
{
	struct room room = {.n = 1};

	room.taken[0].offset = img->table_at;
	room.taken[0].length = table_end - img->table_at;
	return room;
}

/* The header itself stands behind the table where others put it there, or a
 * change of it was cut short. */
static int
move_header(struct image *img, uint64_t table_end)
{
	struct room room = room_beside(img, table_end);

	if (img->header_at < img->table_at || img->header_at >= table_end)
		return 0;
	return image_move_header(img, &room);
}

/* Locators in the way move, by the switch of the whole header. */
static int
move_locators(struct dynhdr *hdr, struct room *room, struct image *img,
	      uint64_t table_end)
{
	int err = 0;

	*room = room_beside(img, table_end);
	for (int i = 0; i < MAX_LOCATORS && !err; i++) {
		struct locator *l = &hdr->locator[i];

		if (l->code && l->offset >= hdr->table_offset &&
		    l->offset < table_end)
			err = move_locator(l, img, room);
	}
	return err;
}

/* Entries from the present last one to the end of the table say "none". */
static int
write_unused(struct image *img, uint64_t table_end)
{
	uint64_t at = img->hdr.table_offset + (uint64_t)img->blocks * 4;
	uint8_t ones[4096];

	memset(ones, 0xff, sizeof(ones));
	while (at < table_end) {
		size_t n = (size_t)min_u64(sizeof(ones), table_end - at);
		int err = img->io->ops->pwrite(img->io, ones, n, at);

		if (err)
			return err;
		at += n;
	}
	return sync_now(img);
}

/* XenServer's map stands at a place that follows from the length of the
 * table; a longer one ends that, so the image becomes an ordinary one, on disk
 * as well before a flush leaves bits of the map as they are.  [flush_lock] */
static int
take_over(struct image *img)
{
	struct footer fresh;

	if (!img->batmap_header)
		return 0;
	footer_init(&fresh, VHD_TYPE_DYNAMIC, SECTOR_SIZE, img->footer.uuid,
		    VHD_EPOCH, "win ");
	pthread_mutex_lock(&img->lock);
	memcpy(img->footer.creator_app, fresh.creator_app, 4);
	img->footer.creator_version = fresh.creator_version;
	memset(img->footer.reserved, 0, 1);
	img->batmap_header = 0;
	img->batmap_offset = 0;
	pthread_mutex_unlock(&img->lock);
	return image_write_footers(img);
}

/* [exclusive, lock] */
static int
grow_arrays(struct image *img, uint32_t need)
{
	_Atomic uint32_t *bat = malloc(((size_t)need + 1) * sizeof(*bat));
	uint8_t *flags = calloc((size_t)need + 1, 1);

	if (!bat || !flags || bitmaps_grow(&img->bitmaps, need) != 0) {
		free(bat);
		free(flags);
		return fail_nomem();
	}
	for (uint32_t b = 0; b < need; b++)
		atomic_init(&bat[b], b < img->blocks ? atomic_load(&img->bat[b])
						     : BAT_UNUSED);
	memcpy(flags, img->block_flags, img->blocks);
	free(img->bat);
	free(img->block_flags);
	img->bat = bat;
	img->block_flags = flags;
	img->blocks = need;
	return 0;
}

static int
grow_memory(struct image *img, uint32_t need, const struct image_guard *guard)
{
	int err;

	if (guard)
		guard->close(guard->user, 0, UINT64_MAX);
	pthread_mutex_lock(&img->lock);
	err = grow_arrays(img, need);
	pthread_mutex_unlock(&img->lock);
	if (guard)
		guard->open(guard->user, 0, UINT64_MAX);
	return err;
}

/* Nothing that is in use lies where the longer table will be. [flush_lock] */
static int
make_way(struct image *img, uint64_t table_end)
{
	struct dynhdr hdr = img->hdr;
	struct room room;
	int err = take_over(img);

	if (!err)
		err = reach(img, table_end);
	if (!err)
		err = move_header(img, table_end);
	if (!err)
		err = move_locators(&hdr, &room, img, table_end);
	return err || room.n == 1 ? err : image_switch_header(img, &hdr, &room);
}

/* No flush may write entries meanwhile. [flush_lock] */
static int
lengthen_table(struct image *img, uint32_t need, uint64_t table_end)
{
	struct dynhdr hdr;
	int err = 0;

	if (need > img->hdr.max_entries)
		err = make_way(img, table_end);
	if (!err)
		err = write_unused(img, table_end);
	if (err || need <= img->hdr.max_entries)
		return err;
	hdr = img->hdr;
	hdr.max_entries = need;
	return image_rewrite_header(img, &hdr);
}

static int
grow_table(struct image *img, uint32_t need, const struct image_guard *guard)
{
	uint64_t table_end =
		img->table_at + round_up((uint64_t)need * 4, SECTOR_SIZE);
	int err = 0;

	if (need > img->hdr.max_entries)
		err = move_blocks(img, table_end, guard);
	if (err)
		return err;
	pthread_mutex_lock(&img->flush_lock);
	err = lengthen_table(img, need, table_end);
	pthread_mutex_unlock(&img->flush_lock);
	return err ? err : grow_memory(img, need, guard);
}

static int
drop_past(struct image *img, uint32_t need)
{
	struct dynhdr hdr = img->hdr;
	int err = 0;

	for (uint32_t b = need; b < img->blocks && !err; b++)
		err = image_drop_block(img, b);
	if (!err)
		err = image_flush(img);
	if (err)
		return err;
	img->blocks = need;
	if (!img->batmap_header) /* its place follows from the length */
		hdr.max_entries = need;
	img->untidy = true;
	return image_rewrite_header(img, &hdr);
}

/* The blocks are there already, the size is not: what is stored now becomes
 * visible with the size, at once.  Guests use the first of them. */
static int
hide_parent(struct image *img, uint64_t until, const struct image_guard *guard)
{
	uint64_t from = img->size;
	uint64_t end = min_u64(until, round_up(from, img->block_size));
	uint32_t block = image_block_of(img, from);
	int err;

	if (img->type != VHD_TYPE_DIFFERENCING || until <= from)
		return 0;
	keep_out(guard, img, block);
	err = image_write_zeros(img, from, end - from);
	let_in(guard, img, block);
	if (!err)
		err = image_write_zeros(img, end, until - end);
	return err ? err : image_flush(img);
}

static int
resize_sparse(struct image *img, uint64_t size, uint64_t hide_until,
	      const struct image_guard *guard)
{
	uint64_t need = ceil_div(size, img->block_size), was = img->size;
	int err = 0;

	if (size > MAX_DISK_SIZE)
		return fail(VHD_E_TOOBIG,
			    "%s: %llu bytes asked for, at most %llu (2040 "
			    "GiB) are possible",
			    img->io->name, (unsigned long long)size,
			    (unsigned long long)MAX_DISK_SIZE);
	if (size > was)
		err = reach(img, image_end_of_data(img));
	if (!err && size > was)
		err = zero_tail(img, guard);
	if (!err && need > img->blocks)
		err = grow_table(img, (uint32_t)need, guard);
	if (!err)
		err = hide_parent(img, min_u64(size, hide_until), guard);
	if (!err)
		err = store_size(img, size);
	if (err)
		return err;
	img->size = size;
	return size < was ? drop_past(img, (uint32_t)need) : 0;
}

int
image_resize(struct image *img, uint64_t size, uint64_t hide_until,
	     const struct image_guard *guard)
{
	int err = image_flush(img);

	if (err || size == img->size)
		return err;
	if (img->type == VHD_TYPE_RAW)
		return resize_raw(img, size);
	if (img->type == VHD_TYPE_FIXED)
		return resize_fixed(img, size);
	return resize_sparse(img, size, hide_until, guard);
}
