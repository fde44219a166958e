/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_convert.c - vhdtool convert: copy what the guest sees into a new image.
 *
 * Either side may be a pipe, "-".
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "image.h"
#include "job.h"
#include "say.h"

#include <string.h>
#include <unistd.h>

struct convert_args {
	const char *source;
	const char *target;
	int format; /* flags for vhd_open() */
	int output;
	bool gzip;
	bool salvage;
	bool ignore_bitmap;
	bool size_chs;
	struct image_args image;
	struct chain_args chain;
	struct job_args job;
};

static const struct choice formats[] = {
	{"vhd", 0},
	{"raw", VHD_OPEN_RAW},
	{NULL, 0},
};

static const struct choice outputs[] = {
	{"dynamic", VHD_TYPE_DYNAMIC},
	{"fixed", VHD_TYPE_FIXED},
	{"raw", VHD_TYPE_RAW},
	{NULL, 0},
};

#define TO(member) .to = offsetof(struct convert_args, member)

static const struct opt options[] = {
	{.letter = 'f',
	 .name = "format",
	 .value = "FORMAT",
	 .help = "what SRC is: vhd (default) or raw",
	 .read = value_choice,
	 TO(format),
	 .choices = formats},
	{.letter = 'O',
	 .name = "output-format",
	 .value = "FORMAT",
	 .help = "what DST becomes: dynamic (default), fixed or raw",
	 .read = value_choice,
	 TO(output),
	 .choices = outputs},
	{.letter = 'z',
	 .name = "gzip",
	 .help = "compress the result, as gzip does",
	 TO(gzip)},
	OPT_IMAGE(struct convert_args, image),
	{.name = "salvage",
	 .help = "read a damaged SRC as far as that is possible",
	 TO(salvage)},
	{.name = "ignore-bitmap",
	 .help = "take every sector of an allocated block, as QEMU does",
	 TO(ignore_bitmap)},
	{.name = "size-from-chs",
	 .help = "take the size from the geometry, as old versions of QEMU do",
	 TO(size_chs)},
	OPT_CHAIN(struct convert_args, chain),
	OPT_DRY_RUN(struct convert_args, job),
	OPT_JOB(struct convert_args, job),
	{0},
};

static const struct operand operands[] = {
	{"SRC", value_text, offsetof(struct convert_args, source), 0},
	{"DST", value_text, offsetof(struct convert_args, target), 0},
	{0},
};

static const char *const examples[] = {
	"convert disk.avhd single.vhd",
	"Make one dynamic image of an image and all its parents.",
	"convert -O raw disk.avhd /dev/vg0/disk",
	"Copy the disk to a block device.",
	"convert -f raw --profile azure disk.img upload.vhd",
	"Make a fixed image for Azure of a raw disk.",
	"convert -f raw nbd://host/disk copy.vhd",
	"Copy the disk that an NBD server exports.",
	"convert -z disk.avhd - | ssh host 'cat >disk.vhd.gz'",
	"Send a compressed copy to another host.",
	NULL,
};

static bool
is_pipe(const char *path)
{
	return strcmp(path, "-") == 0;
}

static int
check_pipes(const struct convert_args *args)
{
	const struct command *self = &command_convert;
	bool in = is_pipe(args->source);
	bool out = is_pipe(args->target);

	if (in && out)
		return opt_usage(self, "only one of SRC and DST can be '-'");
	if (in && args->format != VHD_OPEN_RAW)
		return opt_usage(self, "a VHD cannot be read from a pipe, only "
				       "a raw disk (-f raw); store it in a "
				       "file first, with gunzip if it is "
				       "compressed");
	if (in && args->job.dry_run)
		return opt_usage(self, "--dry-run cannot look ahead into a "
				       "pipe");
	if (out && !args->job.dry_run && isatty(STDOUT_FILENO))
		return opt_usage(self, "a disk does not go to a terminal");
	return EXIT_DONE;
}

static int
check_args(const struct convert_args *args)
{
	const struct command *self = &command_convert;
	bool raw = args->output == VHD_TYPE_RAW;
	int status = job_args_check(self, &args->job);

	if (status == EXIT_DONE)
		status = check_pipes(args);
	if (status == EXIT_DONE)
		status = image_args_check(self, &args->image,
					  raw || args->output ==
							  VHD_TYPE_DYNAMIC);
	if (status != EXIT_DONE)
		return status;
	if (args->format == VHD_OPEN_RAW &&
	    (args->salvage || args->ignore_bitmap || args->size_chs))
		return opt_usage(self, "a raw SRC has nothing to salvage, no "
				       "bitmap and no geometry");
	if (raw && (args->image.uuid.given || args->image.created != 0 ||
		    args->image.creator[0] != '\0'))
		return opt_usage(self, "a raw disk stores no --uuid, --created "
				       "or --creator");
	if (args->output != 0 && args->output != VHD_TYPE_DYNAMIC &&
	    args->image.block_size != 0)
		return opt_usage(self, "only a dynamic image has a "
				       "--block-size");
	return EXIT_DONE;
}

static uint32_t
source_flags(const struct convert_args *args)
{
	uint32_t flags = (uint32_t)args->format;

	if (args->salvage)
		flags |= VHD_OPEN_DAMAGED;
	if (args->ignore_bitmap)
		flags |= VHD_OPEN_IGNORE_BITMAP;
	if (args->size_chs)
		flags |= VHD_OPEN_SIZE_CHS;
	return flags;
}

static struct vhd_convert_opts
convert_opts(const struct convert_args *args, const struct job *job)
{
	struct vhd_convert_opts opts = VHD_CONVERT_OPTS_INIT;
	bool azure = args->image.profile == PROFILE_AZURE;

	opts.type = (enum vhd_type)args->output;
	if (azure)
		opts.type = VHD_TYPE_FIXED;
	if (opts.type == 0)
		opts.type = VHD_TYPE_DYNAMIC;
	opts.flags = (args->image.force ? VHD_CONVERT_FORCE : 0) |
		     (azure ? VHD_CONVERT_AZURE : 0) |
		     (args->gzip ? VHD_CONVERT_GZIP : 0);
	opts.block_size = args->image.block_size;
	opts.uuid = image_uuid(&args->image);
	opts.created = args->image.created;
	opts.creator = image_creator(&args->image);
	opts.job = &job->opts;
	return opts;
}

static int
convert(vhd_t *disk, const struct convert_args *args,
	const struct vhd_convert_opts *opts)
{
	if (is_pipe(args->source))
		return vhd_convert_from_fd(STDIN_FILENO, args->target, opts);
	if (is_pipe(args->target))
		return vhd_convert_to_fd(disk, STDOUT_FILENO, opts);
	return vhd_convert(disk, args->target, opts);
}

static int
run(const void *user)
{
	const struct convert_args *args = user;
	struct vhd_convert_opts opts;
	AUTO_DISK vhd_t *disk = NULL;
	int status = check_args(args);
	struct job job;
	int err = 0;

	if (status != EXIT_DONE)
		return status;
	if (!is_pipe(args->source))
		err = disk_open(&disk, args->source, source_flags(args),
				&args->chain);
	if (err)
		return say_err(err);
	job_begin(&job, "convert", &args->job);
	opts = convert_opts(args, &job);
	err = convert(disk, args, &opts);
	return job_end(&job, err, &disk);
}

const struct command command_convert = {
	.name = "convert",
	.brief = "copy a disk into a new image of another type",
	.about = "Copy the disk of SRC as its guest sees it, parents "
		 "included, into the new image DST. Either may be a block "
		 "device, an NBD export (nbd:// or nbd+unix://), or - for a "
		 "pipe. Holes stay holes. A raw disk is never guessed: say -f "
		 "raw to read one and -O raw to write one.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct convert_args),
	.stops = true,
	.run = run,
};
