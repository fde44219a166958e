/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_snapshot_list.c - vhdtool snapshot list: the tree of one disk.
 */
#include "branches.h"
#include "cmd.h"
#include "exit.h"
#include "memory.h"
#include "out.h"
#include "say.h"
#include "scan.h"
#include "size.h"
#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct list_args {
	const char *disk;
	bool json;
	struct tree_place place;
};

#define TO(member) .to = offsetof(struct list_args, member)

static const struct opt options[] = {
	{.name = "json", .help = "print a JSON array", TO(json)},
	OPT_PLACE(struct list_args, place),
	{0},
};

static const struct operand operands[] = {
	{"DISK", value_text, offsetof(struct list_args, disk), 0},
	{0},
};

static const char *const examples[] = {
	"snapshot list disk.vhd",
	"Draw the snapshots of a disk as a tree, the live disk marked.",
	NULL,
};

static json_t *
describe(const struct vhd_tree_node *node, const struct vhd_tree_node *parent,
	 uint64_t depth, bool live)
{
	json_t *object = out_object();
	bool child = node->type == VHD_TYPE_DIFFERENCING;

	out_text(object, "name", node->name);
	out_text(object, "filename", node->path);
	out_uuid(object, "uuid", node->uuid);
	out_text(object, "parent", parent ? parent->name : NULL);
	out_uuid(object, "parent-uuid", child ? node->parent_uuid : NULL);
	out_text(object, "parent-name", node->parent_name);
	out_text(object, "parent-filename", parent ? parent->path : NULL);
	out_number(object, "depth", depth);
	out_time(object, "created", node->created);
	out_number(object, "actual-size", node->actual_size);
	out_bool(object, "live", live);
	out_bool(object, "leaf", node->live);
	out_bool(object, "merging", node->merging);
	out_bool(object, "orphan", node->orphan);
	out_bool(object, "duplicate", node->duplicate);
	return object;
}

static json_t *
describe_all(const vhd_tree_t *tree, const char *disk)
{
	AUTO_FREE char *live = realpath(disk, NULL);
	size_t count = vhd_tree_count(tree);
	AUTO_FREE uint64_t *depth = must(calloc(count + 1, sizeof(*depth)));
	json_t *list = out_array();

	for (size_t i = 0; i < count; i++) {
		const struct vhd_tree_node *node = vhd_tree_get(tree, i);
		const struct vhd_tree_node *parent = NULL;

		if (node->parent != SIZE_MAX) {
			parent = vhd_tree_get(tree, node->parent);
			depth[i] = depth[node->parent] + 1;
		}
		out_append(list, describe(node, parent, depth[i],
					  live && !strcmp(live, node->path)));
	}
	return list;
}

static const char *
label_of(const json_t *image)
{
	const char *file = get_text(image, "filename");
	const char *slash = strrchr(file, '/');

	if (!is_null(image, "name"))
		return get_text(image, "name");
	return slash ? slash + 1 : file;
}

static char *
details_of(const json_t *image)
{
	AUTO_FREE char *created = scan_created(image);
	AUTO_FREE char *words = scan_remark(image);
	bool other =
		!*words && get_bool(image, "leaf") && is_null(image, "name");
	char space[SIZE_TEXT_MAX];
	char *text;

	if (asprintf(&text, "  %10s  %s%s%s",
		     size_print(space, get_number(image, "actual-size")),
		     created, other || *words ? "  " : "",
		     other ? "another disk" : words) < 0)
		text = NULL;
	return must(text);
}

static void
print_text(const json_t *list)
{
	size_t count = json_array_size(list);
	struct branch *branches = must(calloc(count + 1, sizeof(*branches)));

	for (size_t i = 0; i < count; i++) {
		const json_t *image = json_array_get(list, i);

		branches[i].depth = (size_t)get_number(image, "depth");
		branches[i].name = label_of(image);
		branches[i].details = details_of(image);
	}
	branches_print(branches, count, "snapshot", "     on disk  created");
	for (size_t i = 0; i < count; i++)
		free(branches[i].details);
	free(branches);
}

static int
run(const void *user)
{
	const struct list_args *args = user;
	struct vhd_snapshot_opts opts = snapshot_opts(&args->place);
	json_auto_t *list = NULL;
	vhd_tree_t *tree;
	int err = vhd_snapshot_tree(&tree, args->disk, &opts);

	if (err)
		return say_err(err);
	list = describe_all(tree, args->disk);
	vhd_tree_free(tree);
	return out_result(list, args->json, print_text);
}

const struct command command_snapshot_list = {
	.name = "snapshot list",
	.brief = "draw the snapshots of a disk as a tree",
	.about = "Show the tree that DISK belongs to: each snapshot below the "
		 "state from which it came, with the space that its file "
		 "takes and the time when it was taken. DISK itself is marked "
		 "as live, with the time since when it is. The time stands in "
		 "the images, so that copies keep it.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct list_args),
	.run = run,
};
