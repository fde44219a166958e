/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_snapshot.c - vhdtool snapshot: keep states of a disk, and let them go.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "job.h"
#include "live.h"
#include "memory.h"
#include "out.h"
#include "say.h"

#include <stdlib.h>
#include <string.h>

struct snapshot_args {
	const char *action;
	const char *disk;
	const char *name;
	struct words search;
	struct job_args job;
};

static const struct opt options[] = {
	{.name = "search",
	 .value = "DIR",
	 .help = "look for parents and children in DIR too; may be repeated",
	 .read = value_words,
	 .to = offsetof(struct snapshot_args, search)},
	OPT_DRY_RUN(struct snapshot_args, job),
	OPT_JOB(struct snapshot_args, job),
	{0},
};

static const struct operand operands[] = {
	{"ACTION", value_text, offsetof(struct snapshot_args, action), 0},
	{"DISK", value_text, offsetof(struct snapshot_args, disk), 0},
	{"NAME", value_text, offsetof(struct snapshot_args, name), 0},
	{0},
};

static const char *const examples[] = {
	"snapshot create disk.vhd monday",
	"Keep the present state as disk@monday.vhd.",
	"snapshot delete disk.vhd monday",
	"Let it go; the disk and other snapshots stay what they are.",
	NULL,
};

static struct vhd_snapshot_opts
snapshot_opts(const struct snapshot_args *args, const struct job *job)
{
	struct vhd_snapshot_opts opts = VHD_SNAPSHOT_OPTS_INIT;

	opts.search = args->search.items;
	opts.nsearch = args->search.count;
	opts.job = job ? &job->opts : NULL;
	return opts;
}

static int
create(const struct snapshot_args *args)
{
	struct vhd_snapshot_opts opts = snapshot_opts(args, NULL);
	AUTO_LIVE struct live live = {0};
	json_t *arguments;
	int status, err;

	err = vhd_snapshot_create(args->disk, args->name, &opts);
	if (!err)
		return EXIT_DONE;
	status = live_find(&live, args->disk, err);
	if (status != EXIT_DONE)
		return status;
	arguments = out_object();
	out_text(arguments, "name", args->name);
	return live_ask(NULL, &live, "snapshot-create", arguments);
}

/* Where the file of the snapshot is: disk@NAME.vhd beside disk.vhd. */
static char *
snapshot_path(const char *disk, const char *name)
{
	const char *slash = strrchr(disk, '/');
	const char *dot = strrchr(slash ? slash : disk, '.');
	size_t stem = dot ? (size_t)(dot - disk) : strlen(disk);
	char *path = NULL;

	if (asprintf(&path, "%.*s@%s%s", (int)stem, disk, name,
		     dot ? dot : "") < 0)
		path = NULL;
	return must(path);
}

static int
remove_live(const struct snapshot_args *args, int err)
{
	AUTO_LIVE struct live live = {0};
	AUTO_FREE char *path = NULL;
	json_t *arguments;
	int status = live_find(&live, args->disk, err);

	if (status != EXIT_DONE)
		return status;
	path = snapshot_path(live.disk, args->name);
	arguments = out_object();
	out_add(arguments, "path", live_path(path));
	return live_job(&live, "snapshot-delete", arguments, &args->job);
}

static int
remove_state(const struct snapshot_args *args)
{
	struct vhd_snapshot_opts opts;
	vhd_t *none = NULL;
	struct job job;
	int err;

	job_begin(&job, "snapshot delete", &args->job);
	opts = snapshot_opts(args, &job);
	err = vhd_snapshot_delete(args->disk, args->name, &opts);
	if (err == VHD_E_BUSY) {
		progress_end(&job.progress);
		return remove_live(args, err);
	}
	return job_end(&job, err, &none);
}

static int
run(const void *user)
{
	const struct snapshot_args *args = user;
	int status = job_args_check(&command_snapshot, &args->job);

	if (status != EXIT_DONE)
		return status;
	if (strcmp(args->action, "delete") == 0)
		return remove_state(args);
	if (strcmp(args->action, "create") != 0)
		return opt_usage(&command_snapshot,
				 "ACTION must be create or delete, not '%s'",
				 args->action);
	if (args->job.dry_run)
		return opt_usage(&command_snapshot,
				 "--dry-run goes with delete only");
	return create(args);
}

const struct command command_snapshot = {
	.name = "snapshot",
	.brief = "keep a state of a disk under a name, or let one go",
	.about = "ACTION is create or delete. The snapshot NAME of disk.vhd is "
		 "the file disk@NAME.vhd, on which disk.vhd stands from then "
		 "on; the disk keeps its path. Both work on a disk that is "
		 "served. A deletion moves the cheaper part of the data, and "
		 "may be stopped at any time: running it again carries on.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct snapshot_args),
	.stops = true,
	.run = run,
};
