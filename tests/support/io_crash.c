/* SPDX-License-Identifier: BSD-3-Clause */
/* io_crash.c - a memory file system whose every change of names goes into a
 * log, as those of its files do (crash_io.c). */
#include "io_crash.h"

#include <stdlib.h>
#include <string.h>

#include "crash_log.h"

/* [lock] */
static int
open_live(struct io **ret, struct crash_fs *fs, const char *path,
	  unsigned flags)
{
	struct io *live;
	char *name;
	int err;

	err = fs->live->ops->open(&live, fs->live, path, flags);
	if (err)
		return err;
	*ret = crash_io_new(fs, live, path);
	if (flags & FS_OPEN_CREATE) {
		name = mem_path(path);
		crash_log_name(&fs->log, name,
			       crash_log_file(&fs->log, live->id.inode));
		free(name);
	}
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
	uint64_t mark = crash_begin_flush(NULL, self, NULL);

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

static int
crash_set_mtime(const struct fs *fs, const char *path, const struct fs_stat *to)
{
	const struct fs *live = crash_fs_of(fs)->live;

	return live->ops->set_mtime(live, path, to);
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
	.set_mtime = crash_set_mtime,
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

void
crash_fail_flush(struct fs *fs, uint64_t seed)
{
	struct crash_fs *self = crash_fs_of(fs);

	pthread_mutex_lock(&self->lock);
	self->fail_next = seed != 0;
	self->fail_state = seed;
	pthread_mutex_unlock(&self->lock);
}

bool
crash_flush_failed(const struct fs *fs)
{
	return crash_fs_of(fs)->failed;
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
