/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_tree.c - vhdtool tree: every image found, children under parents.
 */
#include "branches.h"
#include "cmd.h"
#include "exit.h"
#include "memory.h"
#include "out.h"
#include "say.h"
#include "scan.h"
#include "size.h"
#include "svg.h"
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tree_args {
	struct words paths;
	const char *svg;
	bool json;
	bool force;
};

#define TO(member) .to = offsetof(struct tree_args, member)

static const struct opt options[] = {
	{.name = "json", .help = "print a JSON array", TO(json)},
	{.name = "svg",
	 .value = "OUT",
	 .help = "draw a picture into the new file OUT instead (- for stdout)",
	 .read = value_text,
	 TO(svg)},
	{.name = "force", .help = "replace OUT if it exists", TO(force)},
	{0},
};

static const struct operand operands[] = {
	{"PATH", value_words, offsetof(struct tree_args, paths), OPERAND_MANY},
	{0},
};

static const char *const examples[] = {
	"tree /vm",
	"Show how the images in a directory stand on each other.",
	"tree --svg tree.svg /vm /backup",
	"Draw those of two directories as one picture.",
	"tree disk.avhd",
	"Show the tree that one image belongs to.",
	NULL,
};

/* How much of the paths is left out: the directory in which all images are. */
static size_t
common_directory(const json_t *list)
{
	const char *first = get_text(json_array_get(list, 0), "filename");
	const char *slash = strrchr(first, '/');
	size_t length = slash ? (size_t)(slash - first) + 1 : 0;
	size_t count = json_array_size(list);

	for (size_t i = 1; i < count; i++) {
		const char *path =
			get_text(json_array_get(list, i), "filename");

		while (length > 0 && (first[length - 1] != '/' ||
				      strncmp(path, first, length) != 0))
			length--;
	}
	return length > 1 ? length : 0;
}

/* "    127 GiB      1.5 GiB  2011-10-27 12:00  live" */
static char *
details_in_columns(const json_t *image)
{
	AUTO_FREE char *created = scan_created(image);
	AUTO_FREE char *words = scan_remark(image);
	char whole[SIZE_TEXT_MAX], space[SIZE_TEXT_MAX];
	char *text;
	int length;

	if (!is_null(image, "error"))
		length = asprintf(&text, "  cannot be read: %s",
				  scan_why_unread(image));
	else
		length = asprintf(
			&text, "  %10s  %10s  %s%s%s",
			size_print(whole, get_number(image, "virtual-size")),
			size_print(space, get_number(image, "actual-size")),
			created, *words ? "  " : "", words);
	return must(length < 0 ? NULL : text);
}

/* "1.5 GiB of 127 GiB, 2011-10-27 12:00, live" */
static char *
details_in_words(const json_t *image)
{
	AUTO_FREE char *created = scan_created(image);
	AUTO_FREE char *words = scan_remark(image);
	char whole[SIZE_TEXT_MAX], space[SIZE_TEXT_MAX];
	char *text;
	int length;

	if (!is_null(image, "error"))
		length = asprintf(&text, "cannot be read: %s",
				  scan_why_unread(image));
	else
		length = asprintf(
			&text, "%s of %s, %s%s%s",
			size_print(space, get_number(image, "actual-size")),
			size_print(whole, get_number(image, "virtual-size")),
			created, *words ? ", " : "", words);
	return must(length < 0 ? NULL : text);
}

static struct branch *
branches_of(const json_t *list, char *(*details)(const json_t *image))
{
	size_t directory = common_directory(list);
	size_t count = json_array_size(list);
	struct branch *branches = must(calloc(count + 1, sizeof(*branches)));

	for (size_t i = 0; i < count; i++) {
		const json_t *image = json_array_get(list, i);

		branches[i].depth = (size_t)get_number(image, "depth");
		branches[i].name = get_text(image, "filename") + directory;
		branches[i].details = details(image);
	}
	return branches;
}

static void
free_branches(struct branch *branches, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(branches[i].details);
	free(branches);
}

static void
print_text(const json_t *list)
{
	struct branch *branches = branches_of(list, details_in_columns);
	size_t count = json_array_size(list);

	if (count == 0)
		puts("There is no image.");
	else
		branches_print(branches, count, "file",
			       "        size     on disk  created");
	free_branches(branches, count);
}

static bool
is_bad(const json_t *image)
{
	return !is_null(image, "error") || get_bool(image, "orphan") ||
	       get_bool(image, "duplicate");
}

static int
draw(const json_t *list, const struct tree_args *args)
{
	struct branch *branches = branches_of(list, details_in_words);
	size_t count = json_array_size(list);
	struct svg_node *nodes = must(calloc(count + 1, sizeof(*nodes)));
	struct svg_tree picture = {.nodes = nodes, .count = count};
	int status;

	for (size_t i = 0; i < count; i++) {
		const json_t *image = json_array_get(list, i);

		nodes[i].depth = branches[i].depth;
		nodes[i].name = branches[i].name;
		nodes[i].details = branches[i].details;
		nodes[i].live = get_bool(image, "live");
		nodes[i].bad = is_bad(image);
	}
	status = svg_save(args->svg, args->force, svg_draw_tree, &picture);
	free(nodes);
	free_branches(branches, count);
	return status;
}

static int
run(const void *user)
{
	const struct tree_args *args = user;
	json_auto_t *list = NULL;
	int err;

	if (args->svg && args->json)
		return opt_usage(&command_tree, "--svg and --json exclude "
						"each other");
	if (args->force && !args->svg)
		return opt_usage(&command_tree, "--force goes with --svg only");
	err = scan_images(&list, &args->paths);
	if (err)
		return say_err(err);
	if (args->svg)
		return draw(list, args);
	return out_result(list, args->json, print_text);
}

const struct command command_tree = {
	.name = "tree",
	.aliases = {"scan"},
	.brief = "show how images stand on each other",
	.about = "Show every image in a directory (not in its "
		 "sub-directories), or the tree that a file belongs to, each "
		 "image below its parent. Parents are recognized by UUID, "
		 "wherever they are among the images looked at and whatever "
		 "they are called. Images whose parent is not there, copies "
		 "with the same UUID and files that cannot be read come "
		 "last.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct tree_args),
	.run = run,
};
