/* SPDX-License-Identifier: BSD-3-Clause */
/* fs_mem.c - a file system in memory: opening, looking, changing names. */
#include <errno.h>
#include <string.h>

#include "io/io_mem.h"
#include "io/mem_names.h"

static int
fail_missing(const char *path)
{
	return fail_sys(ENOENT, "%s: cannot find", path);
}

/* Two paths in their one form, the file system locked, and the name of the
 * first: what every change of names begins with. */
struct change {
	struct mem_fs *fs;
	char *from, *to; /* owned */
	struct mem_name *name;
};

static int
change_begin(struct change *ret, const struct fs *fs, const char *from,
	     const char *to)
{
	struct change change = {
		.fs = mem_fs_of(fs),
		.from = mem_path(from),
		.to = mem_path(to),
	};

	pthread_mutex_lock(&change.fs->lock);
	*ret = change;
	if (!change.from || !change.to)
		return fail_nomem();
	ret->name = mem_names_find(change.fs, change.from);
	return ret->name ? 0 : fail_missing(from);
}

static void
change_end(struct change *change)
{
	pthread_mutex_unlock(&change->fs->lock);
	free(change->from);
	free(change->to);
}

/* Takes over path. [lock] */
static int
create_file(struct mem_fs *fs, char *path)
{
	struct mem_data *data = NULL;
	int err;

	err = mem_data_new(&data);
	if (err) {
		free(path);
		return err;
	}
	err = mem_names_make(fs, data, path);
	mem_data_free(data);
	return err;
}

/* Find or create; takes over path, and gives a use of the node. [lock] */
static int
open_node(struct mem_node **ret, struct mem_fs *fs, char *path, unsigned flags)
{
	struct mem_name *name = mem_names_find(fs, path);
	int err = 0;

	if (flags & FS_OPEN_CREATE) {
		if (name) {
			err = fail_sys(EEXIST, "%s: exists already", path);
			free(path);
			return err;
		}
		err = create_file(fs, path);
		name = err ? NULL : &fs->names[fs->n - 1];
	} else {
		if (!name)
			err = fail_missing(path);
		else if ((flags & FS_OPEN_WRITE) && name->node->readonly)
			err = fail_sys(EACCES, "%s: cannot open for writing",
				       path);
		free(path);
	}
	if (err)
		return err;
	atomic_fetch_add(&name->node->users, 1);
	*ret = name->node;
	return 0;
}

static int
mem_open(struct io **ret, const struct fs *fs, const char *path, unsigned flags)
{
	struct mem_fs *self = mem_fs_of(fs);
	char *copy = mem_path(path);
	struct mem_node *node = NULL;
	int err;

	if (!copy)
		return fail_nomem();
	pthread_mutex_lock(&self->lock);
	err = open_node(&node, self, copy, flags);
	pthread_mutex_unlock(&self->lock);
	if (err)
		return err;
	return mem_io_new(ret, node, path, (uint64_t)(uintptr_t)self,
			  flags & (FS_OPEN_WRITE | FS_OPEN_CREATE));
}

/* Is path a directory that the file name is somewhere in? */
static bool
is_below(const char *name, const char *path)
{
	size_t len = strlen(path);

	return len == 1 || (strncmp(name, path, len) == 0 && name[len] == '/');
}

/* [lock] */
static void
fill_stat(struct fs_stat *ret, struct mem_fs *fs, struct mem_node *node)
{
	struct mem_data *data = mem_node_data(node);

	*ret = (struct fs_stat){
		.id = {(uint64_t)(uintptr_t)fs, node->inode},
		.size = mem_data_size(data),
		.mtime = node->mtime,
		.regular = true,
		.readonly = node->readonly,
	};
	for (size_t i = 0; i < fs->n; i++)
		ret->links += fs->names[i].node == node;
	mem_data_free(data);
}

static int
mem_stat(struct fs_stat *ret, const struct fs *fs, const char *path)
{
	struct change change;
	int err;

	err = change_begin(&change, fs, path, path);
	if (!err)
		fill_stat(ret, change.fs, change.name->node);
	for (size_t i = 0; err == VHD_E_NOTFOUND && i < change.fs->n; i++)
		if (is_below(change.fs->names[i].path, change.from)) {
			*ret = (struct fs_stat){.directory = true, .links = 1};
			err = 0;
		}
	change_end(&change);
	return err;
}

static int
mem_free_space(uint64_t *ret, const struct fs *fs, const char *path)
{
	struct mem_volume *volume = &mem_fs_of(fs)->volume;
	uint64_t used = volume->pages, limit = volume->limit;

	(void)path;
	*ret = used < limit ? (limit - used) * MEM_PAGE : 0;
	return 0;
}

/* [lock] */
static void
move_name(struct change *change)
{
	struct mem_name *target = mem_names_find(change->fs, change->to);

	if (target && target->node == change->name->node)
		return;
	free(change->name->path);
	change->name->path = TAKE(change->to);
	if (target)
		mem_names_remove(change->fs, target);
}

static int
mem_rename(const struct fs *fs, const char *from, const char *to)
{
	struct change change;
	int err;

	err = change_begin(&change, fs, from, to);
	if (!err)
		move_name(&change);
	change_end(&change);
	return err;
}

static int
mem_exchange(const struct fs *fs, const char *a, const char *b)
{
	struct mem_name *other = NULL;
	struct change change;
	int err;

	err = change_begin(&change, fs, a, b);
	if (!err)
		other = mem_names_find(change.fs, change.to);
	if (!err && !other)
		err = fail_missing(b);
	if (!err) {
		struct mem_node *node = other->node;

		other->node = change.name->node;
		change.name->node = node;
	}
	change_end(&change);
	return err;
}

static int
mem_link(const struct fs *fs, const char *from, const char *to)
{
	struct change change;
	int err;

	err = change_begin(&change, fs, from, to);
	if (!err && mem_names_find(change.fs, change.to))
		err = fail_sys(EEXIST, "%s: exists already", to);
	if (!err) {
		atomic_fetch_add(&change.name->node->users, 1);
		err = mem_names_add(change.fs, TAKE(change.to),
				    change.name->node);
	}
	change_end(&change);
	return err;
}

static int
mem_unlink(const struct fs *fs, const char *path)
{
	struct change change;
	int err;

	err = change_begin(&change, fs, path, path);
	if (!err)
		mem_names_remove(change.fs, change.name);
	change_end(&change);
	return err;
}

static int
mem_sync_dir(const struct fs *fs, const char *path)
{
	(void)fs;
	(void)path;
	return 0;
}

/* A copy of the names in dir, so that fn may change them; NULL: of every
 * path. [lock] */
static int
copy_names(char ***ret, size_t *ret_n, struct mem_fs *fs, const char *dir)
{
	size_t skip = dir ? strlen(dir) + (dir[1] != '\0') : 0;
	char **names = calloc(fs->n + 1, sizeof(*names));
	size_t n = 0;

	if (!names)
		return fail_nomem();
	for (size_t i = 0; i < fs->n; i++) {
		const char *path = fs->names[i].path;

		if (!dir || (is_below(path, dir) && !strchr(path + skip, '/')))
			names[n++] = strdup(path + skip);
	}
	*ret = names;
	*ret_n = n;
	return 0;
}

static int
each_name(struct mem_fs *fs, const char *dir, fs_list_fn fn, void *user)
{
	AUTO_FREE char **names = NULL;
	size_t n = 0;
	int err;

	pthread_mutex_lock(&fs->lock);
	err = copy_names(&names, &n, fs, dir);
	pthread_mutex_unlock(&fs->lock);
	for (size_t i = 0; i < n; i++) {
		if (!err)
			err = names[i] ? fn(names[i], user) : fail_nomem();
		free(names[i]);
	}
	return err;
}

static int
mem_list(const struct fs *fs, const char *dir, fs_list_fn fn, void *user)
{
	AUTO_FREE char *path = mem_path(dir);

	if (!path)
		return fail_nomem();
	return each_name(mem_fs_of(fs), path, fn, user);
}

int
mem_fs_each(const struct fs *fs, fs_list_fn fn, void *user)
{
	return each_name(mem_fs_of(fs), NULL, fn, user);
}

static int
mem_resolve(char **ret, const struct fs *fs, const char *path)
{
	struct fs_stat st;
	char *copy;
	int err;

	err = mem_stat(&st, fs, path);
	if (err)
		return err;
	copy = mem_path(path);
	if (!copy)
		return fail_nomem();
	*ret = copy;
	return 0;
}

static int
mem_copy_attributes(const struct fs *fs, const char *from, const char *to)
{
	struct mem_name *other = NULL;
	struct change change;
	int err;

	err = change_begin(&change, fs, from, to);
	if (!err)
		other = mem_names_find(change.fs, change.to);
	if (!err && !other)
		err = fail_missing(to);
	if (!err) {
		const struct mem_node *node = change.name->node;

		other->node->mtime = node->mtime;
		other->node->readonly = node->readonly;
	}
	change_end(&change);
	return err;
}

static int
mem_set_readonly(const struct fs *fs, const char *path, bool on)
{
	struct change change;
	int err;

	err = change_begin(&change, fs, path, path);
	if (!err)
		change.name->node->readonly = on;
	change_end(&change);
	return err;
}

static int
mem_set_mtime(const struct fs *fs, const char *path, const struct fs_stat *to)
{
	struct change change;
	int err;

	err = change_begin(&change, fs, path, path);
	if (!err) {
		struct mem_node *node = change.name->node;

		pthread_rwlock_wrlock(&node->lock);
		node->mtime = to->mtime;
		pthread_rwlock_unlock(&node->lock);
	}
	change_end(&change);
	return err;
}

const struct fs_ops mem_fs_ops = {
	.open = mem_open,
	.stat = mem_stat,
	.free_space = mem_free_space,
	.rename = mem_rename,
	.exchange = mem_exchange,
	.link = mem_link,
	.unlink = mem_unlink,
	.sync_dir = mem_sync_dir,
	.list = mem_list,
	.resolve = mem_resolve,
	.copy_attributes = mem_copy_attributes,
	.set_readonly = mem_set_readonly,
	.set_mtime = mem_set_mtime,
};
