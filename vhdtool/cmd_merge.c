/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_merge.c - vhdtool merge: push an image's data down into its parent.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "job.h"
#include "live.h"
#include "memory.h"
#include "out.h"
#include "say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct merge_args {
	const char *child;
	const char *into;
	bool at_parent;
	struct chain_args chain;
	struct job_args job;
};

#define TO(member) .to = offsetof(struct merge_args, member)

static const struct opt options[] = {
	{.name = "into",
	 .value = "ANCESTOR",
	 .help = "merge CHILD and every image between into ANCESTOR (default: "
		 "its parent)",
	 .read = value_text,
	 TO(into)},
	{.name = "at-parent",
	 .help = "leave the result at the path of the ancestor, not of CHILD",
	 TO(at_parent)},
	{.name = "search",
	 .value = "DIR",
	 .help = "look for parents, and for other images that stand on them, "
		 "in DIR too; may be repeated",
	 .read = value_words,
	 TO(chain.search)},
	{.name = "raw-parent",
	 .help = "allow a parent that is a raw disk, not a VHD",
	 TO(chain.raw_parent)},
	OPT_DRY_RUN(struct merge_args, job),
	OPT_JOB(struct merge_args, job),
	{0},
};

static const struct operand operands[] = {
	{"CHILD", value_text, offsetof(struct merge_args, child), 0},
	{0},
};

static const char *const examples[] = {
	"merge --dry-run disk.avhd",
	"Say what it would copy, how much space it needs, and if that is "
	"there.",
	"merge disk.avhd",
	"Merge the image into its parent; the result is disk.avhd.",
	"merge --into base.vhd --at-parent newest.avhd",
	"Merge a whole chain of snapshots into base.vhd.",
	NULL,
};

static bool
is_hidden(const char *path)
{
	return strstr(path, "@.merging-") != NULL;
}

static bool
is_layer(vhd_t *disk, uint32_t layer, const char *path)
{
	struct vhd_info info = VHD_INFO_INIT;
	AUTO_FREE char *resolved = NULL;

	if (vhd_get_info(&info, disk, layer))
		return false;
	if (!path)
		return is_hidden(info.path);
	resolved = realpath(info.path, NULL);
	return resolved && strcmp(resolved, path) == 0;
}

static int
say_alone(const char *child)
{
	say("%s has no parent to merge it into", child);
	return EXIT_FAILED;
}

static int
say_stranger(const struct merge_args *args)
{
	say("%s is not among the parents of %s; try: vhdtool inspect --chain "
	    "%s",
	    args->into, args->child, args->child);
	return EXIT_FAILED;
}

/* What --into names, *ret NULL when there is no such file: then a merge of
 * CHILD that was interrupted has renamed it, and all between, to
 * BASE@.merging-UUID.vhd.  Whoever carries on says the same again, and means
 * the lowest of these; those below another layer belong to another merge. */
static int
resolve_into(char **ret, const struct merge_args *args)
{
	*ret = realpath(args->into, NULL);
	if (*ret || errno == ENOENT)
		return EXIT_DONE;
	say("%s: %s", args->into, strerror(errno));
	return EXIT_FAILED;
}

static int
find_layer(uint32_t *ret, vhd_t *disk, const struct merge_args *args)
{
	AUTO_FREE char *path = NULL;
	uint32_t layer = 0;
	int status = resolve_into(&path, args);

	if (status != EXIT_DONE)
		return status;
	while (!path && is_layer(disk, layer + 1, NULL))
		layer++;
	if (path)
		layer = vhd_depth(disk) - 1;
	while (path && layer > 0 && !is_layer(disk, layer, path))
		layer--;
	if (layer == 0)
		return say_stranger(args);
	*ret = layer;
	return EXIT_DONE;
}

/* The same for a disk that is served. */
static int
find_live_layer(json_t **ret, const struct live *live,
		const struct merge_args *args)
{
	const json_t *layers = json_object_get(live->info, "layers");
	AUTO_FREE char *path = NULL;
	json_t *found = NULL;
	int status = resolve_into(&path, args);

	if (status != EXIT_DONE)
		return status;
	for (size_t i = live_layer(live, args->child) + 1;
	     i < live_layers(live); i++) {
		json_t *layer = json_array_get(layers, i);
		const char *name = json_string_value(layer);
		bool wanted = name && (path ? strcmp(name, path) == 0
					    : is_hidden(name));

		if (wanted)
			found = layer;
		else if (!path)
			break;
	}
	if (!found)
		return say_stranger(args);
	*ret = found;
	return EXIT_DONE;
}

/* Have it done by the process that serves the disk. */
static int
run_live(const struct merge_args *args, int err)
{
	AUTO_LIVE struct live live = {0};
	json_t *arguments, *into = NULL;
	int status = live_find_layer(&live, args->child, err);

	if (status != EXIT_DONE)
		return status;
	if (live_layer(&live, args->child) + 1 >= live_layers(&live))
		return say_alone(args->child);
	if (args->into)
		status = find_live_layer(&into, &live, args);
	if (status != EXIT_DONE)
		return status;
	arguments = out_object();
	out_add(arguments, "layer", live_path(args->child));
	if (into)
		out_add(arguments, "into", json_incref(into));
	if (args->at_parent)
		out_bool(arguments, "at-parent", true);
	live_search(arguments, &args->chain.search);
	return live_job(&live, "merge", arguments, &args->job);
}

static int
run(const void *user)
{
	const struct merge_args *args = user;
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;
	int status = job_args_check(&command_merge, &args->job);
	AUTO_DISK vhd_t *disk = NULL;
	struct job job;
	int err;

	if (status != EXIT_DONE)
		return status;
	/* What CHILD reads stays the same, so its own children do not mind;
	 * those of its parents are the library's concern. */
	err = disk_open(&disk, args->child,
			job_open_flags(&args->job) | VHD_OPEN_CHILDREN_OK,
			&args->chain);
	if (err)
		return run_live(args, err);
	if (vhd_depth(disk) == 1)
		return say_alone(args->child);
	if (args->into)
		status = find_layer(&opts.into, disk, args);
	if (status != EXIT_DONE)
		return status;
	job_begin(&job, "merge", &args->job);
	opts.flags = args->at_parent ? VHD_MERGE_AT_PARENT : 0;
	opts.search = args->chain.search.items;
	opts.nsearch = args->chain.search.count;
	opts.job = &job.opts;
	err = vhd_merge(disk, &opts);
	return job_end(&job, err, &disk);
}

const struct command command_merge = {
	.name = "merge",
	.aliases = {"coalesce"},
	.brief = "merge an image into its parent, or several into an ancestor",
	.about = "Move the data of CHILD down into its parent, which makes one "
		 "image of the two. CHILD reads the same before, during and "
		 "after. The result stands at the path of CHILD, and the "
		 "parent's path is gone; --at-parent leaves it there "
		 "instead.\n\n"
		 "It may be stopped or killed at any time: running it again "
		 "carries on. It is refused when another image stands on one "
		 "that is merged.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct merge_args),
	.stops = true,
	.run = run,
};
