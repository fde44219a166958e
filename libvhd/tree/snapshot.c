/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.c - take a snapshot, of a disk at rest or in use.
 *
 *	1 an empty child, complete and durable, under a temporary name
 *	2 the disk's file gets the snapshot's name as well; durable
 *	3 guests wait: everything they wrote is made durable, the child is
 *	  renamed over the disk's path, and the chain goes on with it
 *	4 the rename is durable before any flush is answered again
 *
 * Until 3 the disk is what it was, with one more name (undone by settle.c);
 * after it the snapshot is complete.  Where files cannot have two names, the
 * child gets the snapshot's name and the two names are exchanged. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/names.h"
#include "tree/snapshot.h"

struct taking {
	struct chain *c;
	const char *disk;     /* path of the live disk */
	const char *snapshot; /* path that its file gets */
	const char *temp;     /* of the child */
	bool exchanged;       /* no hard links here */
};

static int
check_chain(const struct chain *c)
{
	const struct layer *l = &c->layers[0];

	if (!c->writable)
		return fail(VHD_E_READONLY, "%s: opened for reading only",
			    l->path);
	if (l->img->type == VHD_TYPE_RAW || l->img->io->block_device)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: snapshots need a VHD in a regular file",
			    l->path);
	if (c->moved.bits)
		return fail(VHD_E_BUSY,
			    "%s: a merge of it is not finished; let it end, "
			    "or cancel it, first",
			    l->path);
	if (c->depth >= c->opts.max_depth)
		return fail(VHD_E_TOOBIG,
			    "%s: the chain has %u images already, the most "
			    "that are opened; delete a snapshot first",
			    l->path, c->depth);
	return 0;
}

/* Step 2. */
static int
second_name(struct taking *t)
{
	const struct fs *fs = t->c->fs;
	int err = fs->ops->link(fs, t->disk, t->snapshot);

	if (err && (err == VHD_E_UNSUPPORTED || error_sys() == EPERM ||
		    error_sys() == EOPNOTSUPP || error_sys() == ENOSYS)) {
		t->exchanged = true;
		err = fs->ops->rename(fs, t->temp, t->snapshot);
	}
	return err ? err : fs->ops->sync_dir(fs, t->snapshot);
}

/* Step 3, guests waiting. */
static int
switch_over(struct taking *t, struct new_leaf *leaf, struct image *child)
{
	struct chain *c = t->c;
	const struct fs *fs = c->fs;
	int err = image_flush(c->layers[0].img);

	if (!err)
		err = t->exchanged ? fs->ops->exchange(fs, t->snapshot, t->disk)
				   : fs->ops->rename(fs, t->temp, t->disk);
	if (!err)
		chain_add_leaf(c, leaf, child);
	return err;
}

static int
switch_held(struct taking *t, struct image *child)
{
	struct chain *c = t->c;
	struct new_leaf leaf;
	int err = chain_prepare_leaf(&leaf, c, t->disk, t->snapshot);

	if (err)
		return err;
	chain_hold_flush(c);
	gate_close_all(&c->gate);
	err = switch_over(t, &leaf, child);
	map_forget_all(&c->map);
	gate_open_all(&c->gate);
	if (!err)
		err = c->fs->ops->sync_dir(c->fs, t->disk);
	chain_release_flush(c);
	chain_forget_leaf(&leaf);
	return err;
}

static void
undo(const struct taking *t)
{
	struct error kept;

	error_save(&kept);
	(void)t->c->fs->ops->unlink(t->c->fs, t->snapshot);
	(void)t->c->fs->ops->unlink(t->c->fs, t->temp);
	(void)t->c->fs->ops->sync_dir(t->c->fs, t->disk);
	(void)error_restore(&kept);
}

/* What was live is frozen: shared for reading, without spare room, and
 * marked so that nobody writes to it by mistake. */
static int
freeze(struct chain *c)
{
	struct layer *l = &c->layers[1];
	int err = image_tidy_live(l->img);

	if (!err && !(c->opts.flags & VHD_OPEN_NOLOCK))
		err = l->img->io->ops->lock(l->img->io, IO_LOCK_READ);
	return err ? err : c->fs->ops->set_readonly(c->fs, l->path, true);
}

static int
take(struct taking *t)
{
	struct chain *c = t->c;
	struct image *child = NULL;
	int err = c->fs->ops->copy_attributes(c->fs, t->disk, t->temp);

	if (!err)
		err = chain_open_image(&child, c, t->temp, true, false);
	if (!err)
		err = second_name(t);
	if (!err)
		err = switch_held(t, child);
	if (err && c->layers[0].img != child) {
		undo(t);
		if (child) {
			struct error kept;

			error_save(&kept);
			(void)image_close(child);
			(void)error_restore(&kept);
		}
		return err;
	}
	return err ? err : freeze(c);
}

static int
take_locked(struct chain *c, const char *name)
{
	struct vhd_snapshot_opts opts = VHD_SNAPSHOT_OPTS_INIT;
	struct disk_place d = {
		.fs = c->fs, .opts = &opts, .path = c->layers[0].path};
	AUTO_FREE char *disk = strdup(d.path), *snapshot = NULL, *temp = NULL;
	struct taking t = {.c = c, .disk = disk};
	int err = disk ? check_chain(c) : fail_nomem();

	if (!err)
		err = snapshot_new_path(&snapshot, &d, name);
	if (!err)
		err = snapshot_child(&temp, c->fs, disk, snapshot,
				     c->layers[0].img);
	if (err)
		return err;
	t.snapshot = snapshot;
	t.temp = temp;
	return take(&t);
}

int
snapshot_create_live(struct chain *c, const char *name)
{
	int err;

	if (pthread_mutex_trylock(&c->job_lock) != 0)
		return fail(VHD_E_BUSY, "%s: another job is running on it",
			    c->layers[0].path);
	err = take_locked(c, name);
	pthread_mutex_unlock(&c->job_lock);
	return err;
}

int
snapshot_create(const struct disk_place *d, const char *name)
{
	AUTO(chain_close) struct chain *c = NULL;
	struct chain_opts o = {.flags = VHD_OPEN_RDWR,
			       .max_depth = d->opts->max_depth,
			       .search = d->opts->search,
			       .nsearch = d->opts->nsearch};
	int err = chain_open(&c, d->fs, d->path, &o);

	if (!err)
		err = snapshot_settle(d);
	if (!err)
		err = snapshot_create_live(c, name);
	if (!err)
		err = chain_close(TAKE(c));
	return err;
}
