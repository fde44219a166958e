/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_io.c - a byte store whose every change goes into a log.
 *
 * One lock is held around each change, so that the log has the order in which
 * changes happened; reads go straight to the live file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crash_log.h"

struct crash_io {
	struct io io; /* first: a struct io * is a struct crash_io * */
	struct io *live;
	struct crash_fs *fs;
	struct crash_file *file;
};

static struct crash_io *
self_of(struct io *io)
{
	return (struct crash_io *)(void *)io;
}

static struct mem_data *
live_data(struct crash_io *self)
{
	struct mem_data *data;

	if (mem_io_get_data(&data, self->live))
		abort();
	return data;
}

uint64_t
crash_begin_flush(struct mem_data **ret, struct crash_fs *fs, struct io *io)
{
	uint64_t mark;
	bool pending;

	pthread_mutex_lock(&fs->lock);
	fs->flushes++;
	mark = fs->log.now;
	if (io)
		*ret = live_data(self_of(io));
	pending = fs->hook && crash_log_pending(&fs->log);
	pthread_mutex_unlock(&fs->lock);
	if (pending)
		fs->hook(&fs->fs, fs->hook_user);
	pthread_mutex_lock(&fs->lock);
	return mark;
}

static int
crash_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	struct io *live = self_of(io)->live;

	return live->ops->pread(live, buf, len, offset);
}

static int
crash_pwrite(struct io *io, const void *buf, size_t len, uint64_t offset)
{
	struct crash_io *self = self_of(io);
	struct mem_data *data;
	int err;

	pthread_mutex_lock(&self->fs->lock);
	err = self->live->ops->pwrite(self->live, buf, len, offset);
	if (!err && len) {
		data = live_data(self);
		crash_log_write(&self->fs->log, self->file, data, offset, len);
		mem_data_free(data);
	}
	pthread_mutex_unlock(&self->fs->lock);
	return err;
}

static int
crash_pwrite_durable(struct io *io, const void *buf, size_t len,
		     uint64_t offset)
{
	struct crash_io *self = self_of(io);
	struct mem_data *data;
	uint64_t mark;
	int err;

	err = crash_pwrite(io, buf, len, offset);
	if (err || !len)
		return err;
	mark = crash_begin_flush(&data, self->fs, io);
	crash_log_flush_range(self->file, data, mark, offset, len);
	mem_data_free(data);
	pthread_mutex_unlock(&self->fs->lock);
	return 0;
}

static uint64_t
draw(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 11) % below;
}

static int
crash_flush(struct io *io)
{
	struct crash_io *self = self_of(io);
	struct mem_data *data;
	uint64_t mark = crash_begin_flush(&data, self->fs, io);
	bool lost = self->fs->fail_next;

	if (lost) {
		self->fs->fail_next = false;
		self->fs->failed = true;
		crash_log_lose(self->file, mark, draw, &self->fs->fail_state);
	} else {
		crash_log_flush(self->file, data, mark);
	}
	mem_data_free(data);
	pthread_mutex_unlock(&self->fs->lock);
	return lost ? fail_sys(EIO, "%s: this flush was told to fail", io->name)
		    : 0;
}

static int
crash_size(uint64_t *ret, struct io *io)
{
	struct io *live = self_of(io)->live;

	return live->ops->size(ret, live);
}

static int
crash_actual_size(uint64_t *ret, struct io *io)
{
	struct io *live = self_of(io)->live;

	return live->ops->actual_size(ret, live);
}

static int
crash_extent(bool *ret_data, uint64_t *ret_end, struct io *io, uint64_t offset)
{
	struct io *live = self_of(io)->live;

	return live->ops->extent(ret_data, ret_end, live, offset);
}

static int
crash_truncate(struct io *io, uint64_t size)
{
	struct crash_io *self = self_of(io);
	struct mem_data *data;
	uint64_t old;
	int err;

	pthread_mutex_lock(&self->fs->lock);
	err = self->live->ops->size(&old, self->live);
	if (!err)
		err = self->live->ops->truncate(self->live, size);
	if (!err) {
		data = live_data(self);
		crash_log_resize(&self->fs->log, self->file, data, old);
		mem_data_free(data);
	}
	pthread_mutex_unlock(&self->fs->lock);
	return err;
}

/* Zeros, of which any sector may be lost. */
static int
crash_punch(struct io *io, uint64_t offset, uint64_t length)
{
	struct crash_io *self = self_of(io);
	struct mem_data *data;
	uint64_t size, end;
	int err;

	pthread_mutex_lock(&self->fs->lock);
	err = self->live->ops->punch(self->live, offset, length);
	if (!err) {
		data = live_data(self);
		size = mem_data_size(data);
		end = length < size - offset ? offset + length : size;
		if (offset < size && length)
			crash_log_write(&self->fs->log, self->file, data,
					offset, end - offset);
		mem_data_free(data);
	}
	pthread_mutex_unlock(&self->fs->lock);
	return err;
}

static int
crash_copy_range(struct io *to, uint64_t to_offset, struct io *from,
		 uint64_t from_offset, uint64_t length)
{
	(void)to_offset;
	(void)from_offset;
	(void)length;
	return fail(VHD_E_UNSUPPORTED, "%s: shares nothing with %s", to->name,
		    from->name);
}

static void
crash_readahead(struct io *io, uint64_t offset, uint64_t length)
{
	(void)io;
	(void)offset;
	(void)length;
}

static int
crash_lock(struct io *io, enum io_lock mode)
{
	struct io *live = self_of(io)->live;

	return live->ops->lock(live, mode);
}

static int
crash_close(struct io *io)
{
	int err = io_close(self_of(io)->live);

	free(io->name);
	free(io);
	return err;
}

static const struct io_ops crash_io_ops = {
	.pread = crash_pread,
	.pwrite = crash_pwrite,
	.pwrite_durable = crash_pwrite_durable,
	.flush = crash_flush,
	.size = crash_size,
	.actual_size = crash_actual_size,
	.truncate = crash_truncate,
	.punch = crash_punch,
	.extent = crash_extent,
	.copy_range = crash_copy_range,
	.readahead = crash_readahead,
	.lock = crash_lock,
	.close = crash_close,
};

struct io *
crash_io_new(struct crash_fs *fs, struct io *live, const char *path)
{
	struct crash_io *self = calloc(1, sizeof(*self));

	if (!self)
		abort();
	self->io = *live;
	self->io.ops = &crash_io_ops;
	self->io.name = strdup(path);
	self->live = live;
	self->fs = fs;
	self->file = crash_log_file(&fs->log, live->id.inode);
	return &self->io;
}
