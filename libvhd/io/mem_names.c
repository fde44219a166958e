/* SPDX-License-Identifier: BSD-3-Clause */
/* mem_names.c - the names in a memory file system: a list, as there are
 * few. */
#include "io/mem_names.h"

#include <string.h>

char *
mem_path(const char *path)
{
	char *ret = malloc(strlen(path) + 2);
	size_t at = 0;

	while (ret && *path) {
		size_t part = strcspn(path, "/");

		if (part == 2 && memcmp(path, "..", 2) == 0) {
			while (at && ret[--at] != '/')
				;
		} else if (part && !(part == 1 && *path == '.')) {
			ret[at++] = '/';
			memcpy(ret + at, path, part);
			at += part;
		}
		path += part;
		path += *path == '/';
	}
	if (ret && at == 0)
		ret[at++] = '/';
	if (ret)
		ret[at] = '\0';
	return ret;
}

struct mem_name *
mem_names_find(struct mem_fs *fs, const char *path)
{
	for (size_t i = 0; i < fs->n; i++)
		if (strcmp(fs->names[i].path, path) == 0)
			return &fs->names[i];
	return NULL;
}

int
mem_names_add(struct mem_fs *fs, char *path, struct mem_node *node)
{
	size_t room = fs->room ? fs->room * 2 : 8;
	struct mem_name *more;

	if (fs->n == fs->room) {
		more = realloc(fs->names, room * sizeof(*more));
		if (!more) {
			free(path);
			mem_node_unuse(node);
			return fail_nomem();
		}
		fs->names = more;
		fs->room = room;
	}
	fs->names[fs->n++] = (struct mem_name){path, node};
	return 0;
}

void
mem_names_remove(struct mem_fs *fs, struct mem_name *name)
{
	free(name->path);
	mem_node_unuse(name->node);
	*name = fs->names[--fs->n];
}

int
mem_names_make(struct mem_fs *fs, struct mem_data *data, char *path)
{
	struct mem_node *node = NULL;
	int err;

	err = mem_node_new(&node, &fs->volume, fs->next_inode, data);
	if (err) {
		free(path);
		return err;
	}
	fs->next_inode++;
	return mem_names_add(fs, path, node);
}

int
mem_fs_new(struct fs **ret)
{
	struct mem_fs *self = calloc(1, sizeof(*self));

	if (!self)
		return fail_nomem();
	self->fs.ops = &mem_fs_ops;
	self->volume.limit = UINT64_MAX / MEM_PAGE / 2;
	self->volume.now = 1000000000;
	self->next_inode = 1;
	pthread_mutex_init(&self->lock, NULL);
	*ret = &self->fs;
	return 0;
}

void
mem_fs_free(struct fs *fs)
{
	struct mem_fs *self = mem_fs_of(fs);

	if (!self)
		return;
	while (self->n)
		mem_names_remove(self, &self->names[self->n - 1]);
	free(self->names);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

void
mem_fs_set_limit(struct fs *fs, uint64_t bytes)
{
	mem_fs_of(fs)->volume.limit = bytes / MEM_PAGE;
}

void
mem_fs_set_time(struct fs *fs, int64_t now)
{
	mem_fs_of(fs)->volume.now = now;
}

int
mem_fs_put_data(struct fs *fs, const char *path, struct mem_data *data)
{
	struct mem_fs *self = mem_fs_of(fs);
	char *copy = mem_path(path);
	struct mem_name *name;
	int err = 0;

	if (!copy)
		return fail_nomem();
	pthread_mutex_lock(&self->lock);
	name = mem_names_find(self, copy);
	if (name) {
		mem_node_replace(name->node, data);
		free(copy);
	} else {
		err = mem_names_make(self, data, copy);
	}
	pthread_mutex_unlock(&self->lock);
	return err;
}

int
mem_fs_put(struct fs *fs, const char *path, const void *bytes, size_t len)
{
	struct mem_data *data = NULL;
	int err;

	err = mem_data_new(&data);
	if (err)
		return err;
	err = mem_data_write(&data, bytes, len, 0);
	if (!err)
		err = mem_fs_put_data(fs, path, data);
	mem_data_free(data);
	return err;
}

int
mem_fs_get_data(struct mem_data **ret, struct fs *fs, const char *path)
{
	struct mem_fs *self = mem_fs_of(fs);
	AUTO_FREE char *copy = mem_path(path);
	struct mem_name *name;
	int err = 0;

	if (!copy)
		return fail_nomem();
	pthread_mutex_lock(&self->lock);
	name = mem_names_find(self, copy);
	if (name)
		*ret = mem_node_data(name->node);
	else
		err = fail(VHD_E_NOTFOUND, "%s: cannot find", path);
	pthread_mutex_unlock(&self->lock);
	return err;
}
