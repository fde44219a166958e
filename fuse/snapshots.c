/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshots.c - the snapshots of a disk.
 */
#include "snapshots.h"

#include "say.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the paths of all have in common.  A disk with an @ in its name has
 * none. */
static int
split(struct snapshots *ret, const char *path)
{
	const char *at = strrchr(path, '@'), *name = strrchr(path, '/') + 1;

	ret->dir = strndup(path, (size_t)(name - path));
	ret->stem = strndup(name, (size_t)(at + 1 - name));
	ret->ending = strdup(at + 2);
	return ret->dir && ret->stem && ret->ending ? 0 : -ENOMEM;
}

int
snapshots_init(struct snapshots *ret, const struct args *args)
{
	char *path;
	int err;

	*ret = (struct snapshots){.args = args};
	pthread_mutex_init(&ret->lock, NULL);
	err = vhd_snapshot_path(&path, args->disk, "x");
	if (err)
		return err == VHD_E_INVALID ? 0 : -ENOMEM;
	err = split(ret, path);
	free(path);
	return err;
}

void
snapshots_free(struct snapshots *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct snapshot *s = all->known[i];

		(void)vhd_close(s->disk);
		free(s->name);
		free(s->path);
		free(s);
	}
	free(all->known);
	free(all->dir);
	free(all->stem);
	free(all->ending);
	pthread_mutex_destroy(&all->lock);
}

/* The NAME in disk@NAME.vhd, or NULL. */
static char *
name_of_file(const struct snapshots *all, const char *file)
{
	size_t stem = strlen(all->stem), ending = strlen(all->ending);
	size_t length = strlen(file);

	if (length <= stem + ending || strncmp(file, all->stem, stem) != 0 ||
	    strcmp(file + length - ending, all->ending) != 0)
		return NULL;
	return strndup(file + stem, length - stem - ending);
}

/* NULL when no snapshot can be called so; what an interrupted merge left
 * cannot. */
static char *
path_of_name(const struct snapshots *all, const char *name)
{
	char *path;

	return vhd_snapshot_path(&path, all->args->disk, name) ? NULL : path;
}

/* A snapshot that is the same file as the disk is not finished yet. */
static int
stat_file(struct stat *ret, const struct snapshots *all, const char *path)
{
	struct stat st, live;

	if (lstat(path, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOENT;
	if (stat(all->args->disk, &live) == 0 && live.st_dev == st.st_dev &&
	    live.st_ino == st.st_ino)
		return -ENOENT;
	*ret = st;
	return 0;
}

int
snapshots_list(struct snapshots *all, snapshot_fn fn, void *user)
{
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	if (!all->dir)
		return 0;
	dir = opendir(all->dir);
	if (!dir)
		return -errno;
	while (!err && (entry = readdir(dir))) {
		char *name = name_of_file(all, entry->d_name);
		char *path = name ? path_of_name(all, name) : NULL;
		struct stat st;

		if (path && !stat_file(&st, all, path))
			err = fn(name, user);
		free(name);
		free(path);
	}
	closedir(dir);
	return err;
}

/* Add a name to those that are known; the lock is held. */
static int
add(struct snapshots *all, const char *name)
{
	struct snapshot **more;
	struct snapshot *s;

	more = realloc(all->known, (all->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	all->known = more;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->name = strdup(name);
	s->path = path_of_name(all, name);
	if (!s->name || !s->path) {
		free(s->name);
		free(s->path);
		free(s);
		return -ENOMEM;
	}
	all->known[all->count++] = s;
	return 0;
}

int
snapshots_find(size_t *ret, struct snapshots *all, const char *name)
{
	char *path = path_of_name(all, name);
	struct stat st;
	size_t i = 0;
	int err = path ? stat_file(&st, all, path) : -ENOENT;

	free(path);
	if (err)
		return err;
	pthread_mutex_lock(&all->lock);
	while (i < all->count && strcmp(all->known[i]->name, name) != 0)
		i++;
	if (i == all->count)
		err = add(all, name);
	pthread_mutex_unlock(&all->lock);
	if (!err)
		*ret = i;
	return err;
}

static struct snapshot *
at(struct snapshots *all, size_t index)
{
	struct snapshot *s = NULL;

	pthread_mutex_lock(&all->lock);
	if (index < all->count)
		s = all->known[index];
	pthread_mutex_unlock(&all->lock);
	return s;
}

static int
failure(void)
{
	int number = vhd_errno();

	say_sometimes("%s", vhd_last_message());
	return number > 0 ? -number : -EIO;
}

static struct vhd_open_opts
open_opts(const struct args *args, uint32_t flags)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;

	opts.flags = flags;
	if (args->raw_parent)
		opts.flags |= VHD_OPEN_RAW_PARENT;
	opts.search = args->search;
	opts.nsearch = args->nsearch;
	return opts;
}

/* Ask the file itself, without its parents and without a lock. */
static int
read_size(uint64_t *ret, const struct snapshots *all, const char *path)
{
	struct vhd_open_opts opts =
		open_opts(all->args, VHD_OPEN_NOPARENT | VHD_OPEN_NOLOCK);
	vhd_t *disk = NULL;

	if (vhd_open(&disk, path, &opts))
		return failure();
	*ret = vhd_size(disk);
	(void)vhd_close(disk);
	return 0;
}

static bool
is_unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

int
snapshots_stat(struct stat *ret, uint64_t *ret_size, struct snapshots *all,
	       size_t index)
{
	struct snapshot *s = at(all, index);
	struct stat st;
	int err = s ? stat_file(&st, all, s->path) : -ESTALE;

	if (err)
		return err;
	pthread_mutex_lock(&all->lock);
	if (!is_unchanged(&st, &s->seen)) {
		err = read_size(&s->size, all, s->path);
		if (!err)
			s->seen = st;
	}
	*ret_size = s->size;
	pthread_mutex_unlock(&all->lock);
	*ret = st;
	return err;
}

int
snapshots_open(vhd_t **ret, struct snapshots *all, size_t index)
{
	struct vhd_open_opts opts = open_opts(all->args, VHD_OPEN_RDONLY);
	struct snapshot *s = at(all, index);
	int err = 0;

	if (!s)
		return -ESTALE;
	pthread_mutex_lock(&all->lock);
	if (!s->disk && vhd_open(&s->disk, s->path, &opts))
		err = failure();
	if (!err) {
		s->users++;
		*ret = s->disk;
	}
	pthread_mutex_unlock(&all->lock);
	return err;
}

void
snapshots_close(struct snapshots *all, size_t index)
{
	struct snapshot *s = at(all, index);

	pthread_mutex_lock(&all->lock);
	if (s && --s->users == 0) {
		(void)vhd_close(s->disk);
		s->disk = NULL;
	}
	pthread_mutex_unlock(&all->lock);
}
