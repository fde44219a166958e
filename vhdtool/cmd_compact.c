/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_compact.c - vhdtool compact: give back space that the guest would not
 * miss.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "job.h"
#include "live.h"
#include "out.h"

struct compact_args {
	const char *file;
	int mode;
	struct chain_args chain;
	struct job_args job;
};

static const struct choice modes[] = {
	{"punch", VHD_COMPACT_PUNCH},
	{"repack", VHD_COMPACT_REPACK},
	{NULL, 0},
};

static const struct opt options[] = {
	{.name = "mode",
	 .value = "MODE",
	 .help = "punch: drop blocks of zeros and punch holes into the file "
		 "(default); repack: also move blocks together, and shorten "
		 "the file",
	 .read = value_choice,
	 .to = offsetof(struct compact_args, mode),
	 .choices = modes},
	OPT_CHAIN(struct compact_args, chain),
	OPT_DRY_RUN(struct compact_args, job),
	OPT_JOB(struct compact_args, job),
	{0},
};

static const struct operand operands[] = {
	{"FILE", value_text, offsetof(struct compact_args, file), 0},
	{0},
};

static const char *const examples[] = {
	"compact --dry-run disk.vhd",
	"Say how small the file would become.",
	"compact disk.vhd",
	"Give space back to the file system; the file's length stays.",
	"compact --mode repack disk.vhd",
	"Make the file short, for instance before copying it elsewhere.",
	NULL,
};

/* Have it done by the process that serves the disk. */
static int
run_live(const struct compact_args *args, int err)
{
	AUTO_LIVE struct live live = {0};
	json_t *arguments;
	int status = live_find(&live, args->file, err);

	if (status != EXIT_DONE)
		return status;
	arguments = out_object();
	out_text(arguments, "mode", modes[args->mode].word);
	return live_job(&live, "compact", arguments, &args->job);
}

static int
run(const void *user)
{
	const struct compact_args *args = user;
	int status = job_args_check(&command_compact, &args->job);
	AUTO_DISK vhd_t *disk = NULL;
	struct job job;
	int err;

	if (status != EXIT_DONE)
		return status;
	/* What it reads stays the same, so children do not mind. */
	err = disk_open(&disk, args->file,
			job_open_flags(&args->job) | VHD_OPEN_CHILDREN_OK,
			&args->chain);
	if (err)
		return run_live(args, err);
	job_begin(&job, "compact", &args->job);
	err = vhd_compact(disk, (enum vhd_compact_mode)args->mode, &job.opts);
	return job_end(&job, err, &disk);
}

const struct command command_compact = {
	.name = "compact",
	.brief = "give back space that the guest would not miss",
	.about = "Give back the space of blocks that hold only zeros or what "
		 "the parent has anyway. What the guest reads does not "
		 "change. It may be stopped at any time; running it again "
		 "carries on.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct compact_args),
	.stops = true,
	.run = run,
};
