/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_snapshot.c - vhdtool snapshot: the group, and its commands that are done
 * at once.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "job.h"
#include "live.h"
#include "out.h"
#include "say.h"
#include "snapshot.h"

#include <stdlib.h>

#define DEPTH_LEFT 16 /* a warning when fewer images may still be added */

struct vhd_snapshot_opts
snapshot_opts(const struct tree_place *place)
{
	struct vhd_snapshot_opts opts = VHD_SNAPSHOT_OPTS_INIT;

	opts.search = place->search.items;
	opts.nsearch = place->search.count;
	if (place->raw_parent)
		opts.flags |= VHD_SNAPSHOT_RAW_PARENT;
	return opts;
}

struct snapshot_args {
	const char *disk;
	const char *name;
	const char *other; /* the new name, or file */
	const char *keep;
	struct tree_place place;
};

#define TO(member) .to = offsetof(struct snapshot_args, member)

static const struct opt options[] = {
	OPT_PLACE(struct snapshot_args, place),
	{0},
};

static const struct operand disk_and_name[] = {
	{"DISK", value_text, offsetof(struct snapshot_args, disk), 0},
	{"NAME", value_text, offsetof(struct snapshot_args, name), 0},
	{0},
};

/* ---- Create ---- */

static void
warn_of_depth(const struct snapshot_args *args, uint64_t depth)
{
	if (depth + DEPTH_LEFT > VHD_MAX_DEPTH_DEFAULT)
		say("warning: %s is a chain of %llu images now, and %d is the "
		    "most that is opened; try: vhdtool snapshot delete",
		    args->disk, (unsigned long long)depth,
		    VHD_MAX_DEPTH_DEFAULT);
}

static void
check_depth(const struct snapshot_args *args)
{
	struct chain_args chain = {.search = args->place.search,
				   .raw_parent = args->place.raw_parent};
	vhd_t *disk;

	if (disk_open(&disk, args->disk, DISK_LOOK, &chain))
		return;
	warn_of_depth(args, vhd_depth(disk));
	disk_drop(&disk);
}

/* Have it done by the process that serves the disk. */
static int
create_live(const struct snapshot_args *args, int err)
{
	AUTO_LIVE struct live live = {0};
	json_t *arguments;
	int status = live_find(&live, args->disk, err);

	if (status != EXIT_DONE)
		return status;
	arguments = out_object();
	out_text(arguments, "name", args->name);
	status = live_ask(NULL, &live, "snapshot-create", arguments);
	if (status == EXIT_DONE)
		check_depth(args);
	return status;
}

static int
run_create(const void *user)
{
	const struct snapshot_args *args = user;
	struct vhd_snapshot_opts opts = snapshot_opts(&args->place);
	int err = vhd_snapshot_create(args->disk, args->name, &opts);

	if (err)
		return create_live(args, err);
	check_depth(args);
	return EXIT_DONE;
}

static const char *const create_examples[] = {
	"snapshot create disk.vhd before-update",
	"Freeze the present state as disk@before-update.vhd; the machine "
	"goes on with disk.vhd.",
	NULL,
};

const struct command command_snapshot_create = {
	.name = "snapshot create",
	.brief = "freeze the present state under a name",
	.about = "Give the present state of DISK a name. Its file becomes the "
		 "snapshot's, DISK@NAME, and DISK is a new, empty image that "
		 "stands on it. This takes no longer for a large disk, and "
		 "the disk may be in use by nbdkit or vhdfuse.\n\n"
		 "NAME has at most 128 bytes, without / \\ : * ? \" < > | @ "
		 "and control characters, does not begin with a dot and does "
		 "not end with a dot or space.",
	.options = options,
	.operands = disk_and_name,
	.examples = create_examples,
	.args_size = sizeof(struct snapshot_args),
	.run = run_create,
};

/* ---- Revert ---- */

static int
run_revert(const void *user)
{
	const struct snapshot_args *args = user;
	struct vhd_snapshot_opts opts = snapshot_opts(&args->place);
	const struct job_args plain = {0};
	vhd_t *none = NULL;
	struct job job;
	int err;

	job_begin(&job, "revert", &plain);
	opts.job = &job.opts;
	err = vhd_snapshot_revert(args->disk, args->name, args->keep, &opts);
	return job_end(&job, err, &none);
}

static const struct opt revert_options[] = {
	{.name = "keep",
	 .value = "NAME2",
	 .help = "keep the present state as the snapshot NAME2; otherwise it "
		 "is lost",
	 .read = value_text,
	 TO(keep)},
	OPT_PLACE(struct snapshot_args, place),
	{0},
};

static const char *const revert_examples[] = {
	"snapshot revert --keep broken disk.vhd before-update",
	"Go back, and keep the state after the update as disk@broken.vhd.",
	NULL,
};

const struct command command_snapshot_revert = {
	.name = "snapshot revert",
	.brief = "make the disk what a snapshot was",
	.about = "Make DISK what the snapshot NAME was: a new, empty image "
		 "that stands on it. The snapshot stays.",
	.options = revert_options,
	.operands = disk_and_name,
	.examples = revert_examples,
	.args_size = sizeof(struct snapshot_args),
	.stops = true,
	.run = run_revert,
};

/* ---- Rename ---- */

static int
run_rename(const void *user)
{
	const struct snapshot_args *args = user;
	struct vhd_snapshot_opts opts = snapshot_opts(&args->place);
	int err =
		vhd_snapshot_rename(args->disk, args->name, args->other, &opts);

	return err ? say_err(err) : EXIT_DONE;
}

static const struct operand rename_operands[] = {
	{"DISK", value_text, offsetof(struct snapshot_args, disk), 0},
	{"NAME", value_text, offsetof(struct snapshot_args, name), 0},
	{"NEW", value_text, offsetof(struct snapshot_args, other), 0},
	{0},
};

static const char *const rename_examples[] = {
	"snapshot rename disk.vhd monday before-update",
	"Call disk@monday.vhd disk@before-update.vhd from now on.",
	NULL,
};

const struct command command_snapshot_rename = {
	.name = "snapshot rename",
	.brief = "give a snapshot another name",
	.about = "Give the snapshot NAME of DISK the name NEW. The images that "
		 "stand on it are linked to its new name; those in other "
		 "directories are found with --search.",
	.options = options,
	.operands = rename_operands,
	.examples = rename_examples,
	.args_size = sizeof(struct snapshot_args),
	.run = run_rename,
};

/* ---- Clone ---- */

static int
run_clone(const void *user)
{
	const struct snapshot_args *args = user;
	struct vhd_snapshot_opts opts = snapshot_opts(&args->place);
	int err =
		vhd_snapshot_clone(args->disk, args->name, args->other, &opts);

	return err ? say_err(err) : EXIT_DONE;
}

static const struct operand clone_operands[] = {
	{"DISK", value_text, offsetof(struct snapshot_args, disk), 0},
	{"NAME", value_text, offsetof(struct snapshot_args, name), 0},
	{"NEWFILE", value_text, offsetof(struct snapshot_args, other), 0},
	{0},
};

static const char *const clone_examples[] = {
	"snapshot clone disk.vhd before-update test.vhd",
	"Make test.vhd, a second disk that starts as the first one was then.",
	NULL,
};

const struct command command_snapshot_clone = {
	.name = "snapshot clone",
	.brief = "make another disk that starts as a snapshot",
	.about = "Make NEWFILE, a disk of its own that stands on the snapshot "
		 "NAME of DISK. The two share what neither has changed since.",
	.options = options,
	.operands = clone_operands,
	.examples = clone_examples,
	.args_size = sizeof(struct snapshot_args),
	.run = run_clone,
};

/* ---- The group ---- */

static const struct command *const group[] = {
	&command_snapshot_create,
	&command_snapshot_list,
	&command_snapshot_revert,
	&command_snapshot_delete,
	&command_snapshot_rename,
	&command_snapshot_clone,
	NULL,
};

const struct command command_snapshot = {
	.name = "snapshot",
	.brief = "take snapshots of a disk, go back to them, delete them",
	.about = "A snapshot is a frozen state of a disk with a name. The disk "
		 "keeps its path, disk.vhd; the state NAME is the file "
		 "disk@NAME.vhd. Wherever NAME stands for a snapshot that "
		 "exists, a file name or a UUID of the tree will do, so that "
		 "trees made by Hyper-V, XenServer or VirtualBox can be "
		 "worked on as well.",
	.group = group,
};
