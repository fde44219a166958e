/* SPDX-License-Identifier: BSD-3-Clause */
/* place.c - a disk, and the files of its snapshots. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/family.h"
#include "chain/names.h"
#include "tree/snapshot.h"

#define FILE_NAME_MOST 255

int
disk_place_init(struct disk_place *ret, const struct fs *fs, const char *disk,
		const struct vhd_snapshot_opts *opts)
{
	struct disk_place d = {.fs = fs, .opts = opts};
	struct fs_stat st;
	int err = fs->ops->resolve(&d.path, fs, disk);

	if (!err)
		err = fs->ops->stat(&st, fs, d.path);
	if (!err && !st.regular)
		err = fail(VHD_E_UNSUPPORTED,
			   "%s: snapshots need a regular file, because they "
			   "rename it",
			   disk);
	if (!err) {
		d.dir = path_directory(d.path);
		if (!d.dir)
			err = fail_nomem();
	}
	if (err)
		disk_place_free(&d);
	else
		*ret = d;
	return err;
}

void
disk_place_free(struct disk_place *d)
{
	free(d->path);
	free(d->dir);
}

/* ---- Find ---- */

struct wanted {
	const struct disk_place *d;
	const char *name;
	uint8_t uuid[16];
	bool is_uuid;
	char *found;
};

static bool
same_stem(const char *file, const char *name)
{
	size_t n = strlen(name);

	return !strcmp(file, name) ||
	       (!strncmp(file, name, n) && file[n] == '.' &&
		!strchr(file + n + 1, '.'));
}

static int
match(const char *path, const struct peek *peek, int err, void *user)
{
	struct wanted *w = user;

	if (err || !peek || !strcmp(path, w->d->path) || is_merging_path(path))
		return 0;
	if (w->is_uuid ? !uuid_equal(peek->found.footer.uuid, w->uuid)
		       : !same_stem(path_name(path), w->name))
		return 0;
	if (w->found)
		return fail(VHD_E_INVALID,
			    "%s: %s and %s both answer to that; give the "
			    "whole file name",
			    w->name, w->found, path);
	w->found = strdup(path);
	return w->found ? 0 : fail_nomem();
}

int
snapshot_find(char **ret, const struct disk_place *d, const char *name)
{
	struct wanted w = {.d = d, .name = name};
	AUTO_FREE char *path = NULL;
	struct fs_stat st;
	int err;

	if (snapshot_name_valid(name)) {
		path = snapshot_path(d->path, name);
		if (!path)
			return fail_nomem();
		if (d->fs->ops->stat(&st, d->fs, path) == 0) {
			*ret = TAKE(path);
			return 0;
		}
	}
	w.is_uuid = uuid_read(w.uuid, name);
	err = family_walk(d->fs, d->dir, match, &w);
	if (!err && !w.found)
		err = fail(VHD_E_NOTFOUND,
			   "%s: has no snapshot \"%s\"; try: vhdtool snapshot "
			   "list %s",
			   d->path, name, d->path);
	if (err)
		free(w.found);
	else
		*ret = w.found;
	return err;
}

int
snapshot_new_path(char **ret, const struct disk_place *d, const char *name)
{
	AUTO_FREE char *own = NULL, *path = NULL;
	struct fs_stat st;
	int err;

	if (!snapshot_name_valid(name))
		return fail(VHD_E_INVALID,
			    "\"%s\" cannot name a snapshot: 1 to %d bytes of "
			    "UTF-8 without control characters and "
			    "/ \\ : * ? \" < > | @, not starting with a dot, "
			    "not ending in a dot or space",
			    name, SNAPSHOT_NAME_MAX);
	err = snapshot_name(&own, d->path);
	if (err)
		return err;
	if (own)
		return fail(VHD_E_INVALID,
			    "%s: is the snapshot \"%s\" itself, by its name; "
			    "snapshots are taken of the disk, or of a clone",
			    d->path, own);
	path = snapshot_path(d->path, name);
	if (!path)
		return fail_nomem();
	if (strlen(path_name(path)) > FILE_NAME_MOST)
		return fail(VHD_E_INVALID,
			    "\"%s\" makes a file name of %zu bytes, at most "
			    "%d are possible",
			    name, strlen(path_name(path)), FILE_NAME_MOST);
	if (d->fs->ops->stat(&st, d->fs, path) == 0)
		return fail(VHD_E_EXISTS,
			    "%s: a snapshot \"%s\" exists already; delete or "
			    "rename it first",
			    d->path, name);
	*ret = TAKE(path);
	return 0;
}

/* ---- Children ---- */

int
snapshot_children(char ***ret, size_t *ret_n, const struct disk_place *d,
		  const char *path, const uint8_t uuid[static 16])
{
	size_t nsearch = d->opts->search ? d->opts->nsearch : 0;
	AUTO_FREE char *own = path_directory(path);
	AUTO_FREE const char **dirs = calloc(nsearch + 2, sizeof(*dirs));

	if (!own || !dirs)
		return fail_nomem();
	dirs[0] = own;
	dirs[1] = d->dir;
	for (size_t i = 0; i < nsearch; i++)
		dirs[i + 2] = d->opts->search[i];
	return family_children(ret, ret_n, d->fs, dirs, nsearch + 2, uuid,
			       path);
}

static int
temporary_path(char **ret, const char *path)
{
	AUTO_FREE char *dir = path_directory(path);
	char name[UUID_TEXT_SIZE + 16] = ".vhd-";
	uint8_t random[16];

	uuid_make(random);
	uuid_text(name + 5, random);
	strcat(name, PARTIAL_SUFFIX);
	*ret = dir ? path_join(dir, name) : NULL;
	return *ret ? 0 : fail_nomem();
}

static int
format_child(const struct fs *fs, const char *temp,
	     const struct image_create *how)
{
	struct io *io;
	int err = fs->ops->open(&io, fs, temp, FS_OPEN_WRITE | FS_OPEN_CREATE);

	if (err)
		return err;
	err = image_format(io, how);
	if (err) {
		struct error kept;

		error_save(&kept);
		(void)io_close(io);
		(void)fs->ops->unlink(fs, temp);
		return error_restore(&kept);
	}
	return io_close(io);
}

int
snapshot_child(char **ret_temp, const struct fs *fs, const char *path,
	       const char *parent_path, const struct image *parent)
{
	AUTO_FREE char *dir = path_directory(path);
	AUTO_FREE char *relative = NULL, *temp = NULL;
	struct image_create how = {
		.type = VHD_TYPE_DIFFERENCING,
		.size = parent->size,
		.block_size = image_is_sparse(parent) ? parent->block_size : 0,
		.created = time(NULL),
		.parent = &parent->footer,
	};
	int err;

	if (dir)
		relative = path_relative(dir, parent_path);
	if (!relative)
		return fail_nomem();
	how.parent_relative = relative;
	err = temporary_path(&temp, path);
	if (!err)
		err = format_child(fs, temp, &how);
	if (!err)
		*ret_temp = TAKE(temp);
	return err;
}
