/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_create.c - vhdtool create: a new, empty image.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "image.h"
#include "say.h"

#include <inttypes.h>

#define MIB (UINT64_C(1) << 20)

struct create_args {
	const char *file;
	uint64_t size;
	int type;
	const char *parent;
	struct image_args image;
	struct chain_args chain;
};

static const struct choice types[] = {
	{"dynamic", VHD_TYPE_DYNAMIC},
	{"fixed", VHD_TYPE_FIXED},
	{NULL, 0},
};

#define TO(member) .to = offsetof(struct create_args, member)

static const struct opt options[] = {
	{.name = "type",
	 .value = "TYPE",
	 .help = "dynamic: the file grows as data arrives (default); "
		 "fixed: it is as large as the disk from the start",
	 .read = value_choice,
	 TO(type),
	 .choices = types},
	{.name = "parent",
	 .value = "PARENT",
	 .help = "make a differencing image that stands on PARENT; SIZE may "
		 "be left out",
	 .read = value_text,
	 TO(parent)},
	OPT_IMAGE(struct create_args, image),
	OPT_CHAIN(struct create_args, chain),
	{0},
};

static const struct operand operands[] = {
	{"FILE", value_text, offsetof(struct create_args, file), 0},
	{"SIZE", value_size, offsetof(struct create_args, size),
	 OPERAND_OPTIONAL},
	{0},
};

static const char *const examples[] = {
	"create disk.vhd 127G",
	"Make a dynamic disk of 127 GiB.",
	"create --parent disk.vhd child.vhd",
	"Make an image that stores what changes from now on.",
	"create --profile azure upload.vhd 30G",
	"Make a fixed disk that Azure accepts.",
	NULL,
};

static int
check_args(const struct create_args *args)
{
	const struct command *self = &command_create;

	if (args->size == 0 && !args->parent)
		return opt_usage(self, "SIZE is missing; only an image with a "
				       "--parent can do without");
	if (args->type == VHD_TYPE_FIXED && args->image.block_size != 0)
		return opt_usage(self, "a fixed image has no --block-size");
	if (args->parent && (args->type != 0 || args->image.profile != 0))
		return opt_usage(self,
				 "with --parent the image is always "
				 "differencing; leave out %s",
				 args->type != 0 ? "--type" : "--profile");
	if (args->image.profile == PROFILE_AZURE && args->size % MIB != 0)
		return opt_usage(self,
				 "Azure takes whole MiB only; try a "
				 "SIZE of %" PRIu64 "M",
				 args->size / MIB + 1);
	return image_args_check(self, &args->image,
				args->type == VHD_TYPE_DYNAMIC);
}

static enum vhd_type
type_wanted(const struct create_args *args)
{
	if (args->parent)
		return VHD_TYPE_DIFFERENCING;
	if (args->image.profile == PROFILE_AZURE)
		return VHD_TYPE_FIXED;
	return args->type != 0 ? (enum vhd_type)args->type : VHD_TYPE_DYNAMIC;
}

static int
run(const void *user)
{
	const struct create_args *args = user;
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;
	struct vhd_open_opts parent = disk_opts(VHD_OPEN_RDONLY, &args->chain);
	int status = check_args(args);
	int err;

	if (status != EXIT_DONE)
		return status;
	opts.type = type_wanted(args);
	opts.virtual_size = args->size;
	opts.block_size = args->image.block_size;
	opts.parent = args->parent;
	opts.uuid = image_uuid(&args->image);
	opts.created = args->image.created;
	opts.creator = image_creator(&args->image);
	opts.flags = args->image.force ? VHD_CREATE_FORCE : 0;
	opts.parent_opts = &parent;
	err = vhd_create(args->file, &opts);
	return err ? say_err(err) : EXIT_DONE;
}

const struct command command_create = {
	.name = "create",
	.brief = "make a new, empty image, or one that stands on another",
	.about = "Make the image FILE for a disk of SIZE, such as 127G. With "
		 "--parent it is a differencing image: it reads like PARENT "
		 "until something is written, and stores only that. PARENT "
		 "must not be written to from then on.\n\n"
		 "With the same --uuid and --created the same command makes "
		 "the same bytes every time.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct create_args),
	.run = run,
};
