/* SPDX-License-Identifier: BSD-3-Clause */
/* make_chain.h - disks in memory, opened and written through the chain. */
#ifndef VHD_TEST_MAKE_CHAIN_H
#define VHD_TEST_MAKE_CHAIN_H
#include "chain/chain.h"
#include "make_image.h"

#define MADE_BLOCK (2u << 20)

static inline struct chain *
open_disk(struct fs *fs, const char *path, uint32_t flags)
{
	struct chain *c = NULL;

	expect_ok(
		chain_open(&c, fs, path, &(struct chain_opts){.flags = flags}),
		path);
	return c;
}

static inline void
close_disk(struct chain *c)
{
	expect_ok(chain_close(c), "close");
}

static inline void
write_pattern(struct fs *fs, const char *path, uint64_t offset, size_t len,
	      uint8_t value)
{
	struct chain *c =
		open_disk(fs, path, VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK);
	uint8_t *buf = malloc(len);

	memset(buf, value, len);
	expect_ok(chain_pwrite(c, buf, len, offset, 0), "write");
	free(buf);
	close_disk(c);
}
#endif
