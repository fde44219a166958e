/* SPDX-License-Identifier: BSD-3-Clause */
/* image_peek.c - who is this file? */
#include "image/image_peek.h"

int
image_peek(struct peek *ret, const struct fs *fs, const char *path,
	   unsigned flags)
{
	AUTO(io_close) struct io *io = NULL;
	struct peek peek;
	int err;

	err = fs->ops->open(&io, fs, path, FS_OPEN_NOFOLLOW);
	if (err)
		return err;
	err = find_footer(&peek.found, io, flags);
	if (err)
		return err;
	peek.id = io->id;
	peek.block_device = io->block_device;
	err = io->ops->actual_size(&peek.actual_size, io);
	if (err)
		return err;
	*ret = peek;
	return 0;
}
