/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.c - an open file of the mount: a window onto a disk.
 */
#include "file.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PIECE 4096U

/* What the last call of the library in this thread failed with. */
static int
failure(void)
{
	int number = vhd_errno();

	say_sometimes("%s", vhd_last_message());
	return number > 0 ? -number : -EIO;
}

uint64_t
file_size(const struct file *file)
{
	return file->length == WHOLE_DISK ? vhd_size(file->disk) : file->length;
}

/* How much of len there is from offset on. */
static uint64_t
clamp(const struct file *file, uint64_t offset, uint64_t len)
{
	uint64_t size = file_size(file);

	if (offset >= size)
		return 0;
	return len < size - offset ? len : size - offset;
}

/* As much as can be read in front of a damaged place. */
static ssize_t
read_pieces(const struct file *file, char *buf, size_t len, uint64_t offset)
{
	size_t done = 0;

	while (done < len) {
		size_t piece = PIECE - (size_t)((offset + done) % PIECE);

		if (piece > len - done)
			piece = len - done;
		if (vhd_pread(file->disk, buf + done, piece,
			      file->start + offset + done))
			break;
		done += piece;
	}
	return done > 0 ? (ssize_t)done : failure();
}

ssize_t
file_read(const struct file *file, void *buf, size_t len, uint64_t offset,
	  bool short_ok)
{
	len = (size_t)clamp(file, offset, len);
	if (len == 0)
		return 0;
	if (!vhd_pread(file->disk, buf, len, file->start + offset))
		return (ssize_t)len;
	return short_ok ? read_pieces(file, buf, len, offset) : failure();
}

ssize_t
file_write(const struct file *file, const void *buf, size_t len,
	   uint64_t offset, bool durable)
{
	if (!file->writable)
		return -EROFS;
	if (len == 0)
		return 0;
	len = (size_t)clamp(file, offset, len);
	if (len == 0)
		return -ENOSPC;
	if (vhd_pwrite(file->disk, buf, len, file->start + offset,
		       durable ? VHD_IO_FUA : 0))
		return failure();
	return (ssize_t)len;
}

int
file_flush(const struct file *file)
{
	return file->writable && vhd_flush(file->disk) ? failure() : 0;
}

int
file_allocate(const struct file *file, int mode, uint64_t offset, uint64_t len)
{
	uint32_t flags = 0;
	uint64_t inside = clamp(file, offset, len);

	if (!file->writable)
		return -EROFS;
	if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE))
		flags = VHD_IO_MAY_TRIM;
	else if ((mode & ~FALLOC_FL_KEEP_SIZE) != FALLOC_FL_ZERO_RANGE)
		return -EOPNOTSUPP;
	else if (inside < len && !(mode & FALLOC_FL_KEEP_SIZE))
		return -ENOSPC;
	if (inside == 0)
		return 0;
	return vhd_zero(file->disk, file->start + offset, inside, flags)
		       ? failure()
		       : 0;
}

/* The search of file_seek(). */
struct search {
	bool data;   /* what is looked for */
	uint64_t at; /* where it begins */
};

#define FOUND 1

static int
look(const struct vhd_extent *extent, void *user)
{
	struct search *search = user;
	bool data = (extent->flags & VHD_EXTENT_DATA) &&
		    !(extent->flags & VHD_EXTENT_ZERO);

	if (data != search->data)
		return 0;
	search->at = extent->offset;
	return FOUND;
}

int
file_seek(uint64_t *ret, const struct file *file, uint64_t offset, int whence)
{
	struct search search = {.data = whence == SEEK_DATA};
	uint64_t size = file_size(file);
	int err;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (offset >= size)
		return -ENXIO;
	err = vhd_extents(file->disk, file->start + offset, size - offset, look,
			  &search);
	if (err < 0)
		return failure();
	if (err == FOUND)
		*ret = search.at - file->start;
	else if (whence == SEEK_HOLE)
		*ret = size;
	else
		return -ENXIO;
	if (*ret < offset)
		*ret = offset;
	return 0;
}
