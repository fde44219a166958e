/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_compare.c - vhdtool compare: do two disks read the same?
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "job.h"
#include "out.h"
#include "say.h"

#include <inttypes.h>

struct compare_args {
	const char *a;
	const char *b;
	int format_a; /* flags for vhd_open() */
	int format_b;
	struct chain_args chain;
	struct job_args job;
	bool json;
};

static const struct choice formats[] = {
	{"vhd", 0},
	{"raw", VHD_OPEN_RAW},
	{NULL, 0},
};

#define TO(member) .to = offsetof(struct compare_args, member)

static const struct opt options[] = {
	{.letter = 'f',
	 .name = "format",
	 .value = "FORMAT",
	 .help = "what A is: vhd (default) or raw",
	 .read = value_choice,
	 TO(format_a),
	 .choices = formats},
	{.letter = 'F',
	 .name = "second-format",
	 .value = "FORMAT",
	 .help = "what B is: vhd (default) or raw",
	 .read = value_choice,
	 TO(format_b),
	 .choices = formats},
	{.name = "json", .help = "print one JSON object", TO(json)},
	OPT_CHAIN(struct compare_args, chain),
	OPT_JOB(struct compare_args, job),
	{0},
};

static const struct operand operands[] = {
	{"A", value_text, offsetof(struct compare_args, a), 0},
	{"B", value_text, offsetof(struct compare_args, b), 0},
	{0},
};

static const char *const examples[] = {
	"compare disk.avhd copy.vhd",
	"Do both show their guests the same bytes?",
	"compare -F raw disk.vhd disk.img && rm disk.img",
	"Remove a raw copy once it is known to be equal.",
	NULL,
};

static void
print_text(const json_t *result)
{
	uint64_t offset = get_number(result, "first-difference");

	if (get_bool(result, "equal"))
		puts("The disks read the same.");
	else
		printf("The disks differ, first at byte %" PRIu64 " (%#" PRIx64
		       ").\n",
		       offset, offset);
}

static int
print_result(bool equal, uint64_t offset, bool json)
{
	json_auto_t *result = out_object();
	int status;

	out_bool(result, "equal", equal);
	if (equal)
		out_null(result, "first-difference");
	else
		out_number(result, "first-difference", offset);
	status = out_result(result, json, print_text);
	if (status != EXIT_DONE)
		return status;
	return equal ? EXIT_DONE : EXIT_FOUND;
}

static int
run(const void *user)
{
	const struct compare_args *args = user;
	AUTO_DISK vhd_t *a = NULL;
	AUTO_DISK vhd_t *b = NULL;
	uint64_t offset = 0;
	struct job job;
	int err;

	err = disk_open(&a, args->a, (uint32_t)args->format_a, &args->chain);
	if (!err)
		err = disk_open(&b, args->b, (uint32_t)args->format_b,
				&args->chain);
	if (err)
		return say_err(err);
	job_begin(&job, "compare", &args->job);
	err = vhd_compare(&offset, a, b, &job.opts);
	progress_end(&job.progress);
	if (err && err != VHD_E_DIFFERS)
		return say_err(err);
	return print_result(!err, offset, args->json);
}

const struct command command_compare = {
	.name = "compare",
	.brief = "do two disks read the same?",
	.about = "Compare two disks as their guests see them, parents "
		 "included; how the images store it does not matter. A longer "
		 "disk "
		 "equals a shorter one if the rest of it reads as zero.\n\n"
		 "The exit status is 0 when they are equal and 3 when they "
		 "differ.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct compare_args),
	.stops = true,
	.run = run,
};
