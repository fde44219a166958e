/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_relink.c - vhdtool relink: find parents again that were moved.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "out.h"
#include "say.h"

#include <string.h>

struct relink_args {
	struct words paths;
	struct words search;
	bool dry_run;
	bool json;
};

#define TO(member) .to = offsetof(struct relink_args, member)

static const struct opt options[] = {
	{.name = "search",
	 .value = "DIR",
	 .help = "look for parents in DIR too; may be repeated",
	 .read = value_words,
	 TO(search)},
	{.name = "dry-run",
	 .help = "change nothing; say which links would be written",
	 TO(dry_run)},
	{.name = "json", .help = "print a JSON array", TO(json)},
	{0},
};

static const struct operand operands[] = {
	{"PATH", value_words, offsetof(struct relink_args, paths),
	 OPERAND_MANY},
	{0},
};

static const char *const examples[] = {
	"relink --dry-run /vm",
	"Say which links are broken, and where the parents are.",
	"relink --search /vm/base /vm/disk.avhd",
	"Repair the link of one image, whose parent is in /vm/base now.",
	"relink --search /vm /vm /vm/snapshots",
	"Repair a tree in two directories.",
	NULL,
};

static int
add_link(const struct vhd_relinked *link, void *user)
{
	json_t *list = user;
	json_t *object = out_object();

	out_text(object, "filename", link->path);
	out_text(object, "old-parent", link->old_parent);
	out_text(object, "new-parent", link->new_parent);
	out_text(object, "error", link->err ? link->message : NULL);
	out_append(list, object);
	return 0;
}

/* The library's sentence, which often begins with the file's name itself. */
static const char *
error_of(const json_t *link)
{
	const char *file = get_text(link, "filename");
	const char *error = get_text(link, "error");
	size_t length = strlen(file);

	if (strncmp(error, file, length) == 0 &&
	    strncmp(error + length, ": ", 2) == 0)
		return error + length + 2;
	return error;
}

static void
print_link(const json_t *link)
{
	say_plain(stdout, get_text(link, "filename"));
	fputs(": ", stdout);
	if (!is_null(link, "error")) {
		fputs("not repaired: ", stdout);
		say_plain(stdout, error_of(link));
	} else {
		say_plain(stdout, get_text(link, "old-parent"));
		fputs(" -> ", stdout);
		say_plain(stdout, get_text(link, "new-parent"));
	}
	putchar('\n');
}

static void
print_text(const json_t *result)
{
	size_t count = json_array_size(result);

	for (size_t i = 0; i < count; i++)
		print_link(json_array_get(result, i));
	if (count == 0)
		puts("No link is broken.");
}

/* One that stays broken does not keep the others from being repaired. */
static int
relink_all(json_t *list, const struct relink_args *args)
{
	int failed = 0;

	for (size_t i = 0; i < args->paths.count; i++) {
		int err = vhd_relink(args->paths.items[i], args->search.items,
				     args->search.count, args->dry_run,
				     add_link, list);

		if (err)
			failed = err;
	}
	return failed;
}

static int
run(const void *user)
{
	const struct relink_args *args = user;
	json_auto_t *list = out_array();
	int err = relink_all(list, args);
	int status;

	/* Links that stay broken are part of the answer. */
	if (err && json_array_size(list) == 0)
		return say_err(err);
	status = out_result(list, args->json, print_text);
	if (status != EXIT_DONE)
		return status;
	return err ? say_err(err) : EXIT_DONE;
}

const struct command command_relink = {
	.name = "relink",
	.brief = "repair links to parents that were moved or renamed",
	.about = "Find the parents of images, or of every image in a "
		 "directory, by their UUID, and store where they are now. "
		 "Links that work are left alone. The content of no image is "
		 "changed.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct relink_args),
	.run = run,
};
