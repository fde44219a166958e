/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_rebase.c - vhdtool rebase: give an image another parent.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "job.h"
#include "say.h"

struct rebase_args {
	const char *file;
	const char *parent;
	bool unsafe;
	struct chain_args chain;
	struct job_args job;
};

static const struct opt options[] = {
	{.name = "parent",
	 .value = "NEW",
	 .help = "the image to stand on from now on; must be given",
	 .read = value_text,
	 .to = offsetof(struct rebase_args, parent)},
	{.name = "unsafe",
	 .help = "only write the new link, without looking at the old parent; "
		 "what FILE reads is wrong unless NEW has the same content",
	 .to = offsetof(struct rebase_args, unsafe)},
	OPT_CHAIN(struct rebase_args, chain),
	OPT_DRY_RUN(struct rebase_args, job),
	OPT_JOB(struct rebase_args, job),
	{0},
};

static const struct operand operands[] = {
	{"FILE", value_text, offsetof(struct rebase_args, file), 0},
	{0},
};

static const char *const examples[] = {
	"rebase --dry-run --parent base2.vhd child.vhd",
	"Say how much would have to be copied.",
	"rebase --parent base2.vhd child.vhd",
	"Stand on base2.vhd; copy into child.vhd whatever differs there.",
	"rebase --unsafe --parent copy-of-base.vhd child.vhd",
	"Stand on a copy of the parent, which is known to be the same.",
	NULL,
};

/* An unsafe rebase must do without the old parent; children of FILE read the
 * same afterwards in any case. */
static uint32_t
open_flags(const struct rebase_args *args)
{
	uint32_t flags = job_open_flags(&args->job) | VHD_OPEN_CHILDREN_OK;

	return args->unsafe ? flags | VHD_OPEN_NOPARENT : flags;
}

static int
run(const void *user)
{
	const struct rebase_args *args = user;
	int status = job_args_check(&command_rebase, &args->job);
	AUTO_DISK vhd_t *disk = NULL;
	struct job job;
	int err;

	if (status != EXIT_DONE)
		return status;
	if (!args->parent)
		return opt_usage(&command_rebase, "--parent is missing");
	err = disk_open(&disk, args->file, open_flags(args), &args->chain);
	if (err)
		return say_err(err);
	job_begin(&job, "rebase", &args->job);
	err = vhd_rebase(disk, args->parent,
			 args->unsafe ? VHD_REBASE_UNSAFE : 0, &job.opts);
	return job_end(&job, err, &disk);
}

const struct command command_rebase = {
	.name = "rebase",
	.brief = "give an image another parent, keeping what it reads",
	.about = "Let the differencing image FILE stand on the image NEW. What "
		 "the guest reads stays the same: wherever the old and the new "
		 "parent differ, the old content is copied into FILE first. "
		 "To repair a link to a parent that was only moved, use "
		 "relink.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct rebase_args),
	.stops = true,
	.run = run,
};
