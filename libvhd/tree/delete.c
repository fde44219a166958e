/* SPDX-License-Identifier: BSD-3-Clause */
/* delete.c - delete one state of a tree; every other stays bit for bit.
 *
 *	no child	its file is removed
 *	one child	the child is pushed down into it, or its data is pulled
 *			up into the child: whichever moves fewer bytes
 *	several		pulled into each, but for one, at the end, for which
 *			a push is cheaper
 * Where there is no room for the cheapest way, it is the cheapest that fits.
 * Stopped in the middle, the same command carries on: what was pulled into a
 * child has taken that child off the list, and a push is found by the hidden
 * name of its target (unfinished.c). */
#include <stdlib.h>
#include <string.h>

#include "base/arith.h"
#include "base/uuid.h"
#include "chain/family.h"
#include "chain/touched.h"
#include "image/mutant.h"
#include "job/jobs.h"
#include "tree/delete.h"

/* ---- One progress for all parts ---- */

static int
on_part(const struct vhd_progress *progress, void *user)
{
	struct deletion *x = user;
	struct vhd_progress all = *progress;

	x->part_done = progress->done;
	/* Whoever runs the job may change it meanwhile. */
	x->part.rate = __atomic_load_n(&x->opts->rate, __ATOMIC_RELAXED);
	all.done += x->done;
	all.total = max_u64(x->total, all.done);
	return x->opts->progress(&all, x->opts->progress_user);
}

const struct vhd_job_opts *
deletion_part(struct deletion *x)
{
	if (!x->opts)
		return NULL;
	x->part = *x->opts;
	x->part.dry_run = false;
	x->part.plan = NULL;
	if (x->opts->progress) {
		x->part.progress = on_part;
		x->part.progress_user = x;
	}
	return &x->part;
}

/* It did when it was looked for. */
int
deletion_check_stands_on(const struct chain *c, uint32_t layer,
			 const struct deletion *x)
{
	if (c->depth > layer + 1 &&
	    uuid_equal(c->layers[layer + 1].img->footer.uuid, x->uuid))
		return 0;
	return fail(VHD_E_BUSY, "%s: stands on another image by now; try again",
		    c->name);
}

/* ---- The work ---- */

/* The heir as the leaf of its own chain, with what it stands on. */
static int
open_heir(struct touched *ret, const struct deletion *x, const struct heir *h)
{
	struct chain_opts opts = disk_chain_opts(x->d, 0);
	int err = touched_open(ret, x->d->fs, h->path, h->frozen, &opts);

	if (err)
		return err;
	err = deletion_check_stands_on(ret->chain, 0, x);
	return err ? touched_close(ret, err, false) : 0;
}

static int
push_heir(struct deletion *x, struct touched *t)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;

	o.search = (const char *const *)x->d->dirs;
	o.nsearch = x->d->ndirs;
	o.job = deletion_part(x);
	return job_merge(t->chain, &o);
}

static int
pull_heir(struct deletion *x, struct touched *t, const struct heir *h)
{
	struct job job;
	int err;

	job_start(&job, deletion_part(x));
	err = job_phase(&job, "pull", h->pull.bytes);
	if (!err)
		err = pull_layer(t->chain, &job, 0);
	x->part_done = job.done;
	return err;
}

/* The lock on the live disk is let go of while its chain has one, or while it
 * may have to be linked to what a push leaves; meanwhile nobody can open it,
 * because what it stands on is locked. */
static int
serve_at_rest(struct deletion *x, const struct heir *h)
{
	struct touched t;
	int err;

	if (h->push || !strcmp(h->path, x->d->path))
		disk_let_go(x->d);
	err = open_heir(&t, x, h);
	if (!err) {
		err = h->push ? push_heir(x, &t) : pull_heir(x, &t, h);
		err = touched_close(&t, err, h->push && !err);
	}
	return err || x->live ? err : disk_hold(x->d);
}

static int
serve(struct deletion *x, const struct heir *h)
{
	uint32_t layer = deletion_live_layer(x, h->path);
	int err = layer == NO_LAYER ? serve_at_rest(x, h)
				    : deletion_serve_live(x, h, layer);

	x->done += x->part_done;
	x->part_done = 0;
	return err;
}

int
deletion_remove_file(const struct deletion *x)
{
	const struct fs *fs = x->d->fs;
	AUTO(io_close) struct io *io = NULL;
	char **paths;
	size_t n;
	int err = fs->ops->open(&io, fs, x->path, FS_OPEN_NOFOLLOW);

	if (!err)
		err = io->ops->lock(io, IO_LOCK_WRITE);
	if (!err)
		err = children_find(&paths, &n, x->d, x->path, x->uuid);
	if (err)
		return err;
	if (n)
		err = fail(VHD_E_CHILDREN,
			   "%s: not deleted, because %s stands on it by now",
			   x->path, paths[0]);
	family_free_paths(paths, n);
	if (!err)
		err = fs->ops->unlink(fs, x->path);
	if (mutant(DELETE_NOT_SYNCED))
		return err;
	return err ? err : fs->ops->sync_dir(fs, x->path);
}

int
deletion_check_unused(const struct disk_place *d, const char *path)
{
	AUTO(io_close) struct io *io = NULL;
	int err = d->fs->ops->open(&io, d->fs, path, FS_OPEN_NOFOLLOW);

	return err ? err : io->ops->lock(io, IO_LOCK_WRITE);
}

static bool
ends_by_push(const struct deletion *x)
{
	return x->n && x->heirs[x->n - 1].push;
}

/* An heir that needs a root no more is in another tree from then on; and when
 * none does, nothing but its name tells that it was one of this disk's. */
static int
adopt(struct deletion *x)
{
	int err;

	if (!x->stranger || !x->n || (x->n == 1 && ends_by_push(x)))
		return 0;
	err = snapshot_adopt(&x->adopted, x->d, x->path);
	if (!err && x->adopted)
		x->path = x->adopted;
	return err;
}

static int
carry_out(struct deletion *x)
{
	int err = 0;

	/* The server of the disk uses it itself. */
	if (deletion_live_layer(x, x->path) == NO_LAYER) {
		err = deletion_check_unused(x->d, x->path);
		if (!err)
			err = adopt(x);
	}

	for (size_t i = 0; i < x->n && !err; i++)
		err = serve(x, &x->heirs[i]);
	if (!err && !ends_by_push(x))
		err = deletion_remove_file(x);
	x->job.done = x->job.total = x->done;
	x->job.phase = "delete";
	if (!err)
		job_finish(&x->job);
	return err;
}

/* ---- The whole ---- */

static int
delete_state(struct disk_place *d, struct chain *live,
	     const struct vhd_tree *kin, const struct entry *e)
{
	struct deletion x = {.d = d,
			     .live = live,
			     .opts = d->opts->job,
			     .path = e->path,
			     .uuid = e->node.uuid};
	int err;

	x.stranger =
		e->node.type != VHD_TYPE_DIFFERENCING && !kin_is_by_name(e, d);

	job_start(&x.job, x.opts);
	err = deletion_find_heirs(&x, kin);
	if (!err)
		deletion_tell_all(&x);
	if (!err)
		err = deletion_plan(&x);
	if (!err && !job_dry_run(&x.job))
		err = carry_out(&x);
	deletion_free(&x);
	return err;
}

static int
delete_found(struct disk_place *d, struct chain *live,
	     const struct vhd_tree *kin, const struct entry *e)
{
	return d->opts->flags & VHD_SNAPSHOT_SUBTREE
		       ? deletion_subtree(d, kin, e)
		       : delete_state(d, live, kin, e);
}

int
snapshot_delete(struct disk_place *d, const char *name)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	const struct entry *e;
	bool dry = d->opts->job && d->opts->job->dry_run;
	size_t finished = 0;
	int err = dry ? 0 : snapshot_begin(&finished, d);

	if (!err)
		err = kin_scan(&kin, d, true);
	if (!err)
		err = kin_find(&e, kin, d, name);
	/* Its deletion was the one that was not finished. */
	if (err == VHD_E_NOTFOUND && finished)
		return 0;
	if (err)
		return err;
	return delete_found(d, NULL, kin, e);
}

/* Merges that were interrupted are the server's to finish. */
static int
delete_live(struct disk_place *d, struct chain *live, const char *name)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	const struct entry *e;
	int err = snapshot_settle(d);

	if (!err)
		err = kin_scan(&kin, d, true);
	if (!err)
		err = kin_find(&e, kin, d, name);
	return err ? err : delete_found(d, live, kin, e);
}

int
snapshot_delete_live(struct chain *c, const char *name,
		     const struct vhd_snapshot_opts *opts)
{
	struct disk_place d;
	int err = job_take(c);

	if (err)
		return err;
	err = disk_place_init(&d, c->fs, c->layers[0].path, opts);
	if (!err) {
		err = delete_live(&d, c, name);
		disk_place_free(&d);
	}
	job_leave(c);
	return err;
}
