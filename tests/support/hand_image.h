/* SPDX-License-Identifier: BSD-3-Clause */
/* hand_image.h - a small image written byte by byte, for tests that damage it.
 *
 * A disk of 2 MiB in blocks of 512 KiB, laid out as Windows would, of which
 * blocks 0 and 2 are stored and full.  Nothing of the library is used to make
 * it but the memory file system, so that it cannot confirm its own mistakes.
 *
 *	0      footer copy       0x1e00   block 0: bitmap, data at 0x2000
 *	0x200  header            0x82e00  block 2: bitmap, data at 0x83000
 *	0x600  table             0x103e00 end footer */
#ifndef VHD_TEST_HAND_IMAGE_H
#define VHD_TEST_HAND_IMAGE_H
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "format/layout.h"
#include "io/io_mem.h"

#define HAND_BLOCK   0x80000u
#define HAND_BLOCKS  4u
#define HAND_SIZE    0x200000u
#define HAND_HEADER  0x200u
#define HAND_TABLE   0x600u
#define HAND_BLOCK_0 0x1e00u
#define HAND_BLOCK_2 0x82e00u
#define HAND_END     0x103e00u
#define HAND_LENGTH  0x104000u

struct hand {
	uint64_t length;
	uint8_t *bytes; /* room for twice the length */
};

static inline struct disk_footer *
hand_footer(struct hand *h, uint64_t at)
{
	return (struct disk_footer *)(h->bytes + at);
}

static inline struct disk_dynhdr *
hand_header(struct hand *h)
{
	return (struct disk_dynhdr *)(h->bytes + HAND_HEADER);
}

static inline void
hand_seal(uint8_t *bytes, size_t length, size_t field)
{
	uint32_t sum = 0;

	memset(bytes + field, 0, 4);
	for (size_t i = 0; i < length; i++)
		sum += bytes[i];
	store_be32(bytes + field, ~sum);
}

/* Both footers and the header get their checksums. */
static inline void
hand_seal_all(struct hand *h)
{
	hand_seal(h->bytes, 512, 64);
	hand_seal(h->bytes + HAND_END, 512, 64);
	hand_seal(h->bytes + HAND_HEADER, 1024, 36);
}

/* The end footer becomes what the copy is. */
static inline void
hand_copy_footer(struct hand *h)
{
	memcpy(h->bytes + HAND_END, h->bytes, 512);
}

static inline void
hand_entry(struct hand *h, uint32_t block, uint32_t sector)
{
	store_be32(h->bytes + HAND_TABLE + 4 * block, sector);
}

static inline void
hand_fill_footer(struct disk_footer *f)
{
	memcpy(f->cookie, "conectix", 8);
	store_be32(f->features, 2);
	store_be32(f->version, 0x10000);
	store_be64(f->data_offset, HAND_HEADER);
	store_be32(f->timestamp, 500000000);
	memcpy(f->creator_app, "win ", 4);
	store_be32(f->creator_version, 0xa0000);
	memcpy(f->creator_os, "Wi2k", 4);
	store_be64(f->original_size, HAND_SIZE);
	store_be64(f->current_size, HAND_SIZE);
	memcpy(f->geometry, "\x00\x3c\x04\x11", 4);
	store_be32(f->disk_type, 3);
	memset(f->uuid, 'u', 16);
}

static inline void
hand_make(struct hand *h)
{
	struct disk_dynhdr *hdr;

	h->length = HAND_LENGTH;
	h->bytes = calloc(2, HAND_LENGTH);
	assert_non_null(h->bytes);
	hdr = hand_header(h);
	hand_fill_footer(hand_footer(h, 0));
	hand_copy_footer(h);
	memcpy(hdr->cookie, "cxsparse", 8);
	memset(hdr->data_offset, 0xff, 8);
	store_be64(hdr->bat_offset, HAND_TABLE);
	store_be32(hdr->version, 0x10000);
	store_be32(hdr->bat_entries, HAND_BLOCKS);
	store_be32(hdr->block_size, HAND_BLOCK);
	memset(h->bytes + HAND_TABLE, 0xff, 0x1000 - HAND_TABLE);
	hand_entry(h, 0, HAND_BLOCK_0 / 512);
	hand_entry(h, 2, HAND_BLOCK_2 / 512);
	memset(h->bytes + HAND_BLOCK_0, 0xff, 128);
	memset(h->bytes + HAND_BLOCK_2, 0xff, 128);
	memset(h->bytes + HAND_BLOCK_0 + 512, 'a', HAND_BLOCK);
	memset(h->bytes + HAND_BLOCK_2 + 512, 'c', HAND_BLOCK);
	hand_seal_all(h);
}

/* A parent with the UUID pppp..., named by a W2ru locator at 0x1000. */
static inline void
hand_make_child(struct hand *h)
{
	static const char name[] = "base.vhd", path[] = ".\\base.vhd";
	struct disk_dynhdr *hdr;

	hand_make(h);
	hdr = hand_header(h);
	store_be32(hand_footer(h, 0)->disk_type, 4);
	hand_copy_footer(h);
	memset(hdr->parent_uuid, 'p', 16);
	for (size_t i = 0; name[i]; i++)
		hdr->parent_name[2 * i + 1] = (uint8_t)name[i];
	memcpy(hdr->loc[0].code, "W2ru", 4);
	store_be32(hdr->loc[0].space, 512);
	store_be32(hdr->loc[0].length, 2 * (sizeof(path) - 1));
	store_be64(hdr->loc[0].offset, 0x1000);
	for (size_t i = 0; path[i]; i++)
		h->bytes[0x1000 + 2 * i] = (uint8_t)path[i];
	hand_seal_all(h);
}

/* The disk ends within block 3, and so does the file with its region, as some
 * products leave it. */
#define HAND_BLOCK_3 HAND_END
#define HAND_CUT     0x10000u

static inline void
hand_cut_last(struct hand *h)
{
	uint64_t end = HAND_BLOCK_3 + 512 + HAND_CUT;

	store_be64(hand_footer(h, 0)->current_size, 3 * HAND_BLOCK + HAND_CUT);
	hand_entry(h, 3, HAND_BLOCK_3 / 512);
	memset(h->bytes + HAND_BLOCK_3, 0, 512);
	memset(h->bytes + HAND_BLOCK_3, 0xff, HAND_CUT / 512 / 8);
	memset(h->bytes + HAND_BLOCK_3 + 512, 'd', HAND_CUT);
	hand_seal(h->bytes, 512, 64);
	memcpy(h->bytes + end, h->bytes, 512);
	h->length = end + 512;
}

static inline void
hand_free(struct hand *h)
{
	free(h->bytes);
	h->bytes = NULL;
}

static inline void
hand_put(struct hand *h, struct fs *fs, const char *path)
{
	assert_int_equal(mem_fs_put(fs, path, h->bytes, h->length), 0);
}

static inline struct io *
hand_open(struct fs *fs, const char *path)
{
	struct io *io = NULL;

	assert_int_equal(fs->ops->open(&io, fs, path, FS_OPEN_WRITE), 0);
	return io;
}
#endif
