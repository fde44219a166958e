/* SPDX-License-Identifier: BSD-3-Clause */
/* jobs.c - jobs beside the guests, cancelled and paused now and then. */
#include <string.h>

#include "job/job.h"
#include "job/jobs.h"
#include "job/pull.h"
#include "job/push.h"
#include "locks.h"
#include "tree/snapshot.h"
#include "world.h"

static uint32_t
draw(struct world *w, uint64_t n)
{
	return (uint32_t)rng_below(&w->rng, n);
}

/* What a job tells, and what it is told. */
struct patience {
	struct world *w;
	uint32_t cancel_at; /* the call; 0: never */
	uint32_t pause_at, calls;
};

static int
progress(const struct vhd_progress *p, void *user)
{
	struct patience *patience = user;
	struct world *w = patience->w;

	(void)p;
	patience->calls++;
	if (patience->calls == patience->pause_at || w->judge->taste->slow)
		for (int i = 0; i < 6; i++)
			co_yield ();
	return patience->calls == patience->cancel_at || w->killed;
}

/* It may wait for another job, and then find other layers. */
static int
merge_named(struct world *w, const struct vhd_merge_opts *opts)
{
	int err;

	snaps_may_go(w);
	w->merging++;
	err = job_merge(w->c, opts);
	w->merging--;
	return err;
}

static int
do_merge(struct world *w, const struct vhd_job_opts *opts, bool frozen)
{
	struct vhd_merge_opts merge = VHD_MERGE_OPTS_INIT;
	uint32_t depth = w->c->depth;

	merge.layer = frozen && depth > 2 ? 1 + draw(w, depth - 2) : 0;
	merge.into = merge.layer + 1;
	if (draw(w, 3) == 0)
		merge.into = depth - 1;
	merge.job = opts;
	world_note(w, "merge of layer %u into %u", merge.layer, merge.into);
	return merge.into < depth ? merge_named(w, &merge) : 0;
}

/* job_take, with the locks of this folder. */
static int
take(struct world *w)
{
	int err;

	if (co_mutex_trylock(&w->c->job_lock) != 0)
		return VHD_E_BUSY;
	err = push_settle(w->c);
	if (err)
		co_mutex_unlock(&w->c->job_lock);
	return err;
}

/* Deletions come after every merge that was stopped. */
static int
finish_merges(struct world *w, const struct vhd_job_opts *opts)
{
	struct vhd_merge_opts merge = VHD_MERGE_OPTS_INIT;
	size_t n;
	int err = take(w);

	if (err)
		return err;
	merge.job = opts;
	snaps_may_go(w);
	w->merging++;
	err = job_finish_merges(&n, w->c, &merge);
	w->merging--;
	co_mutex_unlock(&w->c->job_lock);
	return err;
}

/* As the deletion of a snapshot with several children does; guests write to the
 * leaf meanwhile, and flush it alone (P23). */
static int
do_pull(struct world *w, const struct vhd_job_opts *opts)
{
	struct job job;
	int err = take(w);

	if (err)
		return err;
	job_start(&job, opts);
	world_note(w, "pull");
	if (w->c->depth > 1 && !job_has_unfinished(w->c))
		err = pull_layer(w->c, &job, 0);
	co_mutex_unlock(&w->c->job_lock);
	return err;
}

static int
do_compact(struct world *w, const struct vhd_job_opts *opts, bool only_punch)
{
	world_note(w, "compact");
	return job_compact(w->c,
			   only_punch ? VHD_COMPACT_PUNCH : VHD_COMPACT_REPACK,
			   opts);
}

/* A fixed disk has one footer, at its end: to grow it relies on the file
 * system, which makes a size durable after the data; ours here does not. */
static int
do_grow(struct world *w, const struct vhd_job_opts *opts)
{
	world_note(w, "grow");
	return image_is_sparse(w->c->layers[0].img)
		       ? job_resize(w->c, w->c->size + w->block, 0, opts)
		       : 0;
}

/* "/disk@NAME.vhd" */
static void
name_of(char ret[static SNAP_PATH], const struct snap *snap)
{
	const char *at = strchr(snap->path, '@') + 1;
	size_t n = strlen(at) - strlen(".vhd");

	memcpy(ret, at, n);
	ret[n] = 0;
}

static int
do_snapshot(struct world *w)
{
	struct snap *snap = snap_add(w);
	char name[SNAP_PATH];
	int err;

	if (!snap)
		return 0;
	name_of(name, snap);
	world_note(w, "snapshot %s", name);
	err = snapshot_create_live(w->c, name);
	snap->end = history_now(&w->history);
	snap->taken = !err && !w->killed;
	snap->may_go = w->merging > 0;
	return err;
}

static int
do_delete(struct world *w, const struct vhd_job_opts *opts)
{
	struct vhd_snapshot_opts delete = VHD_SNAPSHOT_OPTS_INIT;
	struct snap *snap = &w->snaps[draw(w, w->nsnaps)];
	char name[SNAP_PATH];
	int err;

	if (!w->nsnaps)
		return 0;
	name_of(name, snap);
	world_note(w, "deletion of %s", name);
	snap->may_go = true;
	delete.job = opts;
	err = finish_merges(w, opts);
	return err ? err : snapshot_delete_live(w->c, name, &delete);
}

static int
do_job(struct world *w, const struct vhd_job_opts *opts)
{
	uint32_t what = world_pick(w, w->judge->taste->works, WORKS);

	switch ((enum work)what) {
	case WORK_MERGE:
	case WORK_FROZEN:
		return do_merge(w, opts, what == WORK_FROZEN);
	case WORK_PULL:
		return do_pull(w, opts);
	case WORK_PUNCH:
	case WORK_REPACK:
		return do_compact(w, opts, what == WORK_PUNCH);
	case WORK_GROW:
		return do_grow(w, opts);
	case WORK_SNAPSHOT:
		return do_snapshot(w);
	case WORK_DELETE:
	case WORKS:
		break;
	}
	return do_delete(w, opts);
}

/* Two jobs may meet, and one change what the other was asked about. */
static bool
expected(int err)
{
	return !err || err == VHD_E_CANCELLED || err == VHD_E_BUSY ||
	       err == VHD_E_INVALID || err == VHD_E_CHILDREN ||
	       err == VHD_E_EXISTS || err == VHD_E_NOTFOUND;
}

static void
work(struct world *w)
{
	const struct taste *taste = w->judge->taste;
	struct patience patience = {.w = w};
	struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;
	int err;

	if (draw(w, taste->cancel) == 0)
		patience.cancel_at = 1 + draw(w, 8);
	if (draw(w, 4) == 0)
		patience.pause_at = 1 + draw(w, 6);
	opts.progress = progress;
	opts.progress_user = &patience;
	err = do_job(w, &opts);
	world_note(w, "a job ends: %d %s", err, err ? error_message() : "");
	if (!expected(err) && !w->struck)
		world_wrong(w, "a job fails: %s", error_message());
}

void
job_main(void *user)
{
	struct world *w = user;
	uint32_t n = 1 + draw(w, w->judge->taste->jobs);

	while (n-- && !w->killed && !w->judge->failed)
		work(w);
	w->at_work--;
}
