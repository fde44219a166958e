/* SPDX-License-Identifier: BSD-3-Clause */
/* make_image.h - small images in a file system in memory, for tests that care
 * about who stands on whom.  An image is told by one letter: its UUID is that
 * letter sixteen times. */
#ifndef VHD_TEST_MAKE_IMAGE_H
#define VHD_TEST_MAKE_IMAGE_H
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "image/image.h"
#include "io/io_mem.h"

#define MADE_SIZE (8u << 20)

static inline struct fs *
new_fs(void)
{
	struct fs *fs = NULL;

	assert_int_equal(mem_fs_new(&fs), 0);
	return fs;
}

static inline const uint8_t *
uuid_of(char letter)
{
	static uint8_t uuid[8][16];
	static unsigned next;
	uint8_t *u = uuid[next++ % 8];

	memset(u, letter, 16);
	return u;
}

static inline void
expect_ok(int err, const char *what)
{
	if (err)
		fail_msg("%s failed with \"%s\"", what, error_message());
}

static inline void
put_formatted(struct fs *fs, const char *path, const struct image_create *how)
{
	struct io *io = NULL;

	expect_ok(fs->ops->open(&io, fs, path, FS_OPEN_WRITE | FS_OPEN_CREATE),
		  path);
	expect_ok(image_format(io, how), path);
	expect_ok(io_close(io), path);
}

static inline void
put_root(struct fs *fs, const char *path, char letter)
{
	put_formatted(fs, path,
		      &(struct image_create){.type = VHD_TYPE_DYNAMIC,
					     .size = MADE_SIZE,
					     .uuid = uuid_of(letter)});
}

/* relative: what its locators say; absolute may be NULL. */
static inline void
put_child_at(struct fs *fs, const char *path, char letter, char parent,
	     const char *relative, const char *absolute)
{
	struct footer f = {.current_size = MADE_SIZE,
			   .geometry = geometry_for(MADE_SIZE)};

	memset(f.uuid, parent, 16);
	put_formatted(fs, path,
		      &(struct image_create){.type = VHD_TYPE_DIFFERENCING,
					     .size = MADE_SIZE,
					     .uuid = uuid_of(letter),
					     .parent = &f,
					     .parent_relative = relative,
					     .parent_absolute = absolute});
}

static inline void
put_child(struct fs *fs, const char *path, char letter, char parent)
{
	put_child_at(fs, path, letter, parent, "gone.vhd", NULL);
}

static inline struct image *
open_image(struct fs *fs, const char *path, unsigned flags)
{
	struct image *img = NULL;
	struct io *io = NULL;

	expect_ok(fs->ops->open(&io, fs, path,
				flags & IMAGE_WRITE ? FS_OPEN_WRITE : 0),
		  path);
	expect_ok(image_open(&img, io, flags), path);
	return img;
}

/* Of any size; its parent, if it has one, is parent.vhd for the locators. */
static inline void
put_sized(struct fs *fs, const char *path, uint64_t size, char letter,
	  char parent)
{
	struct footer f = {.current_size = size,
			   .geometry = geometry_for(size)};

	memset(f.uuid, parent, 16);
	put_formatted(
		fs, path,
		&(struct image_create){.type = parent ? VHD_TYPE_DIFFERENCING
						      : VHD_TYPE_DYNAMIC,
				       .size = size,
				       .uuid = uuid_of(letter),
				       .parent = parent ? &f : NULL,
				       .parent_relative = "parent.vhd"});
}

static inline void
fill_image(struct fs *fs, const char *path, uint64_t size, char with)
{
	AUTO_FREE char *bytes = malloc(size);
	struct image *img = open_image(fs, path, IMAGE_WRITE);

	assert_non_null(bytes);
	memset(bytes, with, size);
	expect_ok(image_pwrite(img, bytes, size, 0), path);
	expect_ok(image_close(img), path);
}

/* Change bytes of a file. */
static inline void
patch(struct fs *fs, const char *path, uint64_t offset, const void *bytes,
      size_t n)
{
	struct io *io = NULL;

	expect_ok(fs->ops->open(&io, fs, path, FS_OPEN_WRITE), path);
	expect_ok(io->ops->pwrite(io, bytes, n, offset), path);
	expect_ok(io_close(io), path);
}

static inline uint64_t
length_of(struct fs *fs, const char *path)
{
	struct fs_stat st;

	expect_ok(fs->ops->stat(&st, fs, path), path);
	return st.size;
}
#endif
