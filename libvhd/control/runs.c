/* SPDX-License-Identifier: BSD-3-Clause */
/* runs.c - the job that a server runs on its disk.
 *
 * The library's jobs block, so each has a thread.  Pause, rate and cancel
 * reach it through its progress callback, which the job calls at least ten
 * times a second with no lock held. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/server.h"
#include "job/jobs.h"

static const char *const states[] = {"running", "paused", "aborting",
				     "concluded"};

json_t *
run_describe(const struct run *r)
{
	json_t *job = json_pack("{ss ss ss sI sI ss sI sI}", "id", r->id,
				"type", r->type, "status", states[r->state],
				"current-progress", (json_int_t)r->done,
				"total-progress", (json_int_t)r->total, "phase",
				r->phase, "speed", (json_int_t)r->opts.rate,
				"since", (json_int_t)r->started);

	if (job && r->state == RUN_CONCLUDED && r->error.code) {
		json_object_set_new(job, "class",
				    json_string(error_name(r->error.code)));
		json_object_set_new(job, "error",
				    json_string(r->error.message));
	}
	return job;
}

static void
tell(struct control *c, const char *event)
{
	json_t *data;

	pthread_mutex_lock(&c->lock);
	data = run_describe(&c->run);
	pthread_mutex_unlock(&c->lock);
	if (data)
		control_broadcast(c, event, data);
}

/* [lock] */
static void
wait_while_paused(struct control *c)
{
	struct run *r = &c->run;

	while (r->pause && !r->cancel) {
		r->state = RUN_PAUSED;
		pthread_cond_wait(&c->changed, &c->lock);
	}
	r->state = r->cancel ? RUN_ABORTING : RUN_RUNNING;
}

static int
on_progress(const struct vhd_progress *p, void *user)
{
	struct control *c = user;
	struct run *r = &c->run;
	bool cancel;

	pthread_mutex_lock(&c->lock);
	r->done = p->done;
	r->total = p->total;
	snprintf(r->phase, sizeof(r->phase), "%s", p->phase);
	wait_while_paused(c);
	cancel = r->cancel;
	pthread_mutex_unlock(&c->lock);
	tell(c, "JOB_PROGRESS");
	return cancel;
}

/* The layer at a path; VHD_E_NOTFOUND. */
static int
layer_at(uint32_t *ret, struct chain *c, const char *path)
{
	AUTO_FREE char *full = NULL;
	const char *want = path;

	if (c->fs->ops->resolve(&full, c->fs, path) == 0)
		want = full;
	for (uint32_t i = 0; i < c->depth; i++) {
		if (strcmp(c->layers[i].path, want) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return fail(VHD_E_NOTFOUND, "%s: is not in the chain of %s", path,
		    c->name);
}

static int
named_layer(uint32_t *ret, struct chain *c, const json_t *arguments,
	    const char *key)
{
	const char *path = json_string_value(json_object_get(arguments, key));

	return path ? layer_at(ret, c, path) : 0;
}

static int
do_merge(struct control *c, const json_t *a)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	int err;

	o.job = &c->run.opts;
	if (json_is_true(json_object_get(a, "at-parent")))
		o.flags = VHD_MERGE_AT_PARENT;
	err = named_layer(&o.layer, c->chain, a, "layer");
	if (!err)
		err = named_layer(&o.into, c->chain, a, "into");
	return err ? err : job_merge(c->chain, &o);
}

/* A state that the served disk stands on: what is above is pushed into it. */
static int
do_delete(struct control *c, const json_t *a)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	uint32_t layer = 0;
	int err = named_layer(&layer, c->chain, a, "path");

	if (err)
		return err;
	if (layer == 0)
		return fail(VHD_E_INVALID,
			    "%s: is the live disk, not a snapshot",
			    c->chain->name);
	o.job = &c->run.opts;
	o.layer = layer - 1;
	o.into = layer;
	return job_merge(c->chain, &o);
}

static int
do_compact(struct control *c, const json_t *a)
{
	const char *mode = json_string_value(json_object_get(a, "mode"));

	return job_compact(c->chain,
			   mode && !strcmp(mode, "repack") ? VHD_COMPACT_REPACK
							   : VHD_COMPACT_PUNCH,
			   &c->run.opts);
}

static int
do_resize(struct control *c, const json_t *a)
{
	json_int_t size = json_integer_value(json_object_get(a, "size"));

	if (size <= 0 || (uint64_t)size < c->chain->size)
		return fail(VHD_E_INVALID,
			    "%s: a served disk of %llu bytes can only grow",
			    c->chain->name, (unsigned long long)c->chain->size);
	return job_resize(c->chain, (uint64_t)size, 0, &c->run.opts);
}

static const struct {
	const char *type;
	int (*run)(struct control *c, const json_t *arguments);
} kinds[] = {
	{"merge", do_merge},
	{"snapshot-delete", do_delete},
	{"compact", do_compact},
	{"resize", do_resize},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void *
run_thread(void *user)
{
	struct control *c = user;
	struct run *r = &c->run;
	int err = VHD_E_INVALID;

	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i].type, r->type))
			err = kinds[i].run(c, r->arguments);
	pthread_mutex_lock(&c->lock);
	if (err)
		error_save(&r->error);
	else
		r->done = r->total;
	if (control_renew(c) != 0 && !err)
		error_save(&r->error);
	r->state = RUN_CONCLUDED;
	pthread_mutex_unlock(&c->lock);
	tell(c, "JOB_STATUS_CHANGE");
	return NULL;
}

/* [lock; its thread has ended, but for its last event] */
static void
forget_last(struct control *c)
{
	struct run *r = &c->run;

	if (r->joinable) {
		pthread_t thread = r->thread;

		r->joinable = false;
		pthread_mutex_unlock(&c->lock);
		pthread_join(thread, NULL);
		pthread_mutex_lock(&c->lock);
	}
	json_decref(r->arguments);
	memset(r, 0, sizeof(*r));
}

static bool
is_kind(const char *type)
{
	for (size_t i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i].type, type))
			return true;
	return false;
}

/* [lock] */
static int
may_start(struct control *c)
{
	struct run *r = &c->run;

	if (c->stopping)
		return fail(VHD_E_BUSY, "%s: its server is shutting down",
			    c->chain->name);
	if (r->id[0] && r->state != RUN_CONCLUDED)
		return fail(VHD_E_BUSY,
			    "%s: the job %s (%s) is running on it; see: "
			    "vhdtool job list %s",
			    c->chain->name, r->id, r->type, c->chain->name);
	return 0;
}

/* [lock] */
static void
prepare(struct control *c, const char *type, json_t *arguments)
{
	struct run *r = &c->run;

	snprintf(r->id, sizeof(r->id), "job%u", c->runs++);
	snprintf(r->type, sizeof(r->type), "%s", type);
	snprintf(r->phase, sizeof(r->phase), "start");
	r->arguments = json_incref(arguments);
	r->started = time(NULL);
	r->opts = (struct vhd_job_opts)VHD_JOB_OPTS_INIT;
	r->opts.progress = on_progress;
	r->opts.progress_user = c;
	r->opts.rate = (uint64_t)json_integer_value(
		json_object_get(arguments, "speed"));
}

int
run_start(struct control *c, const char *type, json_t *arguments)
{
	struct run *r = &c->run;
	int err;

	if (!is_kind(type))
		return fail(VHD_E_UNSUPPORTED, "there is no command \"%s\"",
			    type);
	pthread_mutex_lock(&c->lock);
	err = may_start(c);
	if (!err) {
		forget_last(c);
		err = may_start(c); /* the lock was given up */
	}
	if (!err) {
		prepare(c, type, arguments);
		err = control_thread(&r->thread, run_thread, c);
		r->joinable = err == 0;
		if (err)
			r->state = RUN_CONCLUDED;
	}
	pthread_mutex_unlock(&c->lock);
	return err;
}

int
run_resume(struct control *c)
{
	struct chain *chain = c->chain;
	uint32_t first = 1, last;
	json_t *arguments;
	int err;

	while (first < chain->depth && !chain->layers[first].renamed)
		first++;
	if (first >= chain->depth)
		return 0;
	last = first;
	while (last + 1 < chain->depth && chain->layers[last + 1].renamed)
		last++;
	arguments = json_pack("{ss ss}", "layer", chain->layers[first - 1].path,
			      "into", chain->layers[last].path);
	err = arguments ? run_start(c, "merge", arguments) : fail_nomem();
	json_decref(arguments);
	return err;
}

void
run_stop(struct control *c)
{
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	c->run.cancel = true;
	pthread_cond_broadcast(&c->changed);
	forget_last(c);
	pthread_mutex_unlock(&c->lock);
}
