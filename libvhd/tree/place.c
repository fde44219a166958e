/* SPDX-License-Identifier: BSD-3-Clause */
/* place.c - a disk, and the files of its snapshots. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "tree/snapshot.h"

#define FILE_NAME_MOST 255

/* Whose name has an @ would be taken for a snapshot of another disk. */
static int
check_name(const char *path)
{
	AUTO_FREE char *disk = disk_path(path);

	if (!disk)
		return fail_nomem();
	if (!strcmp(disk, path))
		return 0;
	return fail(VHD_E_INVALID,
		    "%s: has an @ in its name, as snapshots have; name the "
		    "disk itself (%s?), or rename the file",
		    path, path_name(disk));
}

static int
find_dirs(struct disk_place *d)
{
	size_t n = d->opts->search ? d->opts->nsearch : 0;
	int err = 0;

	d->dirs = calloc(n + 1, sizeof(*d->dirs));
	if (!d->dirs)
		return fail_nomem();
	d->dirs[0] = path_directory(d->path);
	if (!d->dirs[0])
		return fail_nomem();
	for (d->ndirs = 1; d->ndirs <= n && !err; d->ndirs++)
		err = d->fs->ops->resolve(&d->dirs[d->ndirs], d->fs,
					  d->opts->search[d->ndirs - 1]);
	return err;
}

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
	if (!err)
		err = check_name(d.path);
	if (!err)
		err = find_dirs(&d);
	if (err) {
		struct error kept;

		error_save(&kept);
		disk_place_free(&d);
		return error_restore(&kept);
	}
	*ret = d;
	return 0;
}

void
disk_place_free(struct disk_place *d)
{
	disk_let_go(d);
	family_free_paths(d->dirs, d->ndirs);
	free(d->path);
}

int
disk_hold(struct disk_place *d)
{
	AUTO(io_close) struct io *io = NULL;
	int err;

	if (d->held)
		return 0;
	err = d->fs->ops->open(&io, d->fs, d->path, 0);
	if (!err)
		err = io->ops->lock(io, IO_LOCK_WRITE);
	if (err)
		return err;
	d->held = TAKE(io);
	return 0;
}

void
disk_let_go(struct disk_place *d)
{
	(void)io_close(d->held);
	d->held = NULL;
}

struct chain_opts
disk_chain_opts(const struct disk_place *d, uint32_t flags)
{
	if (d->opts->flags & VHD_SNAPSHOT_RAW_PARENT)
		flags |= VHD_OPEN_RAW_PARENT;
	return (struct chain_opts){.flags = flags,
				   .max_depth = d->opts->max_depth,
				   .search = (const char *const *)d->dirs,
				   .nsearch = d->ndirs};
}

uint32_t
disk_max_depth(const struct disk_place *d)
{
	uint32_t most = d->opts->max_depth;

	if (!most)
		most = CHAIN_DEPTH_DEFAULT;
	return most < OWNER_LAYERS ? most : OWNER_LAYERS;
}

static int
check_snapshot_name(const char *name)
{
	if (snapshot_name_valid(name))
		return 0;
	return fail(VHD_E_INVALID,
		    "\"%s\" cannot name a snapshot: 1 to %d bytes of UTF-8 "
		    "without control characters and / \\ : * ? \" < > | @, "
		    "not starting with a dot, not ending in a dot or space",
		    name, SNAPSHOT_NAME_MAX);
}

/* The file's name must tell the snapshot's again. */
static int
check_file_name(const char *file, const char *disk, const char *name)
{
	AUTO_FREE char *of = disk_path(file), *called = NULL;
	int err = of ? snapshot_name(&called, file) : fail_nomem();

	if (err)
		return err;
	if (strlen(file) > FILE_NAME_MOST)
		return fail(VHD_E_INVALID,
			    "\"%s\" makes a file name of %zu bytes, at most "
			    "%d are possible",
			    name, strlen(file), FILE_NAME_MOST);
	if (called && !strcmp(called, name) && !strcmp(of, disk))
		return 0;
	return fail(VHD_E_INVALID,
		    "\"%s\": its end would be taken for the extension of the "
		    "file %s; choose a name without a dot",
		    name, file);
}

static int
path_beside(char **ret, const char *disk, const char *beside, const char *name)
{
	AUTO_FREE char *path = NULL, *dir = path_directory(beside);
	AUTO_FREE char *own = NULL;
	int err = check_snapshot_name(name);

	if (err)
		return err;
	own = snapshot_path(path_name(disk), name);
	if (dir && own)
		path = path_join(dir, own);
	if (!path)
		return fail_nomem();
	err = check_file_name(own, path_name(disk), name);
	if (!err)
		*ret = TAKE(path);
	return err;
}

int
disk_snapshot_path(char **ret, const char *disk, const char *name)
{
	int err = check_name(disk);

	return err ? err : path_beside(ret, disk, disk, name);
}

int
snapshot_new_path(char **ret, const struct fs *fs, const char *disk,
		  const char *beside, const char *name)
{
	AUTO_FREE char *path = NULL;
	struct fs_stat st;
	int err = path_beside(&path, disk, beside, name);

	if (err)
		return err;
	err = fs->ops->stat(&st, fs, path);
	if (!err)
		return fail(VHD_E_EXISTS,
			    "%s: a snapshot \"%s\" exists already; delete or "
			    "rename it first",
			    disk, name);
	if (err != VHD_E_NOTFOUND)
		return err;
	*ret = TAKE(path);
	return 0;
}
