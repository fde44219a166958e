/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_snapshot_delete.c - vhdtool snapshot delete.
 */
#include "cmd.h"
#include "exit.h"
#include "job.h"
#include "live.h"
#include "out.h"
#include "snapshot.h"

struct delete_args {
	const char *disk;
	const char *name;
	bool tree;
	struct tree_place place;
	struct job_args job;
};

#define TO(member) .to = offsetof(struct delete_args, member)

static const struct opt options[] = {
	{.name = "tree",
	 .help = "delete everything that stands on it as well; refused when "
		 "a live disk does",
	 TO(tree)},
	OPT_PLACE(struct delete_args, place),
	OPT_DRY_RUN(struct delete_args, job),
	OPT_JOB(struct delete_args, job),
	{0},
};

static const struct operand operands[] = {
	{"DISK", value_text, offsetof(struct delete_args, disk), 0},
	{"NAME", value_text, offsetof(struct delete_args, name), 0},
	{0},
};

static const char *const examples[] = {
	"snapshot delete --dry-run disk.vhd before-update",
	"Say what it would copy, how much space it needs, and if that is "
	"there.",
	"snapshot delete disk.vhd before-update",
	"Give up that state; all others stay what they are.",
	"snapshot delete --tree disk.vhd experiment",
	"Give up a whole branch of snapshots.",
	NULL,
};

/* Have it done by the process that serves the disk. */
static int
run_live(const struct delete_args *args, int err)
{
	AUTO_LIVE struct live live = {0};
	json_t *arguments;
	int status = live_find(&live, args->disk, err);

	if (status != EXIT_DONE)
		return status;
	arguments = out_object();
	out_text(arguments, "name", args->name);
	if (args->tree)
		out_bool(arguments, "tree", true);
	live_search(arguments, &args->place.search);
	return live_job(&live, "snapshot-delete", arguments, &args->job);
}

static void
add_step(const struct vhd_step *step, void *user)
{
	static const char *const actions[] = {
		[VHD_STEP_COPY_UP] = "copy-up",
		[VHD_STEP_MERGE_DOWN] = "merge-down",
		[VHD_STEP_REMOVE] = "remove",
	};
	json_t *object = out_object();

	out_text(object, "action", actions[step->kind]);
	out_text(object, "filename", step->path);
	out_number(object, "bytes", step->bytes);
	out_append(user, object);
}

static int
run(const void *user)
{
	const struct delete_args *args = user;
	struct vhd_snapshot_opts opts = snapshot_opts(&args->place);
	int status = job_args_check(&command_snapshot_delete, &args->job);
	json_auto_t *steps = out_array();
	vhd_t *none = NULL;
	struct job job;
	int err;

	if (status != EXIT_DONE)
		return status;
	job_begin(&job, "snapshot-delete", &args->job);
	job.steps = steps;
	opts.job = &job.opts;
	opts.step = add_step;
	opts.step_user = steps;
	if (args->tree)
		opts.flags |= VHD_SNAPSHOT_SUBTREE;
	err = vhd_snapshot_delete(args->disk, args->name, &opts);
	if (err == VHD_E_BUSY) {
		progress_hide(&job.progress);
		return run_live(args, err);
	}
	return job_end(&job, err, &none);
}

const struct command command_snapshot_delete = {
	.name = "snapshot delete",
	.brief = "give up one state; all others stay what they are",
	.about = "Delete the snapshot NAME of DISK. Every other state of the "
		 "tree reads the same before, during and after. What stands "
		 "on the snapshot gets the data that it needs, or the "
		 "snapshot's file takes over what stands on it, whichever "
		 "copies fewer bytes.\n\n"
		 "It may be stopped or killed at any time: running it again "
		 "carries on. Images in other directories that stand on the "
		 "snapshot must be named with --search.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct delete_args),
	.stops = true,
	.run = run,
};
