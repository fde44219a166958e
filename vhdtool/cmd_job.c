/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_job.c - vhdtool job: the job that runs on a disk that is served.
 */
#include "cmd.h"
#include "exit.h"
#include "live.h"
#include "memory.h"
#include "out.h"
#include "progress.h"
#include "say.h"
#include "size.h"
#include "value.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WATCH_NS 200000000L

struct job_command_args {
	const char *action;
	const char *disk;
	const char *rate;
	bool json;
	bool watch;
};

#define TO(member) .to = offsetof(struct job_command_args, member)

static const struct opt options[] = {
	{.name = "json", .help = "with list: print a JSON array", TO(json)},
	{.name = "watch",
	 .help = "with list: show progress until the job has ended; Ctrl-C "
		 "ends the watching only",
	 TO(watch)},
	{0},
};

static const struct operand operands[] = {
	{"ACTION", value_text, offsetof(struct job_command_args, action), 0},
	{"DISK", value_text, offsetof(struct job_command_args, disk), 0},
	{"SIZE", value_text, offsetof(struct job_command_args, rate),
	 OPERAND_OPTIONAL},
	{0},
};

static const char *const examples[] = {
	"job list disk.vhd",
	"Show the job that runs in the process that serves the disk.",
	"job list --watch disk.vhd",
	"The same, with a bar, until it has ended.",
	"job rate disk.vhd 50M",
	"Let it move at most 50 MiB a second from now on; 0 is no limit.",
	"job cancel disk.vhd",
	"Stop it where every image is consistent.",
	NULL,
};

/* ---- List ---- */

static void
print_job(const json_t *job)
{
	char done[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX], rate[SIZE_TEXT_MAX];
	uint64_t speed = get_number(job, "speed");

	out_row("job", "%s, %s", get_text(job, "id"), get_text(job, "type"));
	out_row("status", "%s", get_text(job, "status"));
	out_row("progress", "%s, %s of %s", get_text(job, "phase"),
		size_print(done, get_number(job, "current-progress")),
		size_print(total, get_number(job, "total-progress")));
	if (speed != 0)
		out_row("rate", "at most %s/s", size_print(rate, speed));
	out_row("since", "%s", get_text(job, "since"));
	if (json_object_get(job, "error"))
		out_row(strcmp(get_text(job, "status"), "paused") == 0
				? "waits"
				: "error",
			"%s", get_text(job, "error"));
}

static void
print_jobs(const json_t *jobs)
{
	for (size_t i = 0; i < json_array_size(jobs); i++)
		print_job(json_array_get(jobs, i));
	if (json_array_size(jobs) == 0)
		puts("no job");
}

static int
query(json_t **ret, const struct live *live)
{
	json_t *jobs = NULL;
	int status = live_ask(&jobs, live, "query-jobs", NULL);

	if (status != EXIT_DONE)
		return status;
	for (size_t i = 0; i < json_array_size(jobs); i++) {
		json_t *job = json_array_get(jobs, i);

		out_time(job, "since", (int64_t)get_number(job, "since"));
	}
	*ret = jobs;
	return EXIT_DONE;
}

/* One look at the job that is watched: does it still run? */
static bool
step(struct progress *progress, const json_t *jobs)
{
	const json_t *job = json_array_get(jobs, 0);
	struct vhd_progress now = {
		.done = get_number(job, "current-progress"),
		.total = get_number(job, "total-progress"),
		.phase = get_text(job, "phase"),
	};
	int stop;

	if (!job || strcmp(get_text(job, "status"), "concluded") == 0)
		return false;
	progress->job = get_text(job, "type");
	stop = progress_step(&now, progress);
	progress->job = "";
	return stop == 0;
}

static int
watch(const struct live *live, bool json)
{
	struct timespec nap = {.tv_nsec = WATCH_NS};
	struct progress progress;
	bool runs = true;
	int status = EXIT_DONE;

	progress_begin(&progress, "", json ? PROGRESS_JSON : PROGRESS_AUTO);
	while (runs && status == EXIT_DONE) {
		json_auto_t *jobs = NULL;

		status = query(&jobs, live);
		runs = status == EXIT_DONE && step(&progress, jobs);
		if (runs)
			nanosleep(&nap, NULL);
	}
	if (!json)
		progress_end(&progress);
	return status;
}

static int
run_list(const struct live *live, const struct job_command_args *args)
{
	json_auto_t *jobs = NULL;
	int status = args->watch ? watch(live, args->json) : EXIT_DONE;

	if (status == EXIT_DONE)
		status = query(&jobs, live);
	return status == EXIT_DONE ? out_result(jobs, args->json, print_jobs)
				   : status;
}

/* ---- Change ---- */

static int
run_change(const struct live *live, const struct job_command_args *args)
{
	AUTO_FREE char *command = NULL;
	json_t *arguments = out_object();
	uint64_t speed = 0;

	if (args->rate && size_parse(&speed, args->rate))
		out_number(arguments, "speed", speed);
	if (asprintf(&command, "job-%s",
		     args->rate ? "set-speed" : args->action) < 0)
		command = must(NULL);
	return live_ask(NULL, live, command, arguments);
}

static int
check(const struct job_command_args *args)
{
	static const char *const actions[] = {"list",   "pause", "resume",
					      "cancel", "rate",  NULL};
	bool rate = strcmp(args->action, "rate") == 0;
	bool list = strcmp(args->action, "list") == 0;
	uint64_t speed;
	size_t i = 0;

	while (actions[i] && strcmp(actions[i], args->action) != 0)
		i++;
	if (!actions[i])
		return opt_usage(&command_job,
				 "ACTION must be list, pause, resume, cancel "
				 "or rate, not '%s'",
				 args->action);
	if (rate != (args->rate != NULL))
		return opt_usage(&command_job, rate ? "rate needs a SIZE"
						    : "only rate takes a SIZE");
	if (rate && !size_parse(&speed, args->rate))
		return opt_usage(&command_job,
				 "SIZE must be a size such as 50M, not '%s'",
				 args->rate);
	if (!list && (args->json || args->watch))
		return opt_usage(&command_job,
				 "--json and --watch go with list only");
	return EXIT_DONE;
}

static int
run(const void *user)
{
	const struct job_command_args *args = user;
	AUTO_LIVE struct live live = {0};
	int status = check(args);

	if (status != EXIT_DONE)
		return status;
	if (!live_look(&live, args->disk)) {
		say("%s: no process that serves it answers, so no job runs "
		    "there",
		    args->disk);
		return EXIT_FAILED;
	}
	if (strcmp(args->action, "list") == 0)
		return run_list(&live, args);
	return run_change(&live, args);
}

const struct command command_job = {
	.name = "job",
	.brief = "show or change the job on a disk that is served",
	.about = "A disk that is served by nbdkit or vhdfuse has its jobs done "
		 "by that process. ACTION is list, pause, resume, cancel or "
		 "rate; rate takes a SIZE, which is bytes a second. A job "
		 "that is cancelled leaves every image consistent, and its "
		 "command carries on.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct job_command_args),
	.stops = true,
	.run = run,
};
