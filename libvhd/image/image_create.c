/* SPDX-License-Identifier: BSD-3-Clause */
/* image_create.c - lay out a new image (format 24).
 *
 *	dynamic		0x0000 copy of the footer
 *			0x0200 header
 *			0x0600 table, up to a 4 KiB boundary
 *	differencing	0x0000 copy, 0x0200 header, 0x0600 room for another
 *			0x1000 six places for locators, three in use
 *			0x7000 table
 * Then blocks, then the footer in the last sector of a 4 KiB page.  The spare
 * room makes changing the link to the parent an atomic switch that does not
 * grow the file. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "image/image.h"
#include "image/mutant.h"

#define PAGE               4096u
#define TABLE_DYNAMIC      0x600u
#define LOCATORS           0x1000u
#define TABLE_DIFFERENCING 0x7000u
#define BLOCK_SIZE_DEFAULT (2u << 20)

static uint64_t
table_place(enum vhd_type type)
{
	return type == VHD_TYPE_DIFFERENCING ? TABLE_DIFFERENCING
					     : TABLE_DYNAMIC;
}

static uint64_t
table_end(enum vhd_type type, uint64_t size, uint32_t block_size)
{
	return round_up(table_place(type) + ceil_div(size, block_size) * 4,
			PAGE);
}

uint64_t
image_length_for(enum vhd_type type, uint64_t size, uint32_t block_size,
		 uint64_t allocated)
{
	uint64_t stride;

	if (type == VHD_TYPE_RAW)
		return size;
	if (type == VHD_TYPE_FIXED)
		return size + FOOTER_SIZE;
	stride = round_up(
		round_up(ceil_div(block_size / SECTOR_SIZE, 8), SECTOR_SIZE) +
			block_size,
		PAGE);
	return table_end(type, size, block_size) + allocated * stride + PAGE;
}

static int
check_request(const char *name, const struct image_create *how,
	      uint32_t block_size)
{
	if (!how->size || how->size % SECTOR_SIZE)
		return fail(VHD_E_INVALID,
			    "%s: a size of %llu bytes; it must be a multiple "
			    "of 512 and not 0",
			    name, (unsigned long long)how->size);
	if (how->size >
	    (how->type == VHD_TYPE_FIXED ? INT64_MAX / 2 : MAX_DISK_SIZE))
		return fail(VHD_E_TOOBIG,
			    "%s: a size of %llu bytes; the format allows at "
			    "most %llu (2040 GiB)",
			    name, (unsigned long long)how->size,
			    (unsigned long long)MAX_DISK_SIZE);
	if (how->type != VHD_TYPE_FIXED &&
	    (!is_pow2(block_size) || block_size < PAGE ||
	     block_size > MAX_BLOCK_SIZE))
		return fail(VHD_E_INVALID,
			    "%s: a block size of %u bytes; it must be a power "
			    "of two from 4096 to %u, and is best 2M or 512K",
			    name, block_size, MAX_BLOCK_SIZE);
	return 0;
}

static void
make_footer(struct footer *ret, const struct image_create *how)
{
	uint8_t uuid[16];

	if (how->uuid)
		memcpy(uuid, how->uuid, sizeof(uuid));
	else
		uuid_make(uuid);
	footer_init(ret, how->type, how->size, uuid, how->created,
		    how->creator ? how->creator : "win ");
	/* A child shows the geometry of its parent (format 13.6). */
	if (how->parent && how->parent->current_size == how->size)
		ret->geometry = how->parent->geometry;
}

int
image_create_footer(struct footer *ret, uint32_t *ret_block_size,
		    const char *name, const struct image_create *how)
{
	uint32_t block_size =
		how->block_size ? how->block_size : BLOCK_SIZE_DEFAULT;
	int err = check_request(name, how, block_size);

	if (err)
		return err;
	make_footer(ret, how);
	*ret_block_size = block_size;
	return 0;
}

static int
add_locator(struct dynhdr *hdr, unsigned index, struct io *io, uint32_t code,
	    const char *path)
{
	uint64_t at = LOCATORS + index * PAGE;
	uint8_t data[PAGE] = {0};
	size_t length;

	if (!locator_encode(data, sizeof(data), &length, code, path))
		return image_fail_parent_path(io->name, path);
	hdr->locator[index] = (struct locator){.code = code,
					       .space = PAGE,
					       .length = (uint32_t)length,
					       .offset = at};
	return io->ops->pwrite(io, data, sizeof(data), at);
}

static int
add_parent(struct dynhdr *hdr, struct io *io, const struct image_create *how)
{
	const char *abs = how->parent_absolute ? how->parent_absolute
					       : how->parent_relative;
	int err;

	memcpy(hdr->parent_uuid, how->parent->uuid, sizeof(hdr->parent_uuid));
	if (how->parent_time)
		hdr->parent_time = (uint32_t)(how->parent_time - VHD_EPOCH);
	dynhdr_set_parent_name(hdr, path_name(how->parent_relative));
	err = add_locator(hdr, 0, io, PLATFORM_MACX, how->parent_relative);
	if (!err)
		err = add_locator(hdr, 1, io, PLATFORM_W2KU, abs);
	if (!err)
		err = add_locator(hdr, 2, io, PLATFORM_W2RU,
				  how->parent_relative);
	return err;
}

static int
write_table(struct io *io, uint64_t at, uint64_t end)
{
	AUTO_FREE uint8_t *ones = malloc(1 << 16);

	if (!ones)
		return fail_nomem();
	memset(ones, 0xff, 1 << 16);
	while (at < end) {
		size_t n = (size_t)min_u64(1 << 16, end - at);
		int err = io->ops->pwrite(io, ones, n, at);

		if (err)
			return err;
		at += n;
	}
	return 0;
}

static int
write_sparse(struct io *io, const struct footer *f, struct dynhdr *hdr)
{
	uint64_t end = table_end((enum vhd_type)f->type, f->current_size,
				 hdr->block_size);
	struct disk_footer footer;
	struct disk_dynhdr disk;
	int err;

	footer_encode(&footer, f);
	dynhdr_encode(&disk, hdr);
	err = io->ops->pwrite(io, &footer, FOOTER_SIZE,
			      end + PAGE - FOOTER_SIZE);
	if (!err)
		err = write_table(io, hdr->table_offset, end);
	if (!err)
		err = io->ops->pwrite(io, &disk, sizeof(disk), FOOTER_SIZE);
	if (!err)
		err = io->ops->pwrite(io, &footer, FOOTER_SIZE, 0);
	return err;
}

static int
finish(struct io *io)
{
	return mutant(FILE_NOT_FLUSHED) ? 0 : io->ops->flush(io);
}

int
image_format(struct io *io, const struct image_create *how)
{
	struct disk_footer disk;
	struct footer footer;
	struct dynhdr hdr;
	uint32_t block_size;
	int err = image_create_footer(&footer, &block_size, io->name, how);

	if (err)
		return err;
	if (how->type == VHD_TYPE_FIXED) {
		footer_encode(&disk, &footer);
		err = io->ops->pwrite(io, &disk, FOOTER_SIZE, how->size);
		return err ? err : finish(io);
	}
	footer.data_offset = FOOTER_SIZE;
	dynhdr_init(&hdr, table_place(how->type),
		    (uint32_t)ceil_div(how->size, block_size), block_size);
	if (how->type == VHD_TYPE_DIFFERENCING)
		err = add_parent(&hdr, io, how);
	if (!err)
		err = write_sparse(io, &footer, &hdr);
	return err ? err : finish(io);
}
