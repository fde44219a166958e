/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * job.h - what commands that run a long job share: progress, rate, dry run.
 */
#ifndef VHDTOOL_JOB_H
#define VHDTOOL_JOB_H
#include "opt.h"
#include "out.h"
#include "progress.h"
#include "value.h"

#include <vhd.h>

struct job_args {
	uint64_t rate;
	int progress; /* enum progress_mode */
	bool dry_run;
	bool json; /* the dry run's answer */
};

extern const struct choice progress_choices[];

/* For jobs that only read. */
#define OPT_JOB(type, member)                                                  \
	{                                                                      \
		.name = "rate",                                                \
		.value = "SIZE",                                               \
		.help = "move at most SIZE a second, such as 50M",             \
		.read = value_size,                                            \
		.to = offsetof(type, member.rate),                             \
	},                                                                     \
	{                                                                      \
		.name = "progress", .value = "FORM",                           \
		.help = "show progress on stderr as a bar, as lines of json, " \
			"or none (default: bar on a terminal)",                \
		.read = value_choice, .to = offsetof(type, member.progress),   \
		.choices = progress_choices,                                   \
	}

/* For jobs that change files. */
#define OPT_DRY_RUN(type, member)                                              \
	{                                                                      \
		.name = "dry-run",                                             \
		.help = "change nothing; say how much would be copied, the "   \
			"final size, the space needed, and if it fits",        \
		.to = offsetof(type, member.dry_run),                          \
	},                                                                     \
	{                                                                      \
		.name = "json",                                                \
		.help = "with --dry-run: print one JSON object",               \
		.to = offsetof(type, member.json),                             \
	}

struct job {
	const struct job_args *args;
	struct progress progress;
	struct vhd_plan plan;
	struct vhd_job_opts opts; /* for the library */
	json_t *steps;            /* for the answer to a dry run; or NULL */
};

/* EXIT_DONE, or what is wrong with args. */
int job_args_check(const struct command *command, const struct job_args *args);

/* Ready job->opts; job must stay where it is until job_end(). */
void job_begin(struct job *job, const char *name, const struct job_args *args);

/* The job ended with err.  Close *disk (which may be NULL), say what went
 * wrong or what a dry run found; returns the exit status. */
int job_end(struct job *job, int err, vhd_t **disk);

/* How to open a disk that the job changes: a dry run only reads. */
uint32_t job_open_flags(const struct job_args *args);
#endif
