/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_disk.c - inputs as files in memory, opened as disks. */
#include "fuzz_disk.h"

#include <string.h>

#define ROOM (64u << 20)

struct fs *
disk_fs(void)
{
	struct fs *fs = NULL;

	CHECK(mem_fs_new(&fs) == 0);
	mem_fs_set_limit(fs, ROOM);
	return fs;
}

void
disk_put(struct fs *fs, const char *path, struct part image)
{
	CHECK(mem_fs_put(fs, path, image.data, image.size) == 0);
}

void
disk_copy(struct fs *fs, const char *from, const char *to)
{
	struct mem_data *content = NULL;

	CHECK(mem_fs_get_data(&content, fs, from) == 0);
	CHECK(mem_fs_put_data(fs, to, content) == 0);
	mem_data_free(content);
}

struct chain *
disk_open(struct fs *fs, const char *path, uint32_t flags)
{
	struct chain_opts opts = {.flags = flags, .max_depth = 8};
	struct chain *c = NULL;
	int err = chain_open(&c, fs, path, &opts);

	CHECK(err <= 0);
	CHECK((err == 0) == (c != NULL));
	CHECK(!err || error_message()[0]);
	if (err && getenv("FUZZ_VERBOSE"))
		fprintf(stderr, "%s\n", error_message());
	return c;
}

struct window
disk_window(uint64_t size, bool at_end)
{
	uint64_t sectors = size / SECTOR_SIZE;
	uint64_t n = min_u64(sectors, LOOK_BYTES / SECTOR_SIZE);
	uint64_t first = at_end ? sectors - n : 0;

	return (struct window){first * SECTOR_SIZE, (size_t)n * SECTOR_SIZE};
}

bool
disk_same(struct fs *fs, const char *a, const char *b)
{
	struct mem_data *x = NULL, *y = NULL;
	uint64_t size;
	bool same;

	CHECK(mem_fs_get_data(&x, fs, a) == 0);
	CHECK(mem_fs_get_data(&y, fs, b) == 0);
	size = mem_data_size(x);
	same = size == mem_data_size(y);
	for (uint64_t at = 0; same && at < size; at += MEM_PAGE) {
		size_t n = (size_t)min_u64(size - at, MEM_PAGE);
		uint8_t p[MEM_PAGE], q[MEM_PAGE];

		mem_data_read(x, p, n, at);
		mem_data_read(y, q, n, at);
		same = memcmp(p, q, n) == 0;
	}
	mem_data_free(x);
	mem_data_free(y);
	return same;
}
