/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_open.c - any file as a disk: opened in every way, looked at all over,
 * closed.
 *
 * Reading never changes a file.  Opening for writing may recover what a crash
 * left, which the guest does not see, and does so only once. */
#include <string.h>

#include "fuzz_disk.h"

const unsigned fuzz_parts = 1, fuzz_images = 1;

static void
look_at_locators(struct image *img)
{
	char text[MAX_PATH_TEXT];

	for (unsigned i = 0; i < MAX_LOCATORS; i++)
		for (int as_path = 0; as_path < 2; as_path++)
			if (image_locator(text, sizeof(text), img, i, as_path))
				CHECK(error_message()[0]);
}

static int
count_extent(const struct vhd_extent *extent, void *next)
{
	CHECK(extent->length > 0);
	CHECK(extent->offset == *(uint64_t *)next);
	*(uint64_t *)next += extent->length;
	return 0;
}

static void
look_at_extents(struct chain *c, struct window w)
{
	uint64_t next = w.offset;
	int err = chain_extents(c, w.offset, w.length, count_extent, &next);

	CHECK(err || next == w.offset + w.length);
}

/* What the guest sees in a window; false when it cannot be read. */
static bool
look(uint8_t *ret, struct chain *c, struct window w)
{
	memset(ret, 0xee, LOOK_BYTES);
	return chain_pread(c, ret, w.length, w.offset) == 0;
}

static void
open_reading(const char *path, struct fs *fs, uint32_t flags)
{
	static uint8_t seen[LOOK_BYTES];
	struct chain *c = disk_open(fs, path, flags | VHD_OPEN_NOPARENT);
	uint8_t byte;

	if (!c)
		return;
	look_at_locators(c->layers[0].img);
	for (int at_end = 0; at_end < 2; at_end++) {
		struct window w = disk_window(c->size, at_end);

		(void)look(seen, c, w);
		look_at_extents(c, w);
	}
	CHECK(chain_pread(c, &byte, 1, c->size) != 0);
	CHECK(chain_pread(c, &byte, 1, UINT64_MAX) != 0);
	CHECK(chain_close(c) == 0);
}

/* Open for writing, write nothing, close; false when refused. */
static bool
open_writing(const char *path, struct fs *fs)
{
	struct chain *c = disk_open(fs, path,
				    VHD_OPEN_RDWR | VHD_OPEN_NOPARENT |
					    VHD_OPEN_CHILDREN_OK);

	if (!c)
		return false;
	CHECK(chain_close(c) == 0);
	return true;
}

static void
check_same_content(struct fs *fs, const char *a, const char *b)
{
	static uint8_t seen[2][LOOK_BYTES];
	struct chain *x = disk_open(fs, a, VHD_OPEN_NOPARENT);
	struct chain *y = disk_open(fs, b, VHD_OPEN_NOPARENT);

	CHECK(x && y);
	CHECK(x->size == y->size);
	for (int at_end = 0; at_end < 2; at_end++) {
		struct window w = disk_window(x->size, at_end);
		bool read = look(seen[0], x, w);

		CHECK(look(seen[1], y, w) == read);
		CHECK(!read || memcmp(seen[0], seen[1], w.length) == 0);
	}
	CHECK(chain_close(x) == 0);
	CHECK(chain_close(y) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct part image = {data, size};
	struct fs *fs = disk_fs();

	disk_put(fs, "/as-given", image);
	disk_put(fs, "/read", image);
	disk_put(fs, "/write", image);
	open_reading("/read", fs, 0);
	open_reading("/read", fs, VHD_OPEN_DAMAGED);
	open_reading("/read", fs, VHD_OPEN_IGNORE_BITMAP | VHD_OPEN_SIZE_CHS);
	CHECK(disk_same(fs, "/as-given", "/read"));
	if (open_writing("/write", fs)) {
		check_same_content(fs, "/as-given", "/write");
		disk_copy(fs, "/write", "/again");
		CHECK(open_writing("/again", fs));
		CHECK(disk_same(fs, "/write", "/again"));
	}
	mem_fs_free(fs);
	return 0;
}
