/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_image.c - cut the power at every flush of random work on one image.
 *
 *	crash_image [STATES [SEED]]      look at so many states
 *	crash_image --short WORDS        every sequence of so many operations
 *	crash_image --mutants [STATES]   each mistake of IMAGE_MUTANTS must be
 *	                                 found within so many states */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/mutant.h"
#include "judge.h"

static const struct judge fresh = {
	.limits = {.exhaustive = 512, .sampled = 160},
	.nested_every = 97,
};

static void
finish(struct watch *watch)
{
	judge_disk(watch);
	judge_now(watch);
	disk_free(watch->disk);
}

static bool
is_far(uint64_t seed)
{
	return seed % 64 >= 62 || seed % 64 == 60;
}

/* Differencing images are made by others, too. */
static enum layout
layout_of(uint64_t seed)
{
	if (seed % 2)
		return LAYOUT_OURS;
	return (enum layout)((is_far(seed) ? seed / 64 : seed / 2) %
			     LAYOUT_COUNT);
}

/* One disk, from its creation on. */
static void
random_work(struct judge *judge, uint64_t seed)
{
	enum vhd_type type =
		seed % 2 ? VHD_TYPE_DYNAMIC : VHD_TYPE_DIFFERENCING;
	bool far = is_far(seed);
	struct disk disk;
	struct watch watch = {.judge = judge, .disk = &disk};

	disk_create(&disk, type, layout_of(seed),
		    far ? DISK_MOST : 2 + (uint32_t)(seed % 5),
		    far ? TABLE_FULL - DISK_MOST : 0, seed);
	judge_watch(&watch);
	for (int i = 0; i < 24 && !judge->failed; i++) {
		disk_do_random(&disk);
		judge_disk(&watch);
	}
	finish(&watch);
}

static void
run_random(struct judge *judge, uint64_t states, uint64_t seed)
{
	judge->limits.seed = seed;
	while (judge->states < states && !judge->failed)
		random_work(judge, seed++);
	if (judge->failed)
		(void)snprintf(judge->story + strlen(judge->story),
			       sizeof(judge->story) - strlen(judge->story),
			       "rerun: crash_image %" PRIu64 " %" PRIu64 "\n",
			       states, seed - 1);
}

static int
report(const struct judge *judge)
{
	if (judge->failed)
		(void)fprintf(stderr, "%s", judge->story);
	(void)printf("%" PRIu64 " states of %" PRIu64 ", %" PRIu64
		     " recoveries, %d violations\n",
		     judge->states, judge->possible, judge->recoveries,
		     judge->failed);
	return judge->failed;
}

/* ---- every short sequence ---- */

static const struct disk_step words[] = {
	{OP_WRITE, 0, 1},   {OP_WRITE, 6, 4}, {OP_WRITE, 8, 8},
	{OP_ZERO, 0, 2},    {OP_ZERO, 8, 8},  {OP_DROP, 0, 0},
	{OP_DROP, 1, 0},    {OP_MOVE, 0, 0},  {OP_MOVE, 1, 0},
	{OP_DURABLE, 1, 1}, {OP_FLUSH, 0, 0}, {OP_REOPEN, 0, 0},
	{OP_KILL, 0, 0},    {OP_LINK, 0, 0},  {OP_RESIZE, 0, 0},
	{OP_RESIZE, 3, 0},  {OP_ROOT, 0, 0},  {OP_FAIL_FLUSH, 0, 0},
};

#define WORDS (sizeof(words) / sizeof(words[0]))

/* number: one word for each digit to the base WORDS.  Block 0 is there from
 * the start when `full`. */
static void
short_work(struct judge *judge, uint64_t number, unsigned n, enum vhd_type type,
	   bool full)
{
	struct disk disk;
	struct watch watch = {.judge = judge, .disk = &disk};

	disk_create(&disk, type, LAYOUT_OURS, 3, 0, number);
	if (full) {
		disk_do(&disk, OP_WRITE, 0, 3);
		disk_do(&disk, OP_FLUSH, 0, 0);
	}
	judge_watch(&watch);
	for (unsigned i = 0; i < n && !judge->failed; i++) {
		const struct disk_step *word = &words[number % WORDS];

		disk_do(&disk, word->op, word->where, word->count);
		number /= WORDS;
		judge_disk(&watch);
	}
	disk_do(&disk, OP_FLUSH, 0, 0);
	finish(&watch);
}

static int
run_short(unsigned n)
{
	struct judge judge = fresh;
	uint64_t all = 1;

	judge.nested_every = 0;
	for (unsigned i = 0; i < n; i++)
		all *= WORDS;
	for (uint64_t number = 0; number < all && !judge.failed; number++)
		for (int k = 0; k < 4 && !judge.failed; k++)
			short_work(&judge, number, n,
				   k & 1 ? VHD_TYPE_DYNAMIC
					 : VHD_TYPE_DIFFERENCING,
				   k & 2);
	(void)printf("%" PRIu64 " sequences of %u operations, ", 4 * all, n);
	return report(&judge);
}

/* ---- mutants ---- */

static int
run_mutants(uint64_t states)
{
	int survivors = 0;

	for (int m = 1; m < MUTANT_FIRST_OF_TREE; m++) {
		struct judge judge = fresh;

		present_mutant = (enum mutant)m;
		run_random(&judge, states, 1);
		(void)printf("mutant %2d %-28s %s after %" PRIu64 " states\n",
			     m, mutant_names[m],
			     judge.failed ? "caught" : "SURVIVES",
			     judge.states);
		(void)fflush(stdout);
		survivors += !judge.failed;
	}
	(void)printf("%d mutants, %d survivors\n", MUTANT_FIRST_OF_TREE - 1,
		     survivors);
	return survivors != 0;
}

static uint64_t
number(int argc, char **argv, int i, uint64_t otherwise)
{
	return argc > i ? strtoull(argv[i], NULL, 10) : otherwise;
}

int
main(int argc, char **argv)
{
	struct judge judge = fresh;

	if (argc > 1 && strcmp(argv[1], "--mutants") == 0)
		return run_mutants(number(argc, argv, 2, 200000));
	if (argc > 1 && strcmp(argv[1], "--short") == 0)
		return run_short((unsigned)number(argc, argv, 2, 1));
	run_random(&judge, number(argc, argv, 1, 50000),
		   number(argc, argv, 2, 1));
	return report(&judge);
}
