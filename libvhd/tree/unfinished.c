/* SPDX-License-Identifier: BSD-3-Clause */
/* unfinished.c - carry on with merges that were interrupted.
 *
 * The ancestor of such a merge is called BASE@.merging-UUID, and so may layers
 * between be; what stands on the topmost is the merged layer, whose state the
 * result will have.  At the very end of a merge what stood on that may stand
 * on the ancestor already; but then it knows it by the path that the ancestor
 * is going to have. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/names.h"
#include "chain/touched.h"
#include "job/jobs.h"
#include "tree/snapshot.h"

static bool
is_child(const struct vhd_tree *kin, const struct entry *e, size_t parent)
{
	return e->node.parent == parent &&
	       !(e->node.merging && !e->node.nchildren) &&
	       e - kin->entries != (ptrdiff_t)parent;
}

/* The image above one that is being merged into.  *ret is NULL when there is
 * none. */
static int
find_above(const struct entry **ret, const struct vhd_tree *kin, size_t below)
{
	const char *name = path_name(kin->entries[below].path);
	const struct entry *only = NULL, *linked = NULL;
	size_t children = 0, links = 0;

	for (size_t i = 0; i < kin->n; i++) {
		const struct entry *e = &kin->entries[i];

		if (!is_child(kin, e, below))
			continue;
		only = e;
		children++;
		if (e->parent_name && !strcmp(e->parent_name, name)) {
			linked = e;
			links++;
		}
	}
	if (children > 1 && links != 1)
		return fail(VHD_E_CHILDREN,
			    "%s: a merge into it is not finished, and several "
			    "images stand on it; try: vhdtool merge on the "
			    "one that is merged",
			    kin->entries[below].path);
	*ret = children > 1 ? linked : only;
	return 0;
}

static bool
is_merging(const struct vhd_tree *kin, size_t i)
{
	return i != SIZE_MAX && kin->entries[i].node.merging;
}

/* ---- One merge ---- */

static int
merge_with(struct disk_place *d, const struct entry *merged, uint32_t layers,
	   const struct vhd_job_opts *job)
{
	struct chain_opts opts = disk_chain_opts(d, 0);
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	bool look = job && job->dry_run;
	struct touched t;
	int err = touched_open(&t, d->fs, merged->path,
			       look || merged->node.nchildren > 0, &opts);

	if (err)
		return err;
	o.into = layers;
	o.search = opts.search;
	o.nsearch = opts.nsearch;
	o.job = job;
	err = job_merge(t.chain, &o);
	return touched_close(&t, err, !err && !look);
}

static int
is_all_moved(bool *ret, struct disk_place *d, const struct entry *merged,
	     uint32_t layers)
{
	struct vhd_job_opts look = VHD_JOB_OPTS_INIT;
	struct vhd_plan plan = VHD_PLAN_INIT;
	int err;

	look.dry_run = true;
	look.plan = &plan;
	err = merge_with(d, merged, layers, &look);
	*ret = !err && !plan.bytes_to_copy;
	return err == VHD_E_NOMEM ? err : 0;
}

/* Whoever asked for something else is told. */
static int
say_so(const struct vhd_job_opts *opts)
{
	struct job job;

	job_start(&job, opts);
	return job_phase(&job, "finish", 0);
}

struct finishing {
	struct disk_place *d;
	const struct vhd_tree *kin;
	bool all; /* also those that have data to move */
};

static int
merge_on(bool *ret, const struct finishing *f, const struct entry *merged,
	 uint32_t layers)
{
	const struct vhd_job_opts *job = f->d->opts->job;
	int err = 0;

	disk_let_go(f->d);
	*ret = f->all;
	if (!f->all)
		err = is_all_moved(ret, f->d, merged, layers);
	if (!err && *ret && f->all)
		err = say_so(job);
	if (!err && *ret)
		err = merge_with(f->d, merged, layers, f->all ? job : NULL);
	return err ? err : disk_hold(f->d);
}

/* The merge that has its ancestor at `below`; *ret is false when it was left
 * alone, or nothing can be read through it any more. */
static int
finish_one(bool *ret, const struct finishing *f, size_t below)
{
	const struct entry *above = NULL;
	uint32_t layers = 0;
	int err = 0;

	*ret = false;
	do {
		err = find_above(&above, f->kin, below);
		layers++;
		if (above)
			below = (size_t)(above - f->kin->entries);
	} while (!err && above && above->node.merging);
	return err || !above ? err : merge_on(ret, f, above, layers);
}

/* ---- At the parent's path ---- */

/* Where the result is at the ancestor's own path already, the merged layer was
 * to be removed next: it is empty, and linked to a hidden name that is gone. */
static bool
may_be_left(const struct finishing *f, const struct entry *e)
{
	const struct entry *parent;
	AUTO_FREE char *path = NULL;

	if (e->node.merging || e->node.nchildren || !e->parent_name ||
	    e->node.parent == SIZE_MAX || !is_merging_path(e->parent_name) ||
	    !strcmp(e->path, f->d->path))
		return false;
	parent = &f->kin->entries[e->node.parent];
	path = disk_path(e->parent_name);
	return path && !strcmp(path, path_name(parent->path));
}

/* Its parent's path is durable before it goes: whoever gave it that was
 * killed. */
static int
remove_left(bool *ret, const struct finishing *f, const struct entry *e)
{
	const struct fs *fs = f->d->fs;
	const char *parent = f->kin->entries[e->node.parent].path;
	AUTO(image_close) struct image *img = NULL;
	struct io *io;
	int err = fs->ops->open(&io, fs, e->path, FS_OPEN_NOFOLLOW);

	if (!err)
		err = image_open(&img, io, 0);
	if (err || image_count_blocks(img))
		return err;
	err = io->ops->lock(io, IO_LOCK_WRITE);
	if (!err)
		err = fs_sync_name(fs, parent);
	if (!err)
		err = fs_remove(fs, e->path);
	*ret = !err;
	return err;
}

/* The disk is open. */
static int
remove_all_left(size_t *n, struct disk_place *d)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	int err = kin_scan(&kin, d, false);

	for (size_t i = 0; !err && i < kin->n; i++) {
		const struct finishing f = {.d = d, .kin = kin};
		const struct entry *e = &kin->entries[i];
		bool removed = false;

		if (may_be_left(&f, e))
			err = remove_left(&removed, &f, e);
		*n += removed;
	}
	return err;
}

/* ---- All of them ---- */

int
snapshot_finish_live(size_t *ret_n, struct chain *c,
		     const struct vhd_merge_opts *opts)
{
	struct vhd_snapshot_opts o = VHD_SNAPSHOT_OPTS_INIT;
	struct disk_place d;
	int err = job_finish_merges(ret_n, c, opts);

	o.search = opts->search;
	o.nsearch = opts->nsearch;
	if (!err)
		err = disk_place_init(&d, c->fs, c->layers[0].path, &o);
	if (err)
		return err;
	err = remove_all_left(ret_n, &d);
	disk_place_free(&d);
	return err;
}

static int
finish(bool *ret, const struct finishing *f, size_t i)
{
	const struct entry *e = &f->kin->entries[i];

	if (e->node.merging)
		return is_merging(f->kin, e->node.parent)
			       ? 0
			       : finish_one(ret, f, i);
	return may_be_left(f, e) ? remove_left(ret, f, e) : 0;
}

static int
finish_merges(size_t *ret_n, struct disk_place *d, bool all)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	size_t n = 0, i = 0;
	int err = kin_scan(&kin, d, all);

	while (!err && i < kin->n) {
		struct finishing f = {.d = d, .kin = kin, .all = all};
		bool finished = false;

		err = finish(&finished, &f, i++);
		if (err || !finished)
			continue;
		n++;
		i = 0;
		tree_free(TAKE(kin));
		err = kin_scan(&kin, d, all);
	}
	*ret_n = n;
	return err;
}

int
snapshot_begin(size_t *ret_finished, struct disk_place *d)
{
	int err = disk_hold(d);

	if (!err)
		err = snapshot_settle(d);
	return err ? err : finish_merges(ret_finished, d, true);
}

int
snapshot_begin_quick(struct disk_place *d)
{
	size_t finished;
	int err = disk_hold(d);

	if (!err)
		err = snapshot_settle(d);
	return err || !d->has_merges ? err : finish_merges(&finished, d, false);
}
