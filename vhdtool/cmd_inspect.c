/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_inspect.c - vhdtool inspect: everything an image says about itself.
 *
 * An image alone is opened without its parents and even when damaged: this is
 * the first thing that people reach for when a chain is broken.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "memory.h"
#include "name.h"
#include "out.h"
#include "say.h"
#include "size.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

struct inspect_args {
	const char *file;
	struct chain_args chain_args;
	bool chain;
	bool json;
};

#define TO(member) .to = offsetof(struct inspect_args, member)

static const struct opt options[] = {
	{.name = "chain",
	 .help = "show the parents too, FILE first",
	 TO(chain)},
	{.name = "json",
	 .help = "print a JSON object, or with --chain an array",
	 TO(json)},
	OPT_CHAIN(struct inspect_args, chain_args),
	{0},
};

static const struct operand operands[] = {
	{"FILE", value_text, offsetof(struct inspect_args, file), 0},
	{0},
};

static const char *const examples[] = {
	"inspect disk.avhd",
	"Show size, parent, creator and so on; the parent need not exist.",
	"inspect --chain --search /backup disk.avhd",
	"Show the image and all its parents, some of which are in /backup.",
	"inspect --json disk.vhd | jq '.[\"virtual-size\"]'",
	"Print the size that the guest sees, for a script.",
	NULL,
};

static json_t *
locators_of(const struct vhd_info *info)
{
	json_t *list = out_array();

	for (uint32_t i = 0; i < info->nlocators; i++) {
		json_t *locator = out_object();

		out_text(locator, "platform", info->locators[i].platform);
		out_text(locator, "path", info->locators[i].path);
		out_append(list, locator);
	}
	return list;
}

static json_t *
geometry_of(const struct vhd_info *info)
{
	json_t *list = out_array();

	out_append(list, json_integer(info->cylinders));
	out_append(list, json_integer(info->heads));
	out_append(list, json_integer(info->sectors_per_track));
	return list;
}

/* The job that runs in the process that serves the image, if it tells. */
static json_t *
jobs_of(const char *path)
{
	AUTO_FREE char *text = NULL;
	json_t *running = out_array();
	json_auto_t *jobs = NULL;

	if (vhd_control_call(&text, path, "query-jobs", NULL, NULL) == 0)
		jobs = json_loads(text, 0, NULL);
	for (size_t i = 0; i < json_array_size(jobs); i++) {
		json_t *job = json_array_get(jobs, i);

		if (strcmp(get_text(job, "status"), "concluded") == 0)
			continue;
		out_time(job, "since", (int64_t)get_number(job, "since"));
		out_append(running, json_incref(job));
	}
	return running;
}

/* null, or who holds the file. */
static json_t *
holder_of(const char *path)
{
	struct vhd_holder holder = VHD_HOLDER_INIT;
	json_t *object;

	if (vhd_get_holder(&holder, path)) {
		say("warning: cannot tell if it is in use: %s",
		    vhd_last_message());
		return json_null();
	}
	if (!holder.in_use)
		return json_null();
	object = out_object();
	if (holder.pid != 0)
		out_number(object, "pid", (uint64_t)holder.pid);
	else
		out_null(object, "pid");
	out_text(object, "program", *holder.program ? holder.program : NULL);
	if (holder.since != 0)
		out_time(object, "since", holder.since);
	else
		out_null(object, "since");
	out_text(object, "mode", holder.writer ? "write" : "read");
	out_add(object, "jobs", jobs_of(path));
	return object;
}

static void
add_identity(json_t *object, const struct vhd_info *info, const char *name)
{
	bool child = info->type == VHD_TYPE_DIFFERENCING;

	out_text(object, "filename", name);
	out_text(object, "format", info->type == VHD_TYPE_RAW ? "raw" : "vhd");
	out_text(object, "type", name_of_type(info->type));
	out_number(object, "virtual-size", info->virtual_size);
	out_number(object, "file-length", info->file_length);
	out_number(object, "actual-size", info->actual_size);
	out_number(object, "block-size", info->block_size);
	out_number(object, "blocks-total", info->blocks_total);
	out_number(object, "blocks-allocated", info->blocks_allocated);
	out_uuid(object, "uuid", info->uuid);
	out_uuid(object, "parent-uuid", child ? info->parent_uuid : NULL);
	out_text(object, "parent-filename", info->parent_name);
	out_text(object, "full-parent-filename", info->parent_path);
	out_text(object, "parent-status",
		 name_of_parent_status(info->parent_status));
}

static json_t *
describe(const struct vhd_info *info, const char *name)
{
	json_t *object = out_object();
	char version[16];

	add_identity(object, info, name);
	out_text(object, "creator-app", info->creator_app);
	snprintf(version, sizeof(version), "%u.%u", info->creator_major,
		 info->creator_minor);
	out_text(object, "creator-version", version);
	out_text(object, "creator-os", info->creator_os);
	out_add(object, "geometry", geometry_of(info));
	out_time(object, "created", info->created);
	out_number(object, "alignment", info->alignment);
	out_text(object, "footer-copies",
		 name_of_footer_copies(info->footer_copies));
	out_bool(object, "saved-state", info->saved_state);
	out_add(object, "locators", locators_of(info));
	out_add(object, "in-use", holder_of(info->path));
	return object;
}

/* The same bytes as Windows writes a GUID: its first three fields swapped. */
static void
print_windows_uuid(const json_t *image, const char *key)
{
	static const unsigned char order[] = {6, 4, 2, 0, 11, 9, 16, 14};
	static const unsigned char place[] = {0, 2, 4, 6, 9, 11, 14, 16};
	const char *plain = get_text(image, key);
	char text[37];

	if (strlen(plain) != 36)
		return;
	memcpy(text, plain, sizeof(text));
	for (size_t i = 0; i < sizeof(order); i++)
		memcpy(text + place[i], plain + order[i], 2);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	out_row("", "%s as Windows shows it", text);
}

static void
print_creator(const json_t *image)
{
	const json_t *chs = json_object_get(image, "geometry");

	out_row("creator", "'%s' version %s on '%s'",
		get_text(image, "creator-app"),
		get_text(image, "creator-version"),
		get_text(image, "creator-os"));
	out_row("geometry", "%d cylinders, %d heads, %d sectors",
		(int)json_integer_value(json_array_get(chs, 0)),
		(int)json_integer_value(json_array_get(chs, 1)),
		(int)json_integer_value(json_array_get(chs, 2)));
}

static void
print_blocks(const json_t *image)
{
	char size[SIZE_TEXT_MAX];

	if (get_number(image, "block-size") == 0)
		return;
	out_row("blocks", "%" PRIu64 " of %" PRIu64 " allocated, %s each",
		get_number(image, "blocks-allocated"),
		get_number(image, "blocks-total"),
		size_print(size, get_number(image, "block-size")));
	if (get_number(image, "alignment") != 0)
		out_row("alignment", "%" PRIu64 " bytes",
			get_number(image, "alignment"));
}

static void
print_parent(const json_t *image)
{
	static const struct row rows[] = {
		{"parent", "parent-filename", ROW_TEXT},
		{"parent found", "full-parent-filename", ROW_TEXT},
		{"parent status", "parent-status", ROW_TEXT},
		{"parent uuid", "parent-uuid", ROW_TEXT},
		{NULL, NULL, ROW_TEXT},
	};
	const json_t *list = json_object_get(image, "locators");
	size_t count = json_array_size(list);

	if (is_null(image, "parent-uuid"))
		return;
	out_rows(image, rows);
	print_windows_uuid(image, "parent-uuid");
	for (size_t i = 0; i < count; i++) {
		const json_t *locator = json_array_get(list, i);

		out_row("locator", "%s  %s", get_text(locator, "platform"),
			get_text(locator, "path"));
	}
}

static void
print_jobs(const json_t *jobs)
{
	char done[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX];

	for (size_t i = 0; i < json_array_size(jobs); i++) {
		const json_t *job = json_array_get(jobs, i);

		out_row("job", "%s, %s: %s, %s of %s", get_text(job, "type"),
			get_text(job, "status"), get_text(job, "phase"),
			size_print(done, get_number(job, "current-progress")),
			size_print(total, get_number(job, "total-progress")));
		if (json_object_get(job, "error"))
			out_row("waits", "%s", get_text(job, "error"));
	}
}

static void
print_holder(const json_t *image)
{
	const json_t *holder = json_object_get(image, "in-use");
	const char *program = get_text(holder, "program");
	const char *since = get_text(holder, "since");
	char pid[32] = "";

	if (is_null(image, "in-use")) {
		out_row("in use", "no");
		return;
	}
	if (!is_null(holder, "pid"))
		snprintf(pid, sizeof(pid), " (process %" PRIu64 ")",
			 get_number(holder, "pid"));
	out_row("in use", "by %s%s for %s%s%s",
		*program ? program : "an unknown program", pid,
		strcmp(get_text(holder, "mode"), "write") == 0 ? "writing"
							       : "reading",
		*since ? " since " : "", since);
	print_jobs(json_object_get(holder, "jobs"));
}

static void
print_image(const json_t *image)
{
	static const struct row head[] = {
		{"file", "filename", ROW_TEXT},
		{"type", "type", ROW_TEXT},
		{"virtual size", "virtual-size", ROW_SIZE},
		{"file length", "file-length", ROW_SIZE},
		{"space on disk", "actual-size", ROW_SIZE},
		{NULL, NULL, ROW_TEXT},
	};
	static const struct row identity[] = {
		{"uuid", "uuid", ROW_TEXT},
		{NULL, NULL, ROW_TEXT},
	};
	static const struct row tail[] = {
		{"created", "created", ROW_TEXT},
		{"footer copies", "footer-copies", ROW_TEXT},
		{"saved state", "saved-state", ROW_BOOL},
		{NULL, NULL, ROW_TEXT},
	};

	out_rows(image, head);
	print_blocks(image);
	out_rows(image, identity);
	print_windows_uuid(image, "uuid");
	print_parent(image);
	print_creator(image);
	out_rows(image, tail);
	print_holder(image);
}

static void
print_text(const json_t *result)
{
	size_t count = json_array_size(result);

	if (json_is_object(result)) {
		print_image(result);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			putchar('\n');
		print_image(json_array_get(result, i));
	}
}

static int
run(const void *user)
{
	const struct inspect_args *args = user;
	uint32_t flags = DISK_LOOK | VHD_OPEN_DAMAGED;
	AUTO_DISK vhd_t *disk = NULL;
	json_auto_t *list = out_array();
	int err;

	if (!args->chain)
		flags |= VHD_OPEN_NOPARENT;
	err = disk_open(&disk, args->file, flags, &args->chain_args);
	if (err)
		return say_err(err);
	for (uint32_t layer = 0; layer < vhd_depth(disk); layer++) {
		struct vhd_info info = VHD_INFO_INIT;

		err = vhd_get_info(&info, disk, layer);
		if (err)
			return say_err(err);
		out_append(list, describe(&info,
					  layer == 0 ? args->file : info.path));
	}
	return out_result(args->chain ? list : json_array_get(list, 0),
			  args->json, print_text);
}

const struct command command_inspect = {
	.name = "inspect",
	.aliases = {"info", "query"},
	.brief = "show what an image says about itself and its parents",
	.about = "Show the size, type, identity, parent and creator of an "
		 "image, and who is using it. Only FILE is read, so that its "
		 "parents need not exist, and an image that is damaged is "
		 "shown as far as it can be. With --chain its parents are "
		 "opened and shown too.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct inspect_args),
	.run = run,
};
