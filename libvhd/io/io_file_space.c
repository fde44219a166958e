/* SPDX-License-Identifier: BSD-3-Clause */
/* io_file_space.c - the space of a file: holes, sharing, reading ahead.
 *
 * Every call here is one that some file system lacks.  What may be answered
 * without it is answered so; the rest is VHD_E_UNSUPPORTED, and the caller
 * moves bytes instead. */
#include "io/io_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/arith.h"

/* Extents can be shared in units of this; a larger unit of the file system
 * only makes the call fail. */
#define CLONE_UNIT 4096u

/* Ranges that are copied for good: what is shorter may soon change again. */
#define WRITE_BEHIND (1u << 20)

static bool
lacks(int sys)
{
	return sys == EOPNOTSUPP || sys == ENOSYS || sys == ENOTTY;
}

int
io_file_actual_size(uint64_t *ret, struct io *io)
{
	struct stat st;

	if (io->block_device)
		return io->ops->size(ret, io);
	if (fstat(io_file_of(io)->fd, &st) < 0)
		return fail_sys(errno, "%s: cannot tell the space it takes",
				io->name);
	*ret = (uint64_t)st.st_blocks * 512;
	return 0;
}

/* A device may answer a discard with whatever it likes to read next, so it is
 * never asked. */
int
io_file_punch(struct io *io, uint64_t offset, uint64_t length)
{
	const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;

	if (io->block_device)
		return fail(VHD_E_UNSUPPORTED, "%s: no holes in a block device",
			    io->name);
	if (!length)
		return 0;
	while (fallocate(io_file_of(io)->fd, mode, (off_t)offset,
			 (off_t)length) < 0) {
		if (errno == EINTR)
			continue;
		if (lacks(errno))
			return fail(VHD_E_UNSUPPORTED,
				    "%s: the file system has no holes",
				    io->name);
		return fail_sys(errno,
				"%s: cannot give back %" PRIu64
				" bytes at offset %" PRIu64,
				io->name, length, offset);
	}
	return 0;
}

/* The next place of that kind; the end of the file when there is none. */
static int
seek(uint64_t *ret, struct io *io, uint64_t offset, int whence, uint64_t end)
{
	off_t at = lseek(io_file_of(io)->fd, (off_t)offset, whence);

	if (at >= 0)
		*ret = min_u64((uint64_t)at, end);
	else if (errno == ENXIO)
		*ret = end;
	else if (errno == EINVAL || lacks(errno))
		*ret = whence == SEEK_DATA ? offset : end;
	else
		return fail_sys(errno, "%s: cannot look for holes", io->name);
	return 0;
}

int
io_file_extent(bool *ret_data, uint64_t *ret_end, struct io *io,
	       uint64_t offset)
{
	uint64_t size, data, hole;
	int err;

	err = io->ops->size(&size, io);
	if (err)
		return err;
	if (offset >= size)
		return io_file_past_end(io, offset, 1);
	data = offset;
	if (!io->block_device)
		err = seek(&data, io, offset, SEEK_DATA, size);
	if (!err && data > offset) {
		*ret_data = false;
		*ret_end = data;
		return 0;
	}
	hole = size;
	if (!err && !io->block_device)
		err = seek(&hole, io, offset, SEEK_HOLE, size);
	if (err)
		return err;
	*ret_data = true;
	/* The file may have changed between the two questions. */
	*ret_end = hole > offset ? hole : size;
	return 0;
}

/* Share whole units; true when that worked. */
static bool
clone_range(struct io *to, uint64_t to_offset, struct io *from,
	    uint64_t from_offset, uint64_t length)
{
	struct file_clone_range range = {
		.src_fd = io_file_of(from)->fd,
		.src_offset = from_offset,
		.src_length = length,
		.dest_offset = to_offset,
	};

	return ioctl(io_file_of(to)->fd, FICLONERANGE, &range) == 0;
}

static bool
copy_unsupported(int sys)
{
	return lacks(sys) || sys == EXDEV || sys == EINVAL || sys == ETXTBSY ||
	       sys == EPERM;
}

/* *moved counts what is copied, also on failure. */
static int
copy_bytes(uint64_t *moved, struct io *to, uint64_t to_offset, struct io *from,
	   uint64_t from_offset, uint64_t length)
{
	off_t in = (off_t)from_offset, out = (off_t)to_offset;

	while (length) {
		size_t want = (size_t)min_u64(length, 1u << 30);
		ssize_t n = copy_file_range(io_file_of(from)->fd, &in,
					    io_file_of(to)->fd, &out, want, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && !*moved && copy_unsupported(errno))
			return fail(VHD_E_UNSUPPORTED,
				    "%s: the system cannot copy from %s",
				    to->name, from->name);
		if (n < 0)
			return fail_sys(errno, "%s: cannot copy from %s",
					to->name, from->name);
		if (n == 0)
			return io_file_past_end(from, (uint64_t)in, length);
		*moved += (uint64_t)n;
		length -= (uint64_t)n;
	}
	return 0;
}

static void
write_back(struct io *io, uint64_t offset, uint64_t length, unsigned how)
{
	if (sync_file_range(io_file_of(io)->fd, (off_t)offset, (off_t)length,
			    how) < 0 &&
	    !lacks(errno) && errno != ESPIPE && errno != EINTR)
		io_file_lose(io);
}

/* Writing back begins at once, so that the disk works while the next range is
 * copied; the flush that makes it durable then finds little left. */
static void
start_writing(struct io *io, uint64_t offset, uint64_t length)
{
	if (length >= WRITE_BEHIND)
		write_back(io, offset, length, SYNC_FILE_RANGE_WRITE);
}

int
io_file_copy_range(struct io *to, uint64_t to_offset, struct io *from,
		   uint64_t from_offset, uint64_t length)
{
	uint64_t skew = (to_offset ^ from_offset) & (CLONE_UNIT - 1);
	uint64_t head = min_u64(-from_offset & (CLONE_UNIT - 1), length);
	uint64_t middle = round_down(length - head, CLONE_UNIT);
	uint64_t moved = 0, at = 0;
	int err;

	if (from->ops != to->ops)
		return fail(VHD_E_UNSUPPORTED,
			    "%s and %s are not stores of one kind", to->name,
			    from->name);
	if (!skew && middle &&
	    clone_range(to, to_offset + head, from, from_offset + head,
			middle)) {
		moved = middle;
		err = copy_bytes(&moved, to, to_offset, from, from_offset,
				 head);
		if (err)
			return err;
		at = head + middle;
	}
	err = copy_bytes(&moved, to, to_offset + at, from, from_offset + at,
			 length - at);
	if (!err)
		start_writing(to, to_offset + at, length - at);
	return err;
}

void
io_file_readahead(struct io *io, uint64_t offset, uint64_t length)
{
	if (range_ok(offset, length, INT64_MAX))
		(void)posix_fadvise(io_file_of(io)->fd, (off_t)offset,
				    (off_t)length, POSIX_FADV_WILLNEED);
}

void
io_file_write_out(struct io *io, uint64_t offset, uint64_t length)
{
	if (range_ok(offset, length, INT64_MAX))
		write_back(io, offset, length,
			   SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				   SYNC_FILE_RANGE_WAIT_AFTER);
}
