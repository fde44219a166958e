/* SPDX-License-Identifier: BSD-3-Clause */
/* io_sequential.c - what a store that is used front to back cannot do. */
#include "io/io_sequential.h"

#include <inttypes.h>

int
sequential_check(const struct io *io, uint64_t position, uint64_t offset)
{
	if (offset == position)
		return 0;
	return fail(VHD_E_UNSUPPORTED,
		    "%s: at byte %" PRIu64 ", cannot go to byte %" PRIu64,
		    io->name, position, offset);
}

int
sequential_pwrite_durable(struct io *io, const void *buf, size_t len,
			  uint64_t offset)
{
	int err = io->ops->pwrite(io, buf, len, offset);

	return err ? err : io->ops->flush(io);
}

static int
refuse(const struct io *io)
{
	return fail(VHD_E_UNSUPPORTED, "%s: is a stream, not a file", io->name);
}

int
sequential_size(uint64_t *ret, struct io *io)
{
	(void)ret;
	return refuse(io);
}

int
sequential_truncate(struct io *io, uint64_t size)
{
	(void)size;
	return refuse(io);
}

int
sequential_punch(struct io *io, uint64_t offset, uint64_t length)
{
	(void)offset;
	(void)length;
	return refuse(io);
}

int
sequential_extent(bool *ret_data, uint64_t *ret_end, struct io *io,
		  uint64_t offset)
{
	(void)ret_data;
	(void)ret_end;
	(void)offset;
	return refuse(io);
}

int
sequential_copy_range(struct io *to, uint64_t to_offset, struct io *from,
		      uint64_t from_offset, uint64_t length)
{
	(void)to_offset;
	(void)from;
	(void)from_offset;
	(void)length;
	return refuse(to);
}

void
sequential_readahead(struct io *io, uint64_t offset, uint64_t length)
{
	(void)io;
	(void)offset;
	(void)length;
}

int
sequential_lock(struct io *io, enum io_lock mode)
{
	(void)io;
	(void)mode;
	return 0;
}
