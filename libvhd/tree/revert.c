/* SPDX-License-Identifier: BSD-3-Clause */
/* revert.c - go back to a snapshot, or make another disk of one.
 *
 * Revert puts a new, empty child of the snapshot in the place of the live
 * disk's file, by one atomic rename.  That file goes, or has a second name by
 * then under which its state is kept. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/family.h"
#include "chain/names.h"
#include "image/mutant.h"
#include "job/jobs.h"
#include "tree/snapshot.h"

struct revert {
	struct disk_place *d;
	const char *target;  /* path of the snapshot */
	const char *kept;    /* path for the present state, or NULL */
	struct chain *chain; /* of the target */
};

/* One more image must still open. */
static int
check_depth(const struct disk_place *d, const struct chain *target)
{
	if (target->depth < disk_max_depth(d))
		return 0;
	return fail(VHD_E_TOOBIG,
		    "%s: its chain has %u images already, the most that are "
		    "opened; delete a snapshot first",
		    target->name, target->depth);
}

/* What is lost, or frozen, must not be in the way of others. */
static int
check_live(const struct disk_place *d, const struct vhd_tree *kin)
{
	const struct entry *live = kin_at(kin, d->path);
	char **paths;
	size_t n;
	int err;

	if (!live)
		return 0; /* it cannot be read */
	if (live->node.parent != SIZE_MAX &&
	    kin->entries[live->node.parent].node.merging)
		return fail(VHD_E_POLICY,
			    "%s: a merge of it is not finished; try: vhdtool "
			    "merge %s",
			    d->path, d->path);
	err = children_find(&paths, &n, d, d->path, live->node.uuid);
	if (err)
		return err;
	if (n)
		err = fail(VHD_E_CHILDREN,
			   "%s: its state must stay, because %s stands on it",
			   d->path, paths[0]);
	family_free_paths(paths, n);
	return err;
}

/* The snapshot's time is now; its writer's lock is ours. */
static int
freeze(const struct revert *r)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR | VHD_OPEN_NOPARENT |
					   VHD_OPEN_NOLOCK |
					   VHD_OPEN_CHILDREN_OK};
	const struct fs *fs = r->d->fs;
	int64_t now = time(NULL) - VHD_EPOCH;
	struct image *img;
	struct chain *c;
	int err = chain_open(&c, fs, r->kept, &opts);

	if (err)
		return err;
	img = c->layers[0].img;
	err = chain_close_after(c,
				image_set_time(img, now > 0 ? (uint32_t)now : 0,
					       img->footer.reserved[0]));
	(void)fs->ops->set_readonly(fs, r->kept, true);
	return err;
}

static int
undo(const struct revert *r, const char *temp, bool named)
{
	const struct fs *fs = r->d->fs;
	struct error kept;

	error_save(&kept);
	(void)fs->ops->unlink(fs, temp);
	if (named)
		(void)fs->ops->unlink(fs, r->kept);
	(void)fs->ops->sync_dir(fs, r->d->path);
	return error_restore(&kept);
}

static int
put_child(const struct revert *r)
{
	const struct disk_place *d = r->d;
	const struct fs *fs = d->fs;
	AUTO_FREE char *temp = NULL;
	bool named = false;
	int err = fs_sync_name(fs, r->target); /* before a link to it (D9) */

	if (!err)
		err = snapshot_child(&temp, fs, d->path, r->target,
				     r->chain->layers[0].img);
	if (err)
		return err;
	err = fs->ops->copy_attributes(fs, d->path, temp);
	if (!err && r->kept) {
		err = fs->ops->link(fs, d->path, r->kept);
		named = !err;
		if (!err && !mutant(KEPT_NOT_SYNCED))
			err = fs->ops->sync_dir(fs, r->kept);
	}
	if (!err)
		err = fs->ops->rename(fs, temp, d->path);
	if (err)
		return undo(r, temp, named);
	err = fs->ops->sync_dir(fs, d->path);
	return err || !r->kept ? err : freeze(r);
}

/* Is the present state the snapshot `kept`, and nothing more? */
static bool
is_kept_already(const struct disk_place *d, const char *kept)
{
	const struct fs *fs = d->fs;
	struct peek live, other;
	struct image *img;
	struct io *io;
	bool same;

	if (image_peek(&live, fs, d->path, 0) != 0 ||
	    image_peek(&other, fs, kept, 0) != 0 ||
	    live.found.footer.type != VHD_TYPE_DIFFERENCING ||
	    !uuid_equal(live.found.hdr.parent_uuid, other.found.footer.uuid) ||
	    fs->ops->open(&io, fs, d->path, FS_OPEN_NOFOLLOW) != 0 ||
	    image_open(&img, io, 0) != 0)
		return false;
	same = !image_count_blocks(img) &&
	       live.found.footer.current_size ==
		       other.found.footer.current_size;
	return image_close(img) == 0 && same;
}

/* Without hard links: take a snapshot, which exchanges names, and drop the
 * empty disk on it. */
static int
keep_by_snapshot(struct revert *r, const char *keep)
{
	int err;

	disk_let_go(r->d);
	err = snapshot_create(r->d, keep);
	if (!err)
		err = disk_hold(r->d);
	r->kept = NULL;
	return err ? err : put_child(r);
}

static int
revert_to(struct revert *r, const char *keep)
{
	struct disk_place *d = r->d;
	AUTO_FREE char *kept = NULL;
	int err = keep ? snapshot_new_path(&kept, d->fs, d->path, d->path, keep)
		       : 0;

	if (err == VHD_E_EXISTS) {
		AUTO_FREE char *there = snapshot_path(d->path, keep);

		if (!there || !is_kept_already(d, there))
			return err;
		err = 0;
	}
	r->kept = kept;
	if (!err)
		err = put_child(r);
	if (err == VHD_E_UNSUPPORTED && kept)
		err = keep_by_snapshot(r, keep);
	return err;
}

int
snapshot_revert(struct disk_place *d, const char *name, const char *keep)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	struct chain_opts opts = disk_chain_opts(d, 0);
	const struct entry *target;
	struct revert r = {.d = d};
	size_t finished;
	int err = snapshot_begin(&finished, d);

	if (!err)
		err = kin_scan(&kin, d, false);
	if (!err)
		err = kin_find(&target, kin, d, name);
	if (!err)
		err = check_live(d, kin);
	if (err)
		return err;
	opts = disk_chain_opts(d, 0);
	err = chain_open(&r.chain, d->fs, target->path, &opts);
	if (err)
		return err;
	r.target = target->path;
	err = check_depth(d, r.chain);
	if (!err)
		err = revert_to(&r, keep);
	return chain_close_after(r.chain, err);
}

/* ---- Clone ---- */

static int
check_new_disk(const char *path)
{
	if (!strchr(path_name(path), '@'))
		return 0;
	return fail(VHD_E_INVALID,
		    "%s: has an @ in its name, as snapshots have; choose "
		    "another name for a disk",
		    path);
}

static int
check_free(const struct fs *fs, const char *path)
{
	struct fs_stat st;

	if (fs->ops->stat(&st, fs, path) != 0)
		return 0;
	return fail(VHD_E_EXISTS, "%s: exists already; choose another name",
		    path);
}

static int
clone_from(const struct disk_place *d, const char *parent, const char *path)
{
	struct chain_opts opts = disk_chain_opts(d, 0);
	struct vhd_open_opts open = VHD_OPEN_OPTS_INIT;
	struct vhd_create_opts create = VHD_CREATE_OPTS_INIT;
	struct chain *c;
	int err = chain_open(&c, d->fs, parent, &opts);

	if (err)
		return err;
	open.flags = opts.flags;
	open.max_depth = opts.max_depth;
	open.search = opts.search;
	open.nsearch = opts.nsearch;
	create.parent = parent;
	create.parent_opts = &open;
	err = check_depth(d, c);
	if (!err) /* while c keeps the snapshot from going away */
		err = job_create(d->fs, path, &create);
	return chain_close_after(c, err);
}

/* The live disk may be in use: nothing of it is changed. */
int
snapshot_clone(struct disk_place *d, const char *name, const char *path)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	const struct entry *parent;
	int err = check_new_disk(path);

	if (!err && disk_hold(d) == 0)
		err = snapshot_begin_quick(d);
	if (!err)
		err = check_free(d->fs, path);
	if (!err)
		err = kin_scan(&kin, d, false);
	if (!err)
		err = kin_find(&parent, kin, d, name);
	return err ? err : clone_from(d, parent->path, path);
}
