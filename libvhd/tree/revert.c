/* SPDX-License-Identifier: BSD-3-Clause */
/* revert.c - go back to a snapshot, rename one, make another disk of one.
 *
 * Revert puts a new, empty child of the snapshot in the place of the live
 * disk's file, which goes, or keeps its state under a name of its own.  Each
 * is one atomic rename; what precedes it is durable before. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "job/jobs.h"
#include "tree/snapshot.h"

static struct chain_opts
opts_for(const struct disk_place *d, uint32_t flags)
{
	return (struct chain_opts){.flags = flags,
				   .max_depth = d->opts->max_depth,
				   .search = d->opts->search,
				   .nsearch = d->opts->nsearch};
}

/* The present state keeps a name. */
static int
keep_state(const struct disk_place *d, const char *path)
{
	int err = d->fs->ops->link(d->fs, d->path, path);

	return err ? err : d->fs->ops->sync_dir(d->fs, path);
}

static int
put_child(const struct disk_place *d, const char *snapshot,
	  const struct image *parent, const char *kept)
{
	const struct fs *fs = d->fs;
	AUTO_FREE char *temp = NULL;
	int err = snapshot_child(&temp, fs, d->path, snapshot, parent);

	if (err)
		return err;
	err = fs->ops->copy_attributes(fs, d->path, temp);
	if (!err && kept)
		err = keep_state(d, kept);
	if (!err)
		err = fs->ops->rename(fs, temp, d->path);
	if (err) {
		struct error why;

		error_save(&why);
		(void)fs->ops->unlink(fs, temp);
		return error_restore(&why);
	}
	err = fs->ops->sync_dir(fs, d->path);
	if (!err && kept)
		err = fs->ops->set_readonly(fs, kept, true);
	return err;
}

/* Nobody may be using the live disk: what it shows is about to change. */
int
snapshot_revert(const struct disk_place *d, const char *name, const char *keep)
{
	AUTO(chain_close) struct chain *live = NULL, *target = NULL;
	struct chain_opts alone =
		opts_for(d, VHD_OPEN_RDWR | VHD_OPEN_NOPARENT);
	struct chain_opts reading = opts_for(d, 0);
	AUTO_FREE char *path = NULL, *kept = NULL;
	int err = chain_open(&live, d->fs, d->path, &alone);

	if (!err)
		err = snapshot_settle(d);
	if (!err)
		err = snapshot_find(&path, d, name);
	if (!err && keep)
		err = snapshot_new_path(&kept, d, keep);
	if (!err)
		err = chain_open(&target, d->fs, path, &reading);
	return err ? err : put_child(d, path, target->layers[0].img, kept);
}

/* ---- Rename ---- */

static int
link_child(const struct disk_place *d, const char *child, const char *path,
	   const struct image *parent)
{
	struct chain_opts o = opts_for(d, VHD_OPEN_RDWR | VHD_OPEN_NOPARENT |
						  VHD_OPEN_CHILDREN_OK);
	AUTO(chain_close) struct chain *c = NULL;
	AUTO_FREE char *name = NULL;
	int err = snapshot_name(&name, child);

	if (!err && name)
		err = d->fs->ops->set_readonly(d->fs, child, false);
	if (!err)
		err = chain_open(&c, d->fs, child, &o);
	if (!err)
		err = chain_link(d->fs, c->layers[0].img, c->layers[0].path,
				 path, parent);
	if (!err)
		err = chain_close(TAKE(c));
	if (name && d->fs->ops->set_readonly(d->fs, child, true) != 0 && !err)
		err = VHD_E_IO;
	return err;
}

static int
link_children(const struct disk_place *d, const char *old, const char *path)
{
	AUTO(chain_close) struct chain *c = NULL;
	struct chain_opts o = opts_for(d, VHD_OPEN_NOPARENT);
	char **paths;
	size_t n;
	int err = chain_open(&c, d->fs, old, &o);

	if (!err)
		err = snapshot_children(&paths, &n, d, old,
					c->layers[0].img->footer.uuid);
	if (err)
		return err;
	for (size_t i = 0; i < n && !err; i++)
		if (strcmp(paths[i], path) != 0)
			err = link_child(d, paths[i], path, c->layers[0].img);
	family_free_paths(paths, n);
	return err;
}

/* Both names lead to the file until every child has the new one. */
int
snapshot_rename(const struct disk_place *d, const char *name,
		const char *new_name)
{
	const struct fs *fs = d->fs;
	AUTO_FREE char *old = NULL, *path = NULL;
	int err = snapshot_settle(d);

	if (!err)
		err = snapshot_find(&old, d, name);
	if (!err)
		err = snapshot_new_path(&path, d, new_name);
	if (!err)
		err = fs->ops->link(fs, old, path);
	if (!err)
		err = fs->ops->sync_dir(fs, path);
	if (!err)
		err = link_children(d, old, path);
	if (!err)
		err = fs->ops->unlink(fs, old);
	return err ? err : fs->ops->sync_dir(fs, old);
}

/* ---- Clone ---- */

int
snapshot_clone(const struct disk_place *d, const char *name, const char *path)
{
	struct vhd_open_opts open = VHD_OPEN_OPTS_INIT;
	struct vhd_create_opts create = VHD_CREATE_OPTS_INIT;
	AUTO_FREE char *parent = NULL;
	int err = snapshot_settle(d);

	if (!err)
		err = snapshot_find(&parent, d, name);
	if (err)
		return err;
	open.search = d->opts->search;
	open.nsearch = d->opts->nsearch;
	create.parent = parent;
	create.parent_opts = &open;
	return job_create(d->fs, path, &create);
}
