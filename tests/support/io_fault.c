/* SPDX-License-Identifier: BSD-3-Clause */
/* io_fault.c - a file system that fails when told to. */
#include "io_fault.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct fault_fs {
	struct fs fs; /* first: a struct fs * is a struct fault_fs * */
	const struct fs *below;
	struct fault fault;
	_Atomic uint64_t count;
	_Atomic bool fired;
	fault_hook hook;
	void *hook_user;
	char hit[200]; /* what failed first */
	bool no_links;
};

struct fault_io {
	struct io io; /* first: a struct io * is a struct fault_io * */
	struct io *below;
	struct fault_fs *fs;
};

static struct fault_fs *
fs_of(const struct fs *fs)
{
	return (struct fault_fs *)(uintptr_t)fs;
}

static struct fault_io *
self_of(struct io *io)
{
	return (struct fault_io *)(void *)io;
}

static const char *
kind_name(enum fault_kind kind)
{
	static const char *const names[] = {"read",
					    "write",
					    "flush",
					    "size",
					    "truncate",
					    "punch",
					    "copy",
					    "lock",
					    "close",
					    "open",
					    "look",
					    "change of name",
					    "flush of directory",
					    "change of attributes"};

	return names[__builtin_ctz(kind)];
}

/* Count one operation; 0, or the failure it is to have. */
static int
strike(struct fault_fs *fs, enum fault_kind kind, const char *name)
{
	static const int sys[] = {EIO, ENOSPC, EINTR, EIO};
	uint64_t n;

	if (fs->hook)
		fs->hook(&fs->fs, kind, name, fs->hook_user);
	if (fs->fault.kinds && !(fs->fault.kinds & kind))
		return 0;
	n = atomic_fetch_add(&fs->count, 1) + 1;
	if (!fs->fault.at || n < fs->fault.at ||
	    (n > fs->fault.at && !fs->fault.sticky))
		return 0;
	if (!atomic_exchange(&fs->fired, true))
		(void)snprintf(fs->hit, sizeof(fs->hit), "%s of %s",
			       kind_name(kind), name);
	return fail_sys(sys[fs->fault.what],
			"%s: operation %" PRIu64 " was told to fail", name, n);
}

static int
strike_io(struct io *io, enum fault_kind kind)
{
	return strike(self_of(io)->fs, kind, io->name);
}

/* Half of a transfer; a sector is never torn. */
static size_t
half(size_t len)
{
	return len / 2 / 512 * 512;
}

static bool
is_short(struct io *io)
{
	return self_of(io)->fs->fault.what == FAULT_SHORT;
}

static int
fault_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	struct io *below = self_of(io)->below;
	struct error kept;
	int err;

	err = strike_io(io, FAULT_READ);
	if (!err)
		return below->ops->pread(below, buf, len, offset);
	error_save(&kept);
	if (is_short(io) && below->ops->pread(below, buf, half(len), offset))
		error_save(&kept);
	return error_restore(&kept);
}

static int
fault_pwrite(struct io *io, const void *buf, size_t len, uint64_t offset)
{
	struct io *below = self_of(io)->below;
	struct error kept;
	int err;

	err = strike_io(io, FAULT_WRITE);
	if (!err)
		return below->ops->pwrite(below, buf, len, offset);
	error_save(&kept);
	if (is_short(io) && below->ops->pwrite(below, buf, half(len), offset))
		error_save(&kept);
	return error_restore(&kept);
}

static int
fault_pwrite_durable(struct io *io, const void *buf, size_t len,
		     uint64_t offset)
{
	struct io *below = self_of(io)->below;
	struct error kept;
	int err;

	err = strike_io(io, FAULT_WRITE);
	if (!err)
		return below->ops->pwrite_durable(below, buf, len, offset);
	error_save(&kept);
	if (is_short(io) && below->ops->pwrite(below, buf, half(len), offset))
		error_save(&kept);
	return error_restore(&kept);
}

static int
fault_flush(struct io *io)
{
	struct io *below = self_of(io)->below;
	int err = strike_io(io, FAULT_FLUSH);

	return err ? err : below->ops->flush(below);
}

static int
fault_size(uint64_t *ret, struct io *io)
{
	struct io *below = self_of(io)->below;
	int err = strike_io(io, FAULT_SIZE);

	return err ? err : below->ops->size(ret, below);
}

static int
fault_actual_size(uint64_t *ret, struct io *io)
{
	struct io *below = self_of(io)->below;
	int err = strike_io(io, FAULT_SIZE);

	return err ? err : below->ops->actual_size(ret, below);
}

static int
fault_extent(bool *ret_data, uint64_t *ret_end, struct io *io, uint64_t offset)
{
	struct io *below = self_of(io)->below;
	int err = strike_io(io, FAULT_SIZE);

	return err ? err : below->ops->extent(ret_data, ret_end, below, offset);
}

static int
fault_truncate(struct io *io, uint64_t size)
{
	struct io *below = self_of(io)->below;
	int err = strike_io(io, FAULT_TRUNCATE);

	return err ? err : below->ops->truncate(below, size);
}

static int
fault_punch(struct io *io, uint64_t offset, uint64_t length)
{
	struct io *below = self_of(io)->below;
	int err = strike_io(io, FAULT_PUNCH);

	return err ? err : below->ops->punch(below, offset, length);
}

static int
fault_copy_range(struct io *to, uint64_t to_offset, struct io *from,
		 uint64_t from_offset, uint64_t length)
{
	struct io *below = self_of(to)->below;
	int err = strike_io(to, FAULT_COPY);

	if (err)
		return err;
	if (from->ops != to->ops)
		return fail(VHD_E_UNSUPPORTED,
			    "%s and %s are not stores of one kind", to->name,
			    from->name);
	return below->ops->copy_range(below, to_offset, self_of(from)->below,
				      from_offset, length);
}

static void
fault_readahead(struct io *io, uint64_t offset, uint64_t length)
{
	struct io *below = self_of(io)->below;

	below->ops->readahead(below, offset, length);
}

static int
fault_lock(struct io *io, enum io_lock mode)
{
	struct io *below = self_of(io)->below;
	int err = mode == IO_LOCK_NONE ? 0 : strike_io(io, FAULT_LOCK);

	return err ? err : below->ops->lock(below, mode);
}

static int
fault_close(struct io *io)
{
	int err = strike_io(io, FAULT_CLOSE);
	int below_err = io_close(self_of(io)->below);

	free(io->name);
	free(io);
	return err ? err : below_err;
}

static const struct io_ops fault_io_ops = {
	.pread = fault_pread,
	.pwrite = fault_pwrite,
	.pwrite_durable = fault_pwrite_durable,
	.flush = fault_flush,
	.size = fault_size,
	.actual_size = fault_actual_size,
	.truncate = fault_truncate,
	.punch = fault_punch,
	.extent = fault_extent,
	.copy_range = fault_copy_range,
	.readahead = fault_readahead,
	.lock = fault_lock,
	.close = fault_close,
};

static int
fault_open(struct io **ret, const struct fs *fs, const char *path,
	   unsigned flags)
{
	const struct fs *below = fs_of(fs)->below;
	struct fault_io *self;
	struct io *io;
	int err;

	err = strike(fs_of(fs), FAULT_OPEN, path);
	if (!err)
		err = below->ops->open(&io, below, path, flags);
	if (err)
		return err;
	self = calloc(1, sizeof(*self));
	if (!self) {
		(void)io_close(io);
		return fail_nomem();
	}
	self->io = *io;
	self->io.ops = &fault_io_ops;
	self->io.name = strdup(io->name);
	self->below = io;
	self->fs = fs_of(fs);
	*ret = &self->io;
	return 0;
}

static int
fault_stat(struct fs_stat *ret, const struct fs *fs, const char *path)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_LOOK, path);

	return err ? err : below->ops->stat(ret, below, path);
}

static int
fault_free_space(uint64_t *ret, const struct fs *fs, const char *path)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_LOOK, path);

	return err ? err : below->ops->free_space(ret, below, path);
}

static int
fault_rename(const struct fs *fs, const char *from, const char *to)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_NAMES, from);

	return err ? err : below->ops->rename(below, from, to);
}

static int
fault_exchange(const struct fs *fs, const char *a, const char *b)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_NAMES, a);

	return err ? err : below->ops->exchange(below, a, b);
}

static int
fault_link(const struct fs *fs, const char *from, const char *to)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_NAMES, from);

	if (!err && fs_of(fs)->no_links)
		err = fail(VHD_E_UNSUPPORTED, "%s: has no second name", from);
	return err ? err : below->ops->link(below, from, to);
}

static int
fault_unlink(const struct fs *fs, const char *path)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_NAMES, path);

	return err ? err : below->ops->unlink(below, path);
}

static int
fault_sync_dir(const struct fs *fs, const char *path)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_SYNC_DIR, path);

	return err ? err : below->ops->sync_dir(below, path);
}

static int
fault_list(const struct fs *fs, const char *dir, fs_list_fn fn, void *user)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_LOOK, dir);

	return err ? err : below->ops->list(below, dir, fn, user);
}

static int
fault_resolve(char **ret, const struct fs *fs, const char *path)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_LOOK, path);

	return err ? err : below->ops->resolve(ret, below, path);
}

static int
fault_copy_attributes(const struct fs *fs, const char *from, const char *to)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_ATTRIBUTES, from);

	return err ? err : below->ops->copy_attributes(below, from, to);
}

static int
fault_set_readonly(const struct fs *fs, const char *path, bool on)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_ATTRIBUTES, path);

	return err ? err : below->ops->set_readonly(below, path, on);
}

static int
fault_set_mtime(const struct fs *fs, const char *path, const struct fs_stat *to)
{
	const struct fs *below = fs_of(fs)->below;
	int err = strike(fs_of(fs), FAULT_ATTRIBUTES, path);

	return err ? err : below->ops->set_mtime(below, path, to);
}

static const struct fs_ops fault_fs_ops = {
	.open = fault_open,
	.stat = fault_stat,
	.free_space = fault_free_space,
	.rename = fault_rename,
	.exchange = fault_exchange,
	.link = fault_link,
	.unlink = fault_unlink,
	.sync_dir = fault_sync_dir,
	.list = fault_list,
	.resolve = fault_resolve,
	.copy_attributes = fault_copy_attributes,
	.set_readonly = fault_set_readonly,
	.set_mtime = fault_set_mtime,
};

int
fault_fs_new(struct fs **ret, const struct fs *below)
{
	struct fault_fs *self = calloc(1, sizeof(*self));

	if (!self)
		return fail_nomem();
	self->fs.ops = &fault_fs_ops;
	self->below = below;
	*ret = &self->fs;
	return 0;
}

void
fault_fs_free(struct fs *fs)
{
	free(fs);
}

void
fault_set_hook(struct fs *fs, fault_hook hook, void *user)
{
	fs_of(fs)->hook = hook;
	fs_of(fs)->hook_user = user;
}

void
fault_arm(struct fs *fs, const struct fault *fault)
{
	fs_of(fs)->fault = *fault;
	fs_of(fs)->count = 0;
	fs_of(fs)->fired = false;
	fs_of(fs)->hit[0] = '\0';
}

void
fault_refuse_links(struct fs *fs)
{
	fs_of(fs)->no_links = true;
}

uint64_t
fault_count(const struct fs *fs)
{
	return fs_of(fs)->count;
}

bool
fault_fired(const struct fs *fs)
{
	return fs_of(fs)->fired;
}

const char *
fault_hit(const struct fs *fs)
{
	return fs_of(fs)->hit;
}
