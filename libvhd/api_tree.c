/* SPDX-License-Identifier: BSD-3-Clause */
/* api_tree.c - the door to trees and snapshots. */
#include <vhd.h>

#include "base/error.h"
#include "door.h"
#include "info.h"
#include "tree/relink.h"
#include "tree/scan.h"
#include "tree/snapshot.h"

int
vhd_relink(const char *path, const char *const *search, size_t nsearch,
	   bool dry_run, vhd_relinked_fn fn, void *user)
{
	int err = door_need(path, "path");

	return err ? err
		   : tree_relink(&fs_posix, path, search, search ? nsearch : 0,
				 dry_run, fn, user);
}

int
vhd_tree_scan(vhd_tree_t **ret, const char *const *paths, size_t npaths)
{
	int err = door_need(ret, "ret");

	if (!err)
		err = door_need(paths, "paths");
	return err ? err : tree_scan(ret, &fs_posix, paths, npaths);
}

void
vhd_tree_free(vhd_tree_t *tree)
{
	tree_free(tree);
}

size_t
vhd_tree_count(const vhd_tree_t *tree)
{
	return tree ? tree->n : 0;
}

const struct vhd_tree_node *
vhd_tree_get(const vhd_tree_t *tree, size_t index)
{
	return tree && index < tree->n ? &tree->entries[index].node : NULL;
}

/* ---- Snapshots ---- */

int
vhd_snapshot_path(char **ret, const char *disk, const char *name)
{
	int err = door_need(ret, "ret");

	if (!err)
		err = door_need(disk, "disk");
	if (!err)
		err = door_need(name, "name");
	return err ? err : disk_snapshot_path(ret, disk, name);
}

/* A disk with the options of one call. */
struct call {
	struct vhd_snapshot_opts opts;
	struct vhd_job_opts job;
	struct disk_place place;
};

static int
call_init(struct call *ret, const char *disk, const char *name,
	  const struct vhd_snapshot_opts *opts)
{
	int err = COPY_OPTS(ret->opts, opts);

	if (!err)
		err = door_need(disk, "disk");
	if (!err)
		err = door_need(name, "name");
	if (!err)
		err = door_job_opts(&ret->opts.job, &ret->job, ret->opts.job);
	if (!ret->opts.search)
		ret->opts.nsearch = 0;
	return err ? err
		   : disk_place_init(&ret->place, &fs_posix, disk, &ret->opts);
}

int
vhd_snapshot_create(const char *disk, const char *name,
		    const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = snapshot_create(&call.place, name);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_live(vhd_t *vhd, const char *name)
{
	int err = door_need(name, "name");

	return err ? err : snapshot_create_live(vhd->chain, name);
}

int
vhd_snapshot_revert(const char *disk, const char *name, const char *keep,
		    const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = snapshot_revert(&call.place, name, keep);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_delete(const char *disk, const char *name,
		    const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = snapshot_delete(&call.place, name);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_rename(const char *disk, const char *name, const char *new_name,
		    const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = door_need(new_name, "new_name");
	if (!err)
		err = snapshot_rename(&call.place, name, new_name);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_clone(const char *disk, const char *name, const char *path,
		   const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = door_need(path, "path");
	if (!err)
		err = snapshot_clone(&call.place, name, path);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_tree(vhd_tree_t **ret, const char *disk,
		  const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = door_need(ret, "ret");

	if (!err)
		err = call_init(&call, disk, "", opts);
	if (err)
		return err;
	err = kin_scan(ret, &call.place, false);
	disk_place_free(&call.place);
	return err;
}
