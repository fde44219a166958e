/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * job.c - what commands that run a long job share.
 */
#include "job.h"

#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "out.h"
#include "say.h"
#include "size.h"

#include <stdio.h>
#include <string.h>

const struct choice progress_choices[] = {
	{"bar", PROGRESS_BAR},
	{"json", PROGRESS_JSON},
	{"none", PROGRESS_NONE},
	{NULL, 0},
};

int
job_args_check(const struct command *command, const struct job_args *args)
{
	if (args->json && !args->dry_run)
		return opt_usage(command, "--json goes with --dry-run only");
	return EXIT_DONE;
}

uint32_t
job_open_flags(const struct job_args *args)
{
	return args->dry_run ? DISK_LOOK : VHD_OPEN_RDWR;
}

void
job_begin(struct job *job, const char *name, const struct job_args *args)
{
	*job = (struct job){
		.args = args,
		.plan = VHD_PLAN_INIT,
		.opts = VHD_JOB_OPTS_INIT,
	};
	progress_begin(&job->progress, name,
		       (enum progress_mode)args->progress);
	job->opts.progress = progress_step;
	job->opts.progress_user = &job->progress;
	job->opts.rate = args->rate;
	job->opts.dry_run = args->dry_run;
	if (args->dry_run)
		job->opts.plan = &job->plan;
}

static void
plan_rows(const json_t *plan)
{
	static const struct row rows[] = {
		{"to copy", "bytes-to-copy", ROW_SIZE},
		{"final size", "final-size", ROW_SIZE},
		{"extra space", "peak-extra", ROW_SIZE},
		{"free", "free", ROW_SIZE},
		{"fits", "fits", ROW_BOOL},
		{NULL, NULL, ROW_TEXT},
	};

	out_rows(plan, rows);
}

/* "copy up:         505 KiB (517120 bytes) into disk.vhd" */
static void
step_text(const json_t *step)
{
	const char *action = get_text(step, "action");
	const char *file = get_text(step, "filename");
	const char *slash = strrchr(file, '/');
	uint64_t bytes = get_number(step, "bytes");
	char size[SIZE_TEXT_MAX];

	printf("%s:%*s", action, (int)(16 - strlen(action)), "");
	say_plain(stdout, slash ? slash + 1 : file);
	if (strcmp(action, "remove") != 0)
		printf(", %s",
		       bytes ? size_print(size, bytes) : "nothing to copy");
	putchar('\n');
}

static void
plan_text(const json_t *plan)
{
	const json_t *steps = json_object_get(plan, "steps");

	for (size_t i = 0; i < json_array_size(steps); i++)
		step_text(json_array_get(steps, i));
	plan_rows(plan);
	if (get_bool(plan, "second-best"))
		puts("There is no room for the way that copies less.");
}

static int
print_plan(const struct vhd_plan *plan, json_t *steps, bool json)
{
	json_auto_t *result = out_object();
	int status;

	if (steps)
		json_object_set(result, "steps", steps);

	out_number(result, "bytes-to-copy", plan->bytes_to_copy);
	out_number(result, "final-size", plan->final_size);
	out_number(result, "peak-extra", plan->peak_extra);
	out_number(result, "free", plan->free);
	out_bool(result, "fits", plan->fits);
	if (plan->second_best)
		out_bool(result, "second-best", true);
	status = out_result(result, json, plan_text);
	if (status != EXIT_DONE)
		return status;
	return plan->fits ? EXIT_DONE : EXIT_NOSPACE;
}

int
job_end(struct job *job, int err, vhd_t **disk)
{
	int status;

	progress_end(&job->progress);
	if (err)
		return say_err(err);
	status = disk_close(disk);
	if (status != EXIT_DONE)
		return status;
	if (job->args->dry_run)
		return print_plan(&job->plan, job->steps, job->args->json);
	return EXIT_DONE;
}
