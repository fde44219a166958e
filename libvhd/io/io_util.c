/* SPDX-License-Identifier: BSD-3-Clause */
/* io_util.c - what can be said about any store by means of its table. */
#include <errno.h>
#include <string.h>

#include "base/arith.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "io/io.h"

#define BOUNCE_BYTES (1u << 20)

static const uint8_t zeros[64 << 10];

static int
write_zero_bytes(struct io *io, uint64_t offset, uint64_t length)
{
	int err;

	while (length) {
		size_t n = (size_t)min_u64(length, sizeof(zeros));

		err = io->ops->pwrite(io, zeros, n, offset);
		if (err)
			return err;
		offset += n;
		length -= n;
	}
	return 0;
}

/* Past its end a file reads as zero once it is that long.  It is made longer
 * by its last byte, never by truncate: that could cut off what another thread
 * appends meanwhile. */
static int
extend_to(struct io *io, uint64_t size, uint64_t end)
{
	if (end <= size)
		return 0;
	return write_zero_bytes(io, end - 1, 1);
}

int
io_write_zeros(struct io *io, uint64_t offset, uint64_t length)
{
	uint64_t size, inside;
	int err;

	if (!length)
		return 0;
	err = io->ops->size(&size, io);
	if (err)
		return err;
	inside = offset < size ? min_u64(length, size - offset) : 0;
	err = inside ? io->ops->punch(io, offset, inside) : 0;
	if (err == VHD_E_UNSUPPORTED)
		err = write_zero_bytes(io, offset, inside);
	if (err)
		return err;
	if (io->block_device)
		return write_zero_bytes(io, offset + inside, length - inside);
	return extend_to(io, size, offset + length);
}

static int
copy_through_memory(struct io *to, uint64_t to_offset, struct io *from,
		    uint64_t from_offset, uint64_t length)
{
	AUTO_FREE uint8_t *bounce =
		malloc((size_t)min_u64(length, BOUNCE_BYTES));
	int err;

	if (!bounce)
		return fail_nomem();
	for (uint64_t done = 0; done < length;) {
		size_t n = (size_t)min_u64(length - done, BOUNCE_BYTES);

		err = from->ops->pread(from, bounce, n, from_offset + done);
		if (!err)
			err = to->ops->pwrite(to, bounce, n, to_offset + done);
		if (err)
			return err;
		done += n;
	}
	return 0;
}

int
io_copy(struct io *to, uint64_t to_offset, struct io *from,
	uint64_t from_offset, uint64_t length)
{
	int err;

	if (!length)
		return 0;
	err = to->ops->copy_range(to, to_offset, from, from_offset, length);
	if (err != VHD_E_UNSUPPORTED)
		return err;
	return copy_through_memory(to, to_offset, from, from_offset, length);
}

int
fs_remove(const struct fs *fs, const char *path)
{
	int err = fs->ops->unlink(fs, path);

	return err ? err : fs->ops->sync_dir(fs, path);
}

int
fs_sync_name(const struct fs *fs, const char *path)
{
	int err = fs->ops->sync_dir(fs, path);

	return err && (error_sys() == EACCES || error_sys() == EPERM) ? 0 : err;
}

int
fs_sync_names(const struct fs *fs, const char *dir)
{
	AUTO_FREE char *inside = path_join(dir, ".");

	return inside ? fs_sync_name(fs, inside) : fail_nomem();
}
