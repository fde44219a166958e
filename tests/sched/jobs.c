/* SPDX-License-Identifier: BSD-3-Clause */
/* jobs.c - jobs beside the guests, cancelled and paused now and then. */
#include <stdio.h>

#include "job/job.h"
#include "job/jobs.h"
#include "job/pull.h"
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

	(void)p;
	patience->calls++;
	if (patience->calls == patience->pause_at)
		for (int i = 0; i < 6; i++)
			co_yield ();
	return patience->calls == patience->cancel_at || patience->w->killed;
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
	return merge.into < depth ? job_merge(w->c, &merge) : 0;
}

/* As the deletion of a snapshot with several children does. */
static int
do_pull(struct world *w, const struct vhd_job_opts *opts)
{
	struct job job;
	int err = 0;

	if (co_mutex_trylock(&w->c->job_lock) != 0)
		return 0;
	job_start(&job, opts);
	world_note(w, "pull");
	if (w->c->depth > 1 && !w->c->moved.bits)
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

static int
do_snapshot(struct world *w)
{
	char name[20];

	world_note(w, "snapshot");
	(void)snprintf(name, sizeof(name), "s%u-%u", w->depth, ++w->snapshots);
	return snapshot_create_live(w->c, name);
}

static int
do_job(struct world *w, const struct vhd_job_opts *opts)
{
	uint32_t what = draw(w, 100);

	if (what < 40)
		return do_merge(w, opts, false);
	if (what < 62)
		return do_merge(w, opts, true);
	if (what < 72)
		return do_pull(w, opts);
	if (what < 84)
		return do_compact(w, opts, what < 78);
	if (what < 90)
		return do_grow(w, opts);
	return do_snapshot(w);
}

/* Two jobs may meet, and one change what the other was asked about. */
static bool
expected(int err)
{
	return !err || err == VHD_E_CANCELLED || err == VHD_E_BUSY ||
	       err == VHD_E_INVALID || err == VHD_E_CHILDREN ||
	       err == VHD_E_EXISTS;
}

void
job_main(void *user)
{
	struct world *w = user;
	uint32_t n = 1 + draw(w, 3);

	while (n-- && !w->killed && !w->judge->failed) {
		struct patience patience = {.w = w};
		struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;
		int err;

		if (draw(w, 4) == 0)
			patience.cancel_at = 1 + draw(w, 8);
		if (draw(w, 4) == 0)
			patience.pause_at = 1 + draw(w, 6);
		opts.progress = progress;
		opts.progress_user = &patience;
		err = do_job(w, &opts);
		world_note(w, "a job ends: %d %s", err,
			   err ? error_message() : "");
		if (!expected(err) && !w->struck)
			world_wrong(w, "a job fails: %s", error_message());
	}
}
