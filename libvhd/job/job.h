/* SPDX-License-Identifier: BSD-3-Clause */
/* job.h - what every long job shares: progress, cancelling, the rate limit and
 * the plan.
 *
 * A job runs on the thread that asked for it.  It reports each piece of work
 * with job_step(), holding no lock, and stops when that fails:
 *
 *	job_start(&job, opts);
 *	err = job_plan(&job, path, &plan);
 *	if (err || job_dry_run(&job))
 *		return err;
 *	err = job_phase(&job, "copy", bytes);
 *	while (!err && more)
 *		work, then err = job_step(&job, n);
 *	if (!err)
 *		job_finish(&job); */
#ifndef VHDI_JOB_H
#define VHDI_JOB_H
#include <stdbool.h>
#include <stdint.h>

#include <vhd.h>

#include "base/error.h"
#include "job/pace.h"

struct job {
	const struct vhd_job_opts *opts; /* or NULL */
	uint64_t done;                   /* bytes of work, of all phases */
	uint64_t total;                  /* 0 while unknown */
	const char *phase;               /* constant text */
	bool cancelled;                  /* sticky */
	int64_t reported; /* when the callback was last called, in ns */
	int64_t due;      /* the rate allows no work before that, in ns */
	struct pace pace;
};

void job_start(struct job *job, const struct vhd_job_opts *opts);

/* The disk that it works on has guests, who come first; to give space back is
 * the job's work meanwhile.  To be ended. */
void job_beside_guests(struct job *job, struct chain *c);
void job_end_beside(struct job *job);

/* Did guests use the disk lately? */
bool job_has_guests(const struct job *job);

/* Bytes were done: tell the callback, at most ten times a second, and sleep as
 * the rate and the guests demand, with the callback awake.  bytes may be 0:
 * only see whether to go on.  VHD_E_CANCELLED. */
int job_step(struct job *job, uint64_t bytes) MUST_CHECK;

/* What follows is another kind of work, of this many bytes (0: unknown) beyond
 * those done.  phase is constant text.  VHD_E_CANCELLED. */
int job_phase(struct job *job, const char *phase, uint64_t total) MUST_CHECK;

/* There is more to do than was thought. */
void job_grows(struct job *job, uint64_t bytes);

/* Tell the callback that all is done. */
void job_finish(struct job *job);

/* Hand out what the job on path will do.  VHD_E_NOSPACE when that does not fit,
 * unless it is only a dry run. */
int job_plan(struct job *job, const char *path,
	     const struct vhd_plan *plan) MUST_CHECK;
bool job_dry_run(const struct job *job);

/* Bytes a second, as of now: whoever runs the job may change it; 0: no limit.
 */
uint64_t job_rate(const struct job *job);
#endif
