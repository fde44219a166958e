/* SPDX-License-Identifier: BSD-3-Clause */
/* io_file.c - a byte store that is a file or a block device.
 *
 * Only positioned calls are used, so any number of threads may share the
 * descriptor.  Short transfers and interrupted calls are carried on here;
 * nobody above sees them.  errno is read in this floor only. */
#include "io/io_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/arith.h"

int
io_file_past_end(struct io *io, uint64_t offset, uint64_t length)
{
	uint64_t size;
	int err;

	err = io->ops->size(&size, io);
	if (err)
		return err;
	return fail(VHD_E_CORRUPT,
		    "%s: %" PRIu64 " bytes at offset %" PRIu64
		    " are past the end of the file, which has %" PRIu64
		    " bytes; it was cut short",
		    io->name, length, offset, size);
}

static int
check_range(struct io *io, size_t len, uint64_t offset)
{
	if (range_ok(offset, len, INT64_MAX))
		return 0;
	return fail(VHD_E_RANGE,
		    "%s: offset %" PRIu64 " is larger than any file can be",
		    io->name, offset);
}

static int
file_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	char *at = buf;
	int err;

	err = check_range(io, len, offset);
	if (err)
		return err;
	while (len) {
		ssize_t n = pread(io_file_of(io)->fd, at, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_sys(errno,
					"%s: cannot read at offset %" PRIu64,
					io->name, offset);
		if (n == 0)
			return io_file_past_end(io, offset, len);
		at += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

/* One call of the system; durable by itself when asked and possible. */
static ssize_t
write_some(struct io_file *file, const char *at, size_t len, uint64_t offset,
	   bool dsync)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)at, .iov_len = len};

	if (!dsync)
		return pwrite(file->fd, at, len, (off_t)offset);
	return pwritev2(file->fd, &part, 1, (off_t)offset, RWF_DSYNC);
}

static int
write_all(struct io *io, const char *at, size_t len, uint64_t offset,
	  bool dsync)
{
	int err;

	err = check_range(io, len, offset);
	if (err)
		return err;
	while (len) {
		ssize_t n = write_some(io_file_of(io), at, len, offset, dsync);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && dsync && (errno == EOPNOTSUPP || errno == ENOSYS))
			return VHD_E_UNSUPPORTED;
		if (n <= 0)
			return fail_sys(n ? errno : ENOSPC,
					"%s: cannot write at offset %" PRIu64,
					io->name, offset);
		at += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

static int
file_pwrite(struct io *io, const void *buf, size_t len, uint64_t offset)
{
	return write_all(io, buf, len, offset, false);
}

/* A file that nobody could have written needs no flush, and some read-only
 * file systems refuse one. */
static bool
flush_is_moot(const struct io *io, int sys)
{
	return !io->writable && (sys == EINVAL || sys == EROFS);
}

void
io_file_lose(struct io *io)
{
	io_file_of(io)->lost = true;
}

static int
file_flush(struct io *io)
{
	if (io_file_of(io)->lost)
		return fail(VHD_E_IO,
			    "%s: what was written before could not be brought "
			    "to the disk; close it and look for the cause",
			    io->name);
	while (fdatasync(io_file_of(io)->fd) < 0) {
		if (errno == EINTR)
			continue;
		if (flush_is_moot(io, errno))
			return 0;
		return fail_sys(errno, "%s: cannot flush to disk", io->name);
	}
	return 0;
}

/* Where there was no room the bytes were not written, and nothing is lost;
 * every other error may have been one of writing back. */
static int
told_by_write(struct io *io, int err, const void *buf, size_t len,
	      uint64_t offset)
{
	struct error kept;

	error_save(&kept);
	if (err != VHD_E_NOSPACE ||
	    write_all(io, buf, len, offset, false) != VHD_E_NOSPACE)
		io_file_lose(io);
	return error_restore(&kept);
}

static int
file_pwrite_durable(struct io *io, const void *buf, size_t len, uint64_t offset)
{
	struct io_file *file = io_file_of(io);
	int err;

	if (file->no_dsync || file->lost) {
		err = write_all(io, buf, len, offset, false);
		return err ? err : file_flush(io);
	}
	err = write_all(io, buf, len, offset, true);
	if (err == VHD_E_UNSUPPORTED) {
		file->no_dsync = true;
		return file_pwrite_durable(io, buf, len, offset);
	}
	return err ? told_by_write(io, err, buf, len, offset) : 0;
}

static int
device_size(uint64_t *ret, struct io *io)
{
	int fd = io_file_of(io)->fd;
	uint64_t size;
	off_t end;

	if (ioctl(fd, BLKGETSIZE64, &size) == 0) {
		*ret = size;
		return 0;
	}
	end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return fail_sys(errno, "%s: cannot tell the size of the device",
				io->name);
	*ret = (uint64_t)end;
	return 0;
}

static int
file_size(uint64_t *ret, struct io *io)
{
	struct stat st;

	if (io->block_device)
		return device_size(ret, io);
	if (fstat(io_file_of(io)->fd, &st) < 0)
		return fail_sys(errno, "%s: cannot tell the size", io->name);
	*ret = (uint64_t)st.st_size;
	return 0;
}

static int
file_truncate(struct io *io, uint64_t size)
{
	int err;

	if (io->block_device)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: a block device cannot change its size",
			    io->name);
	err = check_range(io, 0, size);
	if (err)
		return err;
	while (ftruncate(io_file_of(io)->fd, (off_t)size) < 0)
		if (errno != EINTR)
			return fail_sys(errno,
					"%s: cannot set the size to %" PRIu64,
					io->name, size);
	return 0;
}

/* Closing also gives up the locks. */
static int
file_close(struct io *io)
{
	struct io_file *file = io_file_of(io);
	int err = 0;

	if (close(file->fd) < 0 && errno != EINTR)
		err = fail_sys(errno, "%s: cannot close", io->name);
	pthread_mutex_destroy(&file->lock_lock);
	free(io->name);
	free(file);
	return err;
}

static const struct io_ops file_ops = {
	.pread = file_pread,
	.pwrite = file_pwrite,
	.pwrite_durable = file_pwrite_durable,
	.flush = file_flush,
	.size = file_size,
	.actual_size = io_file_actual_size,
	.truncate = file_truncate,
	.punch = io_file_punch,
	.extent = io_file_extent,
	.copy_range = io_file_copy_range,
	.readahead = io_file_readahead,
	.write_out = io_file_write_out,
	.lock = io_file_lock,
	.close = file_close,
};

struct io_id
io_file_id(const struct stat *st)
{
	if (S_ISBLK(st->st_mode))
		return (struct io_id){.device = st->st_rdev, .inode = 0};
	return (struct io_id){.device = st->st_dev, .inode = st->st_ino};
}

int
io_file_new(struct io **ret, int fd, const struct stat *st, const char *name,
	    bool writable)
{
	struct io_file *file = calloc(1, sizeof(*file));
	char *copy = strdup(name);

	if (!file || !copy) {
		free(file);
		free(copy);
		close(fd);
		return fail_nomem();
	}
	file->io.ops = &file_ops;
	file->io.name = copy;
	file->io.id = io_file_id(st);
	file->io.writable = writable;
	file->io.block_device = S_ISBLK(st->st_mode);
	file->fd = fd;
	pthread_mutex_init(&file->lock_lock, NULL);
	*ret = &file->io;
	return 0;
}
