/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_check.c - vhdtool check: is an image sound, and can it be repaired?
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "job.h"
#include "name.h"
#include "out.h"
#include "say.h"

#include <inttypes.h>
#include <string.h>

struct check_args {
	const char *file;
	bool chain;
	bool repair;
	bool no_data;
	bool dry_run;
	bool json;
	const char *undo;
	const char *restore;
	struct chain_args chain_args;
	struct job_args job;
};

#define TO(member) .to = offsetof(struct check_args, member)

static const struct opt options[] = {
	{.name = "chain",
	 .help = "check the parents too, and how they fit",
	 TO(chain)},
	{.name = "repair",
	 .help = "mend what can be mended safely",
	 TO(repair)},
	{.name = "undo",
	 .value = "UNDO",
	 .help = "with --repair: keep the old bytes in the new file UNDO",
	 .read = value_text,
	 TO(undo)},
	{.name = "dry-run",
	 .help = "with --repair: change nothing; say what can be repaired",
	 TO(dry_run)},
	{.name = "restore",
	 .value = "UNDO",
	 .help = "do nothing but put back what a repair changed",
	 .read = value_text,
	 TO(restore)},
	{.name = "no-data",
	 .help = "look at the structures only, which is quick",
	 TO(no_data)},
	{.name = "json", .help = "print one JSON object", TO(json)},
	OPT_CHAIN(struct check_args, chain_args),
	OPT_JOB(struct check_args, job),
	{0},
};

static const struct operand operands[] = {
	{"FILE", value_text, offsetof(struct check_args, file), 0},
	{0},
};

static const char *const examples[] = {
	"check disk.vhd",
	"List whatever is wrong with an image.",
	"check --chain --no-data disk.avhd",
	"See quickly if an image and its parents fit together.",
	"check --repair --undo disk.undo disk.vhd",
	"Repair it, in a way that \"check --restore disk.undo disk.vhd\" "
	"takes back.",
	NULL,
};

static int
check_args(const struct check_args *args)
{
	const struct command *self = &command_check;

	if (args->undo && !args->repair)
		return opt_usage(self, "--undo goes with --repair only");
	if (args->dry_run && !args->repair)
		return opt_usage(self, "--dry-run goes with --repair only");
	if (args->restore &&
	    (args->repair || args->chain || args->no_data || args->json))
		return opt_usage(self, "--restore goes alone");
	return EXIT_DONE;
}

static bool
is_repair(const struct check_args *args)
{
	return args->repair && !args->dry_run;
}

/* What a finding has beyond the common keys depends on the options. */
struct finder {
	const struct check_args *args;
	json_t *list;
};

static int
add_finding(const struct vhd_finding *finding, void *user)
{
	const struct finder *finder = user;
	json_t *object = out_object();

	if (finder->args->chain)
		out_text(object, "filename", finding->path);
	out_text(object, "code", finding->code);
	out_text(object, "severity", name_of_severity(finding->severity));
	out_number(object, "offset", finding->offset);
	out_text(object, "message", finding->message);
	out_bool(object, "repairable", finding->repairable);
	if (is_repair(finder->args))
		out_bool(object, "repaired", finding->repaired);
	out_append(finder->list, object);
	return 0;
}

static void
print_finding(const json_t *finding)
{
	const char *mark = "";

	if (get_bool(finding, "repaired"))
		mark = " (repaired)";
	else if (get_bool(finding, "repairable"))
		mark = " (can be repaired)";
	else if (json_object_get(finding, "repaired") &&
		 strcmp(get_text(finding, "severity"), "note") != 0)
		mark = " (remains)";
	printf("%s %s: ", get_text(finding, "severity"),
	       get_text(finding, "code"));
	say_plain(stdout, get_text(finding, "message"));
	puts(mark);
}

static void
print_count(uint64_t count, const char *what)
{
	printf("%" PRIu64 " %s%s", count, what, count == 1 ? "" : "s");
}

static void
print_text(const json_t *result)
{
	const json_t *list = json_object_get(result, "findings");
	size_t count = json_array_size(list);

	for (size_t i = 0; i < count; i++)
		print_finding(json_array_get(list, i));
	say_plain(stdout, get_text(result, "filename"));
	fputs(": ", stdout);
	if (count == 0) {
		puts("nothing found");
		return;
	}
	print_count(get_number(result, "errors"), "error");
	fputs(", ", stdout);
	print_count(get_number(result, "warnings"), "warning");
	if (get_number(result, "repaired") != 0)
		printf(", %" PRIu64 " repaired",
		       get_number(result, "repaired"));
	putchar('\n');
}

static int
print_result(const struct check_args *args,
	     const struct vhd_check_result *counts, json_t *list)
{
	json_auto_t *result = out_object();
	int status;

	out_text(result, "filename", args->file);
	out_number(result, "errors", counts->errors);
	out_number(result, "warnings", counts->warnings);
	out_number(result, "repaired", counts->repaired);
	out_add(result, "findings", json_incref(list));
	status = out_result(result, args->json, print_text);
	if (status != EXIT_DONE)
		return status;
	return counts->errors != 0 ? EXIT_FOUND : EXIT_DONE;
}

static uint32_t
check_flags(const struct check_args *args)
{
	uint32_t flags = 0;

	if (args->chain)
		flags |= VHD_CHECK_CHAIN;
	if (is_repair(args))
		flags |= VHD_CHECK_REPAIR;
	if (args->no_data)
		flags |= VHD_CHECK_NO_DATA;
	return flags;
}

static int
check(const struct check_args *args)
{
	struct vhd_open_opts open =
		disk_opts(VHD_OPEN_RDONLY, &args->chain_args);
	struct vhd_check_result counts = VHD_CHECK_RESULT_INIT;
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;
	json_auto_t *list = out_array();
	struct finder finder = {.args = args, .list = list};
	struct job job;
	int err;

	job_begin(&job, is_repair(args) ? "repair" : "check", &args->job);
	opts.flags = check_flags(args);
	opts.undo = is_repair(args) ? args->undo : NULL;
	opts.found = add_finding;
	opts.found_user = &finder;
	opts.open = &open;
	opts.job = &job.opts;
	err = vhd_check(&counts, args->file, &opts);
	progress_end(&job.progress);
	if (err)
		return say_err(err);
	return print_result(args, &counts, list);
}

static int
run(const void *user)
{
	const struct check_args *args = user;
	int status = check_args(args);
	int err;

	if (status != EXIT_DONE)
		return status;
	if (!args->restore)
		return check(args);
	err = vhd_undo(args->file, args->restore);
	return err ? say_err(err) : EXIT_DONE;
}

const struct command command_check = {
	.name = "check",
	.brief = "look for damage, and repair it",
	.about = "Examine FILE against every rule of the format, and list what "
		 "breaks one. Nothing is changed without --repair. Each "
		 "finding has a code, which the manual of the format "
		 "explains.\n\n"
		 "The exit status is 3 when errors are left, and 0 when there "
		 "are only warnings and notes or nothing at all.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct check_args),
	.stops = true,
	.run = run,
};
