/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_resize.c - vhdtool resize: change the size that the guest sees.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "job.h"
#include "live.h"
#include "out.h"
#include "say.h"

#include <inttypes.h>

struct resize_args {
	const char *file;
	struct size_change size;
	bool shrink;
	struct chain_args chain;
	struct job_args job;
};

static const struct opt options[] = {
	{.name = "shrink",
	 .help = "allow a smaller SIZE; what lies beyond it is lost",
	 .to = offsetof(struct resize_args, shrink)},
	OPT_CHAIN(struct resize_args, chain),
	OPT_DRY_RUN(struct resize_args, job),
	OPT_JOB(struct resize_args, job),
	{0},
};

static const struct operand operands[] = {
	{"FILE", value_text, offsetof(struct resize_args, file), 0},
	{"[+]SIZE", value_size_change, offsetof(struct resize_args, size), 0},
	{0},
};

static const char *const examples[] = {
	"resize disk.vhd 200G",
	"Let the guest see a disk of 200 GiB.",
	"resize disk.vhd +10G",
	"Make it 10 GiB larger.",
	"resize --shrink disk.vhd 40G",
	"Cut off all but the first 40 GiB, which the guest must be done with.",
	NULL,
};

static int
new_size(uint64_t *ret, uint64_t old, const struct size_change *change)
{
	if (!change->relative) {
		*ret = change->bytes;
		return EXIT_DONE;
	}
	if (__builtin_add_overflow(old, change->bytes, ret)) {
		say("a disk cannot become that large");
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

/* Have it done by the process that serves the disk. */
static int
run_live(const struct resize_args *args, int err)
{
	AUTO_LIVE struct live live = {0};
	json_t *arguments;
	uint64_t size, old;
	int status = live_find(&live, args->file, err);

	if (status != EXIT_DONE)
		return status;
	old = get_number(live.info, "virtual-size");
	status = new_size(&size, old, &args->size);
	if (status != EXIT_DONE)
		return status;
	if (size < old && args->shrink) {
		say("%s is served, and can only grow; end process %" PRIu64
		    " to shrink it",
		    args->file, get_number(live.info, "pid"));
		return EXIT_IN_USE;
	}
	arguments = out_object();
	out_number(arguments, "size", size);
	return live_job(&live, "resize", arguments, &args->job);
}

static int
run(const void *user)
{
	const struct resize_args *args = user;
	int status = job_args_check(&command_resize, &args->job);
	AUTO_DISK vhd_t *disk = NULL;
	uint64_t size;
	struct job job;
	int err;

	if (status != EXIT_DONE)
		return status;
	err = disk_open(&disk, args->file, job_open_flags(&args->job),
			&args->chain);
	if (err)
		return run_live(args, err);
	status = new_size(&size, vhd_size(disk), &args->size);
	if (status != EXIT_DONE)
		return status;
	job_begin(&job, "resize", &args->job);
	err = vhd_resize(disk, size, args->shrink ? VHD_RESIZE_SHRINK : 0,
			 &job.opts);
	return job_end(&job, err, &disk);
}

const struct command command_resize = {
	.name = "resize",
	.brief = "change the size that the guest sees",
	.about = "Make the disk of FILE as large as SIZE, or larger by SIZE "
		 "with a +. "
		 "Partitions and file systems in it stay as they are; the "
		 "guest changes those. An image that others stand on is not "
		 "resized.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct resize_args),
	.stops = true,
	.run = run,
};
