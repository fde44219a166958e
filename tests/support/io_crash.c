/* SPDX-License-Identifier: BSD-3-Clause */
/* io_crash.c - a memory file system whose every change goes into a log.
 *
 * One lock is held around each change, so that the log has the order in which
 * changes happened; reads go straight to the live file system. */
#include "io_crash.h"

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

/* What a flush covers: what completed before it was called.  Then the test
 * may look, and write more, which the flush does not cover.  self: NULL for a
 * directory. */
static uint64_t
begin_flush(struct mem_data **ret, struct crash_fs *fs, struct crash_io *self)
{
	uint64_t mark;
	bool pending;

	pthread_mutex_lock(&fs->lock);
	fs->flushes++;
	mark = fs->log.now;
	if (self)
		*ret = live_data(self);
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
	mark = begin_flush(&data, self->fs, self);
	crash_log_flush_range(self->file, data, mark, offset, len);
	mem_data_free(data);
	pthread_mutex_unlock(&self->fs->lock);
	return 0;
}

static int
crash_flush(struct io *io)
{
	struct crash_io *self = self_of(io);
	struct mem_data *data;
	uint64_t mark = begin_flush(&data, self->fs, self);

	crash_log_flush(self->file, data, mark);
	mem_data_free(data);
	pthread_mutex_unlock(&self->fs->lock);
	return 0;
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

/* [lock] */
static int
open_live(struct io **ret, struct crash_fs *fs, const char *path,
	  unsigned flags)
{
	struct crash_io *self;
	struct io *live;
	char *name;
	int err;

	err = fs->live->ops->open(&live, fs->live, path, flags);
	if (err)
		return err;
	self = calloc(1, sizeof(*self));
	if (!self)
		abort();
	self->io = *live;
	self->io.ops = &crash_io_ops;
	self->io.name = strdup(path);
	self->live = live;
	self->fs = fs;
	self->file = crash_log_file(&fs->log, live->id.inode);
	if (flags & FS_OPEN_CREATE) {
		name = mem_path(path);
		crash_log_name(&fs->log, name, self->file);
		free(name);
	}
	*ret = &self->io;
	return 0;
}

static int
crash_open(struct io **ret, const struct fs *fs, const char *path,
	   unsigned flags)
{
	struct crash_fs *self = crash_fs_of(fs);
	int err;

	pthread_mutex_lock(&self->lock);
	err = open_live(ret, self, path, flags);
	pthread_mutex_unlock(&self->lock);
	return err;
}

static int
crash_stat(struct fs_stat *ret, const struct fs *fs, const char *path)
{
	const struct fs *live = crash_fs_of(fs)->live;

	return live->ops->stat(ret, live, path);
}

static int
crash_free_space(uint64_t *ret, const struct fs *fs, const char *path)
{
	const struct fs *live = crash_fs_of(fs)->live;

	return live->ops->free_space(ret, live, path);
}

/* The file a name leads to; NULL when there is none. */
static struct crash_file *
file_at(struct crash_fs *fs, const char *path)
{
	struct fs_stat st;

	if (fs->live->ops->stat(&st, fs->live, path) || !st.regular)
		return NULL;
	return crash_log_file(&fs->log, st.id.inode);
}

typedef int (*two_names_fn)(const struct fs *fs, const char *a, const char *b);

/* Do it to the live names, and log what the two lead to now if that is not
 * what it was. */
static int
change_names(const struct fs *fs, two_names_fn fn, const char *a, const char *b)
{
	struct crash_fs *self = crash_fs_of(fs);
	char *a_path = mem_path(a), *b_path = mem_path(b);
	struct crash_file *a_old, *b_old, *a_new, *b_new;
	int err;

	pthread_mutex_lock(&self->lock);
	a_old = file_at(self, a);
	b_old = file_at(self, b);
	err = fn(self->live, a, b);
	a_new = file_at(self, a);
	b_new = file_at(self, b);
	if (!err && (a_old != a_new || b_old != b_new))
		crash_log_names(&self->log, a_path, a_new, b_path, b_new);
	pthread_mutex_unlock(&self->lock);
	free(a_path);
	free(b_path);
	return err;
}

static int
crash_rename(const struct fs *fs, const char *from, const char *to)
{
	return change_names(fs, crash_fs_of(fs)->live->ops->rename, from, to);
}

static int
crash_exchange(const struct fs *fs, const char *a, const char *b)
{
	return change_names(fs, crash_fs_of(fs)->live->ops->exchange, a, b);
}

static int
crash_link(const struct fs *fs, const char *from, const char *to)
{
	return change_names(fs, crash_fs_of(fs)->live->ops->link, from, to);
}

static int
crash_unlink(const struct fs *fs, const char *path)
{
	struct crash_fs *self = crash_fs_of(fs);
	char *name = mem_path(path);
	int err;

	pthread_mutex_lock(&self->lock);
	err = self->live->ops->unlink(self->live, path);
	if (!err)
		crash_log_name(&self->log, name, NULL);
	pthread_mutex_unlock(&self->lock);
	free(name);
	return err;
}

static int
crash_sync_dir(const struct fs *fs, const char *path)
{
	struct crash_fs *self = crash_fs_of(fs);
	char *name = mem_path(path);
	uint64_t mark = begin_flush(NULL, self, NULL);

	crash_log_sync_dir(&self->log, name, mark);
	pthread_mutex_unlock(&self->lock);
	free(name);
	return 0;
}

static int
crash_list(const struct fs *fs, const char *dir, fs_list_fn fn, void *user)
{
	const struct fs *live = crash_fs_of(fs)->live;

	return live->ops->list(live, dir, fn, user);
}

static int
crash_resolve(char **ret, const struct fs *fs, const char *path)
{
	const struct fs *live = crash_fs_of(fs)->live;

	return live->ops->resolve(ret, live, path);
}

static int
crash_copy_attributes(const struct fs *fs, const char *from, const char *to)
{
	const struct fs *live = crash_fs_of(fs)->live;

	return live->ops->copy_attributes(live, from, to);
}

static int
crash_set_readonly(const struct fs *fs, const char *path, bool on)
{
	const struct fs *live = crash_fs_of(fs)->live;

	return live->ops->set_readonly(live, path, on);
}

static const struct fs_ops crash_fs_ops = {
	.open = crash_open,
	.stat = crash_stat,
	.free_space = crash_free_space,
	.rename = crash_rename,
	.exchange = crash_exchange,
	.link = crash_link,
	.unlink = crash_unlink,
	.sync_dir = crash_sync_dir,
	.list = crash_list,
	.resolve = crash_resolve,
	.copy_attributes = crash_copy_attributes,
	.set_readonly = crash_set_readonly,
};

int
crash_fs_new(struct fs **ret)
{
	struct crash_fs *self = calloc(1, sizeof(*self));
	int err;

	if (!self)
		return fail_nomem();
	err = mem_fs_new(&self->live);
	if (err) {
		free(self);
		return err;
	}
	self->fs.ops = &crash_fs_ops;
	pthread_mutex_init(&self->lock, NULL);
	*ret = &self->fs;
	return 0;
}

void
crash_fs_free(struct fs *fs)
{
	struct crash_fs *self = crash_fs_of(fs);

	if (!self)
		return;
	crash_log_free(&self->log);
	mem_fs_free(self->live);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

struct adoption {
	struct crash_fs *to;
	const struct fs *from;
	/* For each inode seen, one path. */
	struct adopted {
		uint64_t inode;
		char *path;
	} * seen;
	size_t n, room;
};

/* A second name of a file that is there already? */
static int
adopt_link(bool *ret, struct adoption *adoption, const char *path)
{
	const struct fs *live = adoption->to->live;
	struct fs_stat st;
	int err;

	err = adoption->from->ops->stat(&st, adoption->from, path);
	if (err)
		return err;
	for (size_t i = 0; i < adoption->n; i++)
		if (adoption->seen[i].inode == st.id.inode) {
			*ret = true;
			return live->ops->link(live, adoption->seen[i].path,
					       path);
		}
	CRASH_GROW(adoption->seen, adoption->n, adoption->room);
	adoption->seen[adoption->n++] =
		(struct adopted){st.id.inode, mem_path(path)};
	return 0;
}

static int
adopt_content(struct adoption *adoption, const char *path)
{
	struct mem_data *data;
	int err;

	err = mem_fs_get_data(&data, (struct fs *)(uintptr_t)adoption->from,
			      path);
	if (err)
		return err;
	err = mem_fs_put_data(adoption->to->live, path, data);
	if (!err)
		crash_log_flush(file_at(adoption->to, path), data, UINT64_MAX);
	mem_data_free(data);
	return err;
}

static int
adopt_file(const char *path, void *user)
{
	struct adoption *adoption = user;
	struct crash_log *log = &adoption->to->log;
	bool linked = false;
	int err;

	err = adopt_link(&linked, adoption, path);
	if (!err && !linked)
		err = adopt_content(adoption, path);
	if (!err) {
		crash_log_name(log, path, file_at(adoption->to, path));
		crash_log_sync_dir(log, path, log->now);
	}
	return err;
}

int
crash_fs_from(struct fs **ret, const struct fs *memory)
{
	AUTO(crash_fs_free) struct fs *fs = NULL;
	struct adoption adoption = {.from = memory};
	int err;

	err = crash_fs_new(&fs);
	if (err)
		return err;
	adoption.to = crash_fs_of(fs);
	err = mem_fs_each(memory, adopt_file, &adoption);
	for (size_t i = 0; i < adoption.n; i++)
		free(adoption.seen[i].path);
	free(adoption.seen);
	if (!err)
		*ret = TAKE(fs);
	return err;
}

void
crash_set_hook(struct fs *fs, crash_hook hook, void *user)
{
	struct crash_fs *self = crash_fs_of(fs);

	pthread_mutex_lock(&self->lock);
	self->hook = hook;
	self->hook_user = user;
	pthread_mutex_unlock(&self->lock);
}

uint64_t
crash_flushes(const struct fs *fs)
{
	return crash_fs_of(fs)->flushes;
}

struct fs *
crash_live(const struct fs *fs)
{
	return crash_fs_of(fs)->live;
}
