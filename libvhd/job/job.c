/* SPDX-License-Identifier: BSD-3-Clause */
/* job.c - progress, cancelling, the rate limit and the plan of a job. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "job/job.h"

#define NS_PER_SECOND  INT64_C(1000000000)
#define REPORT_EVERY   (NS_PER_SECOND / 10)
#define LONGEST_SECOND 86400.0 /* of sleep for one step */

static int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_SECOND + t.tv_nsec;
}

static void
sleep_ns(int64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / NS_PER_SECOND),
			     .tv_nsec = (long)(ns % NS_PER_SECOND)};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

void
job_start(struct job *job, const struct vhd_job_opts *opts)
{
	*job = (struct job){.opts = opts, .phase = "start"};
}

static int
stopped(void)
{
	return fail(VHD_E_CANCELLED,
		    "stopped on request; every image is consistent");
}

/* As long as the job works: it may be paused for long. */
static void
take_punching(const struct job *job, bool yes)
{
	if (job->pace.c)
		job->pace.c->job_punches = yes;
}

static void
tell(struct job *job)
{
	struct vhd_progress progress = {
		.done = job->done, .total = job->total, .phase = job->phase};

	if (!job->opts || !job->opts->progress)
		return;
	take_punching(job, false);
	if (job->opts->progress(&progress, job->opts->progress_user))
		job->cancelled = true;
	take_punching(job, true);
	job->reported = now_ns();
}

static int
report(struct job *job)
{
	tell(job);
	return job->cancelled ? stopped() : 0;
}

static int
report_if_time(struct job *job, int64_t now)
{
	if (job->cancelled)
		return stopped();
	if (now - job->reported < REPORT_EVERY)
		return 0;
	return report(job);
}

static void
punch(const struct job *job)
{
	if (job->pace.c)
		chain_punch(job->pace.c);
}

static int
sleep_until(struct job *job, int64_t then)
{
	for (int64_t now = now_ns(); now < then; now = now_ns()) {
		int64_t nap = then - now;
		int err;

		sleep_ns(nap < REPORT_EVERY ? nap : REPORT_EVERY);
		punch(job);
		err = report_if_time(job, now_ns());
		if (err)
			return err;
	}
	return 0;
}

void
job_beside_guests(struct job *job, struct chain *c)
{
	pace_start(&job->pace, c, now_ns());
	take_punching(job, true);
}

void
job_end_beside(struct job *job)
{
	struct error kept;

	error_save(&kept);
	punch(job);
	(void)error_restore(&kept);
	take_punching(job, false);
	job->pace.c = NULL;
}

bool
job_has_guests(const struct job *job)
{
	return job->pace.busy;
}

static int
give_way(struct job *job, int64_t now)
{
	int64_t rest = pace_rest(&job->pace, now);

	return rest ? sleep_until(job, now + rest) : 0;
}

/* A pause is not made up for by a burst: time that nobody used is lost. */
static int
obey_rate(struct job *job, uint64_t bytes, uint64_t rate)
{
	double seconds = (double)bytes / (double)rate;
	int64_t now = now_ns();

	if (seconds > LONGEST_SECOND)
		seconds = LONGEST_SECOND;
	if (job->due < now)
		job->due = now;
	job->due += (int64_t)(seconds * (double)NS_PER_SECOND);
	return sleep_until(job, job->due);
}

int
job_step(struct job *job, uint64_t bytes)
{
	uint64_t rate;
	int64_t now;
	int err;

	punch(job);
	now = now_ns();
	job->done += bytes;
	if (job->total && job->total < job->done)
		job->total = job->done;
	err = report_if_time(job, now);
	if (!err)
		err = give_way(job, now);
	rate = job_rate(job);
	if (!err && rate && bytes)
		err = obey_rate(job, bytes, rate);
	pace_resume(&job->pace, now_ns());
	return err;
}

int
job_phase(struct job *job, const char *phase, uint64_t total)
{
	job->phase = phase;
	if (total && job->total < job->done + total)
		job->total = job->done + total;
	return job->cancelled ? stopped() : report(job);
}

void
job_grows(struct job *job, uint64_t bytes)
{
	if (job->total)
		job->total += bytes;
}

void
job_finish(struct job *job)
{
	if (job->done < job->total)
		job->done = job->total;
	job->total = job->done;
	tell(job);
}

uint64_t
job_rate(const struct job *job)
{
	return job->opts ? __atomic_load_n(&job->opts->rate, __ATOMIC_RELAXED)
			 : 0;
}

bool
job_dry_run(const struct job *job)
{
	return job->opts && job->opts->dry_run;
}

int
job_plan(struct job *job, const char *path, const struct vhd_plan *plan)
{
	struct vhd_plan *to = job->opts ? job->opts->plan : NULL;

	if (to) {
		size_t n = to->struct_size < sizeof *plan ? to->struct_size
							  : sizeof *plan;
		size_t keep = to->struct_size;

		memcpy(to, plan, n);
		to->struct_size = keep;
	}
	if (plan->fits || job_dry_run(job))
		return 0;
	return fail(VHD_E_NOSPACE,
		    "%s: not enough space: %" PRIu64 " bytes needed, %" PRIu64
		    " free; nothing was changed",
		    path, plan->peak_extra, plan->free);
}
