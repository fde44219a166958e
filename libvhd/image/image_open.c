/* SPDX-License-Identifier: BSD-3-Clause */
/* image_open.c - from a file to a struct image, and back.
 *
 * Metadata is read once, and the copy in memory is what is judged and used:
 * a file that changes under us cannot change our mind.  What opening may
 * allocate is bounded by the size of the file and by the disk it describes
 * (9 bytes a block at most). */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "image/batmap.h"
#include "image/find.h"
#include "image/image.h"

static void
pending_free(struct pending *p)
{
	free(p->bat);
	free(p->bitmaps);
	free(p->freed);
	free(p->copies);
	free(p->bits);
}

static void
image_free(struct image *img)
{
	if (!img)
		return;
	bitmaps_free(&img->bitmaps);
	space_free(&img->space);
	pending_free(&img->pending);
	pending_free(&img->publishing);
	free(img->loose);
	pthread_mutex_destroy(&img->flush_lock);
	pthread_mutex_destroy(&img->footer_lock);
	pthread_mutex_destroy(&img->punch_lock);
	pthread_mutex_destroy(&img->lock);
	free(img->bat);
	free(img->block_flags);
	free(img);
}

DEFINE_CLEANUP(struct image, image_free);

static struct image *
image_new(void)
{
	struct image *img = calloc(1, sizeof(*img));

	if (!img)
		return NULL;
	pthread_mutex_init(&img->flush_lock, NULL);
	pthread_mutex_init(&img->footer_lock, NULL);
	pthread_mutex_init(&img->punch_lock, NULL);
	pthread_mutex_init(&img->lock, NULL);
	return img;
}

static int
open_raw(struct image *img, struct io *io)
{
	uint64_t size;
	int err = io->ops->size(&size, io);

	if (err)
		return err;
	img->type = VHD_TYPE_RAW;
	img->size = size;
	img->file_size = size;
	return 0;
}

static int
set_shape(struct image *img, bool damaged)
{
	const struct dynhdr *h = &img->hdr;
	uint32_t sectors = h->block_size >> SECTOR_SHIFT;
	uint64_t need = ceil_div(img->size, h->block_size);

	img->block_size = h->block_size;
	img->block_shift = (uint32_t)__builtin_ctz(h->block_size);
	img->bitmap_bytes =
		(uint32_t)round_up(ceil_div(sectors, 8), SECTOR_SIZE);
	if (need > h->max_entries) {
		if (!damaged)
			return fail(VHD_E_CORRUPT,
				    "%s: the table has %u entries, a disk of "
				    "%llu bytes needs %llu; try: vhdtool check",
				    img->io->name, h->max_entries,
				    (unsigned long long)img->size,
				    (unsigned long long)need);
		img->defects |= DEFECT_BAT_SHORT;
		need = h->max_entries;
		img->size = need << img->block_shift;
	}
	img->blocks = (uint32_t)need;
	return 0;
}

/* The table, as many entries as the disk needs, decoded in place. */
static int
read_bat(struct image *img, bool damaged)
{
	uint64_t bytes = (uint64_t)img->blocks * 4;
	/* All of the table counts, or new blocks would land in it (V45). */
	uint64_t stored = damaged ? bytes : (uint64_t)img->hdr.max_entries * 4;
	uint32_t *bat;
	int err;

	if (!range_ok(img->hdr.table_offset, stored, img->file_size))
		return fail(VHD_E_CORRUPT,
			    "%s: the table at byte %llu needs %llu bytes, but "
			    "the file ends at %llu",
			    img->io->name,
			    (unsigned long long)img->hdr.table_offset,
			    (unsigned long long)stored,
			    (unsigned long long)img->file_size);
	bat = malloc(bytes + 1);
	img->bat = (_Atomic uint32_t *)bat;
	img->block_flags = calloc((size_t)img->blocks + 1, 1);
	if (!bat || !img->block_flags)
		return fail_nomem();
	err = img->io->ops->pread(img->io, bat, bytes, img->hdr.table_offset);
	if (err)
		return err;
	load_be32_table(bat, (const uint8_t *)bat, img->blocks);
	for (uint32_t b = 0; b < img->blocks; b++)
		img->allocated += bat[b] != BAT_UNUSED;
	return bitmaps_init(&img->bitmaps, img->blocks, img->bitmap_bytes,
			    img->block_size >> SECTOR_SHIFT,
			    img->io->writable ? BITMAP_CACHE_WRITE
					      : BITMAP_CACHE_READ);
}

/* XenServer's map of full blocks stands behind the table (format 15.2).  One
 * that would be past the end is kept in mind too: what is written to the file
 * must not become the map. */
static int
find_batmap(struct image *img)
{
	uint64_t at = img->hdr.table_offset +
		      round_up((uint64_t)img->hdr.max_entries * 4, SECTOR_SIZE);
	struct disk_batmap disk;
	int err;

	if (!batmap_is_possible(&img->footer) ||
	    !range_ok(at, sizeof(disk), img->file_size))
		return 0;
	err = img->io->ops->pread(img->io, &disk, sizeof(disk), at);
	if (err || memcmp(disk.cookie, "tdbatmap", sizeof(disk.cookie)) != 0)
		return err;
	if (!batmap_is_sane(&disk, img->blocks, img->hdr.max_entries))
		return 0;
	img->batmap_header = at;
	img->batmap_offset = load_be64(disk.offset);
	img->batmap_bytes = (uint64_t)load_be32(disk.sectors) << SECTOR_SHIFT;
	return 0;
}

static uint64_t
guest_size(const struct footer *f, unsigned flags)
{
	uint64_t chs = geometry_bytes(f->geometry);

	if ((flags & IMAGE_SIZE_CHS) && chs && chs < f->current_size)
		return chs;
	return f->current_size;
}

static int
open_vhd(struct image *img, struct io *io, unsigned flags)
{
	struct found found;
	int err = find_footer(&found, io, flags);

	if (err)
		return err;
	img->footer = found.footer;
	img->hdr = found.hdr;
	img->defects = found.defects;
	img->type = (enum vhd_type)found.footer.type;
	img->file_size = found.file_size;
	img->size = guest_size(&img->footer, flags);
	img->footer_offset = found.footer_offset;
	img->header_at = found.footer.data_offset;
	img->table_at = found.hdr.table_offset;
	if (!image_is_sparse(img)) {
		/* Only a damaged one says more than it has (V21). */
		img->size = min_u64(
			img->size, round_down(img->footer_offset, SECTOR_SIZE));
		return 0;
	}
	err = set_shape(img, flags & IMAGE_DAMAGED);
	if (!err)
		err = read_bat(img, flags & IMAGE_DAMAGED);
	if (!err)
		err = find_batmap(img);
	return err;
}

/* Only what a crash of our own leaves behind is put right on the way; other
 * damage is for the repair, which reports what it does. */
static int
recover(struct image *img)
{
	const unsigned ours =
		DEFECT_END_MISSING | DEFECT_HALF_UPDATE | DEFECT_SHORT_FOOTER;
	uint64_t end;
	int err = 0;

	if (img->defects & ~ours)
		return fail(VHD_E_CORRUPT,
			    "%s: the copies of the footer disagree or data "
			    "follows the last one, so it is not written to; "
			    "try: vhdtool check --repair",
			    img->io->name);
	if (img->defects & DEFECT_HALF_UPDATE) {
		err = image_write_footers(img);
	} else if (img->defects & DEFECT_END_MISSING) {
		img->untidy = true;
		err = image_tidy(img);
	}
	if (err)
		return err;
	end = image_is_sparse(img) ? image_end_of_data(img) : 0;
	if (end > img->footer_offset)
		img->space.floor = end; /* a short last block, format 11.1 */
	return 0;
}

static int
prepare_writing(struct image *img)
{
	int err;

	if (image_is_sparse(img) && footer_creator_is(&img->footer, "tap") &&
	    img->footer.creator_version == 1)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: made by XenServer's first version, whose "
			    "bitmaps run backwards; try: vhdtool convert",
			    img->io->name);
	if (img->size % SECTOR_SIZE)
		return fail(VHD_E_CORRUPT,
			    "%s: a size of %llu bytes, which is not a multiple "
			    "of 512; it can be read: try: vhdtool convert",
			    img->io->name, (unsigned long long)img->size);
	if (image_is_sparse(img)) {
		if (img->hdr.table_offset % SECTOR_SIZE)
			return fail(VHD_E_CORRUPT,
				    "%s: the table starts at byte %llu, not "
				    "at a multiple of 512",
				    img->io->name,
				    (unsigned long long)img->hdr.table_offset);
		err = image_check_overlap(img);
		if (err)
			return err;
	} else if (img->type == VHD_TYPE_FIXED &&
		   img->size > img->footer_offset) {
		return fail(VHD_E_CORRUPT,
			    "%s: says %llu bytes but has %llu before its "
			    "footer",
			    img->io->name, (unsigned long long)img->size,
			    (unsigned long long)img->footer_offset);
	}
	return recover(img);
}

int
image_open(struct image **ret, struct io *io, unsigned flags)
{
	AUTO(image_free) struct image *img = image_new();
	int err;

	if (!img) {
		(void)io_close(io);
		return fail_nomem();
	}
	img->io = io;
	img->ignore_bitmap = flags & IMAGE_IGNORE_BITMAP;
	err = flags & IMAGE_RAW ? open_raw(img, io) : open_vhd(img, io, flags);
	if (!err && (flags & IMAGE_WRITE)) {
		img->writable = true;
		if (!(flags & IMAGE_RAW))
			err = prepare_writing(img);
	}
	if (err) {
		struct error kept;

		error_save(&kept);
		(void)io_close(io);
		return error_restore(&kept);
	}
	*ret = TAKE(img);
	return 0;
}

int
image_close(struct image *img)
{
	struct error kept = {0};
	int err = 0;

	if (!img)
		return 0;
	if (img->writable && !img->failed) {
		err = image_tidy(img);
		if (err)
			error_save(&kept);
	}
	if (io_close(img->io) && !err)
		err = fail_more(VHD_E_IO, "closing");
	else if (err)
		(void)error_restore(&kept);
	image_free(img);
	return err;
}

uint64_t
image_end_of_metadata(const struct image *img)
{
	const struct dynhdr *h = &img->hdr;
	uint64_t end;

	if (!image_is_sparse(img))
		return img->size;
	end = max_u64(img->footer.data_offset + DYNHDR_SIZE,
		      h->table_offset + round_up((uint64_t)h->max_entries * 4,
						 SECTOR_SIZE));
	if (img->batmap_offset) {
		end = max_u64(end, img->batmap_header + SECTOR_SIZE);
		end = max_u64(end, img->batmap_offset + img->batmap_bytes);
	}
	for (int i = 0; i < MAX_LOCATORS; i++) {
		const struct locator *l = &h->locator[i];
		uint64_t bytes = max_u64(l->length, locator_space(l));

		/* More room than the file has was never there. */
		if (!range_ok(l->offset, bytes, img->file_size))
			bytes = l->length;
		if (l->code && range_ok(l->offset, bytes, img->file_size))
			end = max_u64(end, l->offset + bytes);
	}
	return end;
}

uint64_t
image_end_of_data(const struct image *img)
{
	uint64_t end = image_end_of_metadata(img);
	uint32_t last = 0;

	if (!image_is_sparse(img))
		return end;
	for (uint32_t b = 0; b < img->blocks; b++) {
		uint32_t value = atomic_load(&img->bat[b]);

		if (value != BAT_UNUSED && value > last)
			last = value;
	}
	if (last)
		end = max_u64(end, ((uint64_t)last << SECTOR_SHIFT) +
					   image_region_bytes(img));
	return end;
}

int
image_locator(char *ret, size_t ret_size, struct image *img, unsigned index,
	      bool as_path)
{
	const struct locator *l = &img->hdr.locator[index];
	AUTO_FREE uint8_t *data = NULL;
	int err;

	ret[0] = '\0';
	if (!image_is_sparse(img) || l->code == PLATFORM_NONE ||
	    l->length > MAX_LOCATOR_BYTES ||
	    !range_ok(l->offset, l->length, img->file_size))
		return 0;
	data = malloc((size_t)l->length + 1);
	if (!data)
		return fail_nomem();
	err = img->io->ops->pread(img->io, data, l->length, l->offset);
	if (err)
		return err;
	if (!(as_path ? locator_decode : locator_text)(ret, ret_size, l->code,
						       data, l->length))
		ret[0] = '\0';
	return 0;
}
