/* SPDX-License-Identifier: BSD-3-Clause */
/* fault_image.c - fail every operation on the file of an image, one after the
 * other.
 *
 *	fault_image [WORKLOADS [SEED]]
 *
 * Random work is done again and again; each time another operation below it
 * fails, once or from then on.  What failed is tried again, and must work;
 * an image that gave up (D8) is opened again.  Nothing that a flush
 * acknowledged may be lost, be it that the power is cut at one of the flushes
 * that follow, nothing may be torn, and in the end the file is at rest. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"

#define STEPS 10

struct run {
	struct judge judge;
	uint64_t faults;
	uint64_t workloads;
	char title[200];
};

/* Is an operation of this kind done here?  Kills and failed flushes are what
 * faults lead to. */
static bool
suits(enum disk_op op)
{
	return op != OP_KILL && op != OP_FAIL_FLUSH;
}

/* The last operation was hit. */
static void
try_again(struct disk *disk, const struct disk_step *step, bool sticky)
{
	disk->hit = false;
	if (!disk->img || disk->img->failed)
		disk_do(disk, OP_KILL, 0, 0);
	else if (!sticky)
		disk_do(disk, step->op, step->where, step->count);
	if (disk->hit && !sticky && disk->img && !disk->img->failed)
		(void)snprintf(disk->why, sizeof(disk->why), "failed again: %s",
			       error_message());
	else if (disk->hit)
		disk_do(disk, OP_KILL, 0, 0);
	disk->hit = false;
}

static void
work(struct disk *disk, bool sticky)
{
	for (int i = 0; i < STEPS && !disk->why[0]; i++) {
		struct disk_step step = disk_pick(disk);

		if (!suits(step.op))
			continue;
		disk_do(disk, step.op, step.where, step.count);
		if (disk->hit)
			try_again(disk, &step, sticky);
	}
}

/* Everything must be as it was written last. */
static void
check_end(struct disk *disk)
{
	struct reader_view view;
	uint32_t count;

	fault_arm(disk->fault, &(struct fault){.at = 0});
	disk->faulty = false;
	disk_do(disk, OP_REOPEN, 0, 0);
	if (disk->why[0] || !disk_look(disk, &view))
		return;
	count = disk->blocks * DISK_SPB;
	for (uint32_t i = 0; i < count && !disk->why[0]; i++)
		if (!oracle_allows(&disk->oracle, i, view.values[i]))
			(void)snprintf(disk->why, sizeof(disk->why),
				       "sector %u reads %u in the end", i,
				       view.values[i]);
}

/* One workload with one fault; false when it was never reached. */
static bool
one_fault(struct run *run, uint64_t seed, const struct fault *fault)
{
	enum vhd_type type =
		seed % 2 ? VHD_TYPE_DYNAMIC : VHD_TYPE_DIFFERENCING;
	bool far = seed % 16 >= 14, fired;
	struct disk disk;
	struct watch watch = {.judge = &run->judge, .disk = &disk};

	disk_create(&disk, type, LAYOUT_OURS,
		    far ? DISK_MOST : 2 + (uint32_t)(seed % 5),
		    far ? TABLE_FULL - DISK_MOST : 0, seed);
	fault_arm(disk.fault, fault);
	disk.faulty = true;
	judge_watch(&watch);
	work(&disk, fault->sticky);
	fired = fault_fired(disk.fault) || disk.struck;
	check_end(&disk);
	judge_disk(&watch);
	judge_now(&watch);
	disk_free(&disk);
	run->faults += fired;
	return fired;
}

static void
one_workload(struct run *run, uint64_t seed)
{
	static const enum fault_what whats[] = {FAULT_EIO, FAULT_ENOSPC,
						FAULT_SHORT};

	run->workloads++;
	for (int k = 0; k < 6; k++) {
		struct fault fault = {.what = whats[k / 2], .sticky = k % 2};
		bool fired = true;

		for (fault.at = 1; fired && !run->judge.failed; fault.at++)
			fired = one_fault(run, seed, &fault);
		if (!run->judge.failed)
			continue;
		(void)fprintf(stderr,
			      "seed %" PRIu64 ", fault %" PRIu64
			      ", error %d%s\n%s",
			      seed, fault.at - 1, fault.what,
			      fault.sticky ? ", sticky" : "", run->judge.story);
		return;
	}
}

int
main(int argc, char **argv)
{
	uint64_t workloads = argc > 1 ? strtoull(argv[1], NULL, 10) : 40;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	struct run run = {
		.judge.limits = {.exhaustive = 16, .sampled = 16},
	};

	while (run.workloads < workloads && !run.judge.failed)
		one_workload(&run, seed++);
	(void)printf("%" PRIu64 " faults in %" PRIu64
		     " workloads, %d violations\n",
		     run.faults, run.workloads, run.judge.failed);
	return run.judge.failed;
}
