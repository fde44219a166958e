/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_measure.c - vhdtool measure: how much is used, and what jobs would leave.
 */
#include "cmd.h"
#include "disk.h"
#include "out.h"
#include "say.h"

struct measure_args {
	const char *file;
	struct chain_args chain;
	bool json;
};

static const struct opt options[] = {
	{.name = "json",
	 .help = "print one JSON object",
	 .to = offsetof(struct measure_args, json)},
	OPT_CHAIN(struct measure_args, chain),
	{0},
};

static const struct operand operands[] = {
	{"FILE", value_text, offsetof(struct measure_args, file), 0},
	{0},
};

static const char *const examples[] = {
	"measure disk.avhd",
	"Show how large the file is, and would be after a merge.",
	"measure --json disk.avhd | jq '.[\"after-merge\"]'",
	"Print one of the numbers, for a script.",
	NULL,
};

static void
print_text(const json_t *result)
{
	static const struct row rows[] = {
		{"file", "filename", ROW_TEXT},
		{"virtual size", "virtual-size", ROW_SIZE},
		{"file length", "file-length", ROW_SIZE},
		{"space on disk", "actual-size", ROW_SIZE},
		{"data", "used", ROW_SIZE},
		{"chain on disk", "chain-actual-size", ROW_SIZE},
		{"data in chain", "chain-union", ROW_SIZE},
		{"after merge", "after-merge", ROW_SIZE},
		{"after compact", "after-compact", ROW_SIZE},
		{"after flatten", "after-flatten", ROW_SIZE},
		{NULL, NULL, ROW_TEXT},
	};

	out_rows(result, rows);
}

static int
run(const void *user)
{
	const struct measure_args *args = user;
	struct vhd_measure m = VHD_MEASURE_INIT;
	json_auto_t *result = out_object();
	AUTO_DISK vhd_t *disk = NULL;
	int err;

	err = disk_open(&disk, args->file, DISK_LOOK, &args->chain);
	if (!err)
		err = vhd_measure(&m, disk);
	if (err)
		return say_err(err);
	out_text(result, "filename", args->file);
	out_number(result, "virtual-size", m.virtual_size);
	out_number(result, "file-length", m.file_length);
	out_number(result, "actual-size", m.actual_size);
	out_number(result, "used", m.used);
	out_number(result, "chain-actual-size", m.chain_actual);
	out_number(result, "chain-union", m.chain_union);
	if (vhd_depth(disk) > 1)
		out_number(result, "after-merge", m.after_merge);
	else
		out_null(result, "after-merge");
	out_number(result, "after-compact", m.after_compact);
	out_number(result, "after-flatten", m.after_flatten);
	return out_result(result, args->json, print_text);
}

const struct command command_measure = {
	.name = "measure",
	.brief = "show how much is used, and what a job would leave",
	.about = "Show how much data FILE and its chain of parents hold, and "
		 "how long the file would be after a merge into its parent, "
		 "after compact, and as a single image with all its parents' "
		 "data (convert). Nothing is changed.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct measure_args),
	.run = run,
};
