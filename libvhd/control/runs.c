/* SPDX-License-Identifier: BSD-3-Clause */
/* runs.c - the job that a server runs on its disk.
 *
 * The library's jobs block, so each has a thread.  Pause, rate and cancel
 * reach it through its progress callback, which the job calls at least ten
 * times a second with no lock held.
 *
 * A job that meets the end of the space has left everything consistent and
 * returned; it is paused then, and begun again when there is more. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/server.h"
#include "job/jobs.h"

#define MORE_SPACE (1u << 20) /* that makes another try worth it */

static const char *const states[] = {"running", "paused", "aborting",
				     "concluded"};

json_t *
run_describe(const struct run *r)
{
	json_t *job = json_pack(
		"{ss ss ss ss sI sI ss sI sI}", "id", r->id, "type", r->type,
		"status", states[r->state], "io-status",
		r->waits ? "nospace" : "ok", "current-progress",
		(json_int_t)r->done, "total-progress", (json_int_t)r->total,
		"phase", r->waits ? "no space" : r->phase, "speed",
		(json_int_t)r->opts.rate, "since", (json_int_t)r->started);

	if (!r->error.code || (!r->waits && r->state != RUN_CONCLUDED))
		return job;
	/* Without its error it would seem to have gone well. */
	if (json_object_set_new(job, "class",
				json_string(error_name(r->error.code))) == 0 &&
	    json_object_set_new(job, "error", json_string(r->error.message)) ==
		    0)
		return job;
	json_decref(job);
	return NULL;
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
	r->begun = true;
	r->done = r->base + p->done;
	r->total = r->base + p->total;
	snprintf(r->phase, sizeof(r->phase), "%s", p->phase);
	wait_while_paused(c);
	cancel = r->cancel;
	pthread_mutex_unlock(&c->lock);
	tell(c, "JOB_PROGRESS");
	return cancel;
}

/* ---- Waiting for space ---- */

/* The least that any layer's file system has left. */
static uint64_t
space_left(const struct control *c)
{
	struct chain *chain = c->chain;
	uint64_t least = UINT64_MAX, left;

	gate_share(&chain->gate, 0);
	for (uint32_t i = 0; i < chain->depth; i++)
		if (chain->fs->ops->free_space(&left, chain->fs,
					       chain->layers[i].path) == 0)
			least = min_u64(least, left);
	gate_unshare(&chain->gate, 0);
	return least;
}

/* [lock] */
static void
sleep_until_changed(struct control *c)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	pthread_cond_timedwait(&c->changed, &c->lock, &until);
}

static void
begin_waiting(struct control *c)
{
	struct run *r = &c->run;

	pthread_mutex_lock(&c->lock);
	error_save(&r->error);
	r->waits = true;
	r->state = RUN_PAUSED;
	r->base = r->done;
	pthread_mutex_unlock(&c->lock);
	tell(c, "JOB_STATUS_CHANGE");
}

/* Until there is more, or somebody says so; false: the job is cancelled. */
static bool
wait_for_space(struct control *c)
{
	struct run *r = &c->run;
	uint64_t had = space_left(c);
	bool more = false, cancel;

	pthread_mutex_lock(&c->lock);
	while (!r->cancel && (r->pause || (r->waits && !more))) {
		sleep_until_changed(c);
		pthread_mutex_unlock(&c->lock);
		more = space_left(c) >= had + MORE_SPACE;
		pthread_mutex_lock(&c->lock);
	}
	r->waits = false;
	r->error.code = 0;
	cancel = r->cancel;
	r->state = cancel ? RUN_ABORTING : RUN_RUNNING;
	pthread_mutex_unlock(&c->lock);
	return !cancel;
}

/* A job that was begun and met the end of the space is begun again. */
static int
work_on(struct control *c)
{
	struct run *r = &c->run;
	int err = work_do(c);

	while (err == VHD_E_NOSPACE && r->begun) {
		begin_waiting(c);
		if (!wait_for_space(c))
			return fail(VHD_E_CANCELLED,
				    "stopped on request while it waited for "
				    "space; every image is consistent");
		tell(c, "JOB_STATUS_CHANGE");
		err = work_do(c);
	}
	return err;
}

static void *
run_thread(void *user)
{
	struct control *c = user;
	struct run *r = &c->run;
	int err = work_on(c);

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

/* ---- Start and end ---- */

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

	if (!work_is_known(type))
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
	json_t *arguments;
	int err;

	if (!job_has_unfinished(c->chain))
		return 0;
	arguments = json_pack("{sb}", "unfinished", 1);
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
