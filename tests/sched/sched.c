/* SPDX-License-Identifier: BSD-3-Clause */
/* sched.c - guests and jobs on one disk, each in the order that a seed gives.
 *
 *	sched [options] [SEEDS [FIRST]]
 *	  --looks N     look at what a crash leaves about N times in a world
 *	  --every       look before each operation of a file
 *	  --states N    so many states at each look
 *	  --seconds N   stop after that
 *	  --tell        what happens, as it does
 *	  --taste NAME  what happens how often (tastes.c)
 *	  --mutants     each mistake must be found within so many seeds
 *	  --only NAME   of them only this one */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "image/mutant.h"
#include "world.h"

static struct judge fresh = {
	.limits = {.exhaustive = 32, .sampled = 24},
	.nested = 150,
	.most_depth = 2,
};
static time_t stop_at;
static const char *only; /* this mutant */

static void
run_seed(struct judge *judge, uint64_t seed)
{
	struct world *w = malloc(sizeof(*w));

	if (!w)
		abort();
	world_create(w, judge, seed);
	world_run(w);
	if (!w->stopped) {
		world_free(w);
		free(w);
	}
}

static bool
is_time(void)
{
	return stop_at && time(NULL) >= stop_at;
}

static void
run_seeds(struct judge *judge, uint64_t seeds, uint64_t first)
{
	for (uint64_t i = 0; i < seeds && !judge->failed && !is_time(); i++) {
		run_seed(judge, first + i);
		if (judge->failed)
			(void)snprintf(judge->story + strlen(judge->story),
				       sizeof(judge->story) -
					       strlen(judge->story),
				       "first seed: %" PRIu64 "\n", first + i);
	}
}

static int
report(const struct judge *judge)
{
	if (judge->failed)
		(void)fprintf(stderr, "%s", judge->story);
	(void)printf("%" PRIu64 " worlds, %" PRIu64 " steps, %" PRIu64
		     " states after a crash, %" PRIu64
		     " worked on with, %d violations\n",
		     judge->worlds, judge->steps, judge->states,
		     judge->recoveries, judge->failed);
	return judge->failed;
}

/* Those made for this; and those of other floors that break the same rules
 * when guests and jobs meet. */
static bool
is_ours(enum mutant m)
{
	static const enum mutant others[] = {
		MUTANT_NO_FIRST_SYNC,    MUTANT_NO_LAST_SYNC,   /* P5, D5 */
		MUTANT_DURABLE_SHORTCUT, MUTANT_CLEAR_EARLY,    /* D5, P6 */
		MUTANT_ANSWER_EARLY,     MUTANT_PUNCH_EARLY,    /* P8, P10 */
		MUTANT_REUSE_EARLY,      MUTANT_OPEN_UNFLUSHED, /* P10, P14 */
		MUTANT_DROP_EARLY,       MUTANT_WORK_ON, /* P16, P24, P25 */
		MUTANT_HIDE_NOT_SYNCED,  MUTANT_SKIP_EARLY,
		MUTANT_FINISH_EARLY,     MUTANT_SNAPSHOT_NOT_SYNCED,
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i] == m)
			return true;
	return (int)m >= MUTANT_FIRST_OF_LIVE;
}

/* In a process of its own: a mistake may bring that down. */
static bool
is_caught(enum mutant m, uint64_t seeds, uint64_t first)
{
	struct judge judge = fresh;
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr))
			abort();
		present_mutant = m;
		judge.taste = taste_for(m);
		run_seeds(&judge, seeds, first);
		(void)printf("mutant %2d %-22s after %" PRIu64
			     " worlds, %" PRIu64 " states:",
			     (int)m, mutant_names[m], judge.worlds,
			     judge.states);
		(void)fflush(stdout);
		_exit(judge.failed);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	return status != 0;
}

static int
run_mutants(uint64_t seeds, uint64_t first)
{
	int survivors = 0, n = 0;

	for (int m = MUTANT_NONE + 1; m < MUTANT_COUNT; m++) {
		bool caught;

		if (only ? strcmp(only, mutant_names[m]) != 0
			 : !is_ours((enum mutant)m))
			continue;
		(void)fflush(stdout);
		caught = is_caught((enum mutant)m, seeds, first);
		(void)printf(" %s %s\n", mutant_names[m],
			     caught ? "caught" : "SURVIVES");
		survivors += !caught;
		n++;
	}
	(void)printf("%d mutants, %d survivors\n", n, survivors);
	return survivors != 0;
}

static uint64_t
number(const char *text)
{
	return strtoull(text, NULL, 10);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"looks", 1, NULL, 'l'},   {"every", 0, NULL, 'e'},
		{"states", 1, NULL, 's'},  {"seconds", 1, NULL, 't'},
		{"mutants", 0, NULL, 'm'}, {"tell", 0, NULL, 'v'},
		{"only", 1, NULL, 'o'},    {"taste", 1, NULL, 'p'},
		{NULL, 0, NULL, 0}};
	uint64_t seeds, first;
	bool mutants = false;
	struct judge judge;
	int c;

	fresh.taste = taste_named("ordinary");
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'l')
			fresh.looks = number(optarg);
		else if (c == 'e')
			fresh.every_step = true;
		else if (c == 's')
			fresh.limits.exhaustive = number(optarg);
		else if (c == 't')
			stop_at = time(NULL) + (time_t)number(optarg);
		else if (c == 'v')
			fresh.tell = true;
		else if (c == 'o')
			only = optarg;
		else if (c == 'm')
			mutants = true;
		else if (c == 'p' && taste_named(optarg))
			fresh.taste = taste_named(optarg);
		else
			return 2;
	}
	fresh.limits.sampled = fresh.limits.exhaustive;
	seeds = argc > optind ? number(argv[optind]) : 1000;
	first = argc > optind + 1 ? number(argv[optind + 1]) : 1;
	if (mutants)
		return run_mutants(seeds, first);
	judge = fresh;
	run_seeds(&judge, seeds, first);
	return report(&judge);
}
