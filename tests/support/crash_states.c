/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_states.c - walk through what a power cut may leave: all of it, or a
 * sample that has the states in which mistakes show most often. */
#include <stdlib.h>
#include <string.h>

#include "base/arith.h"
#include "crash_choice.h"

struct walk {
	struct crash_choice choice;
	const struct crash_limits *limits;
	crash_state_fn fn;
	void *user;
	uint64_t count;
	uint64_t random;
};

static void
must(int err)
{
	if (err)
		abort();
}

/* Give the present choice to the caller. */
static int
visit(struct walk *walk)
{
	AUTO(mem_fs_free) struct fs *fs = NULL;
	struct crash_state state = {.choice = &walk->choice};
	const struct crash_limits *limits = walk->limits;

	walk->count++;
	if (limits->seen &&
	    !crash_seen_add(limits->seen,
			    crash_choice_hash(&walk->choice) ^ limits->salt))
		return 0;
	must(mem_fs_new(&fs));
	crash_choice_build(fs, &walk->choice);
	state.fs = fs;
	return walk->fn(&state, walk->user);
}

/* ---- all of them ---- */

/* The next choice of sizes and names; false after the last. */
static bool
next_frame(struct crash_choice *choice, bool loose)
{
	uint64_t all = crash_names_until(choice->log->nops);

	for (size_t i = 0; i < choice->nfiles; i++) {
		if (++choice->sizes[i] < choice->files[i]->nsizes)
			return true;
		choice->sizes[i] = 0;
	}
	if (choice->names == all) {
		choice->names = 0;
		return false;
	}
	choice->names = loose ? choice->names + 1 : choice->names * 2 + 1;
	return true;
}

static bool
next_pick(struct crash_choice *choice)
{
	for (size_t i = 0; i < choice->nunits; i++) {
		if (++choice->units[i].picked <= choice->units[i].n)
			return true;
		choice->units[i].picked = 0;
	}
	return false;
}

/* How many states there are; limit + 1 when there are more. */
static uint64_t
count_states(struct crash_choice *choice, uint64_t limit, bool loose)
{
	uint64_t total = 0;

	do {
		uint64_t product = 1;

		crash_choice_sizes(choice);
		for (size_t i = 0; i < choice->nunits && product <= limit; i++)
			product *= choice->units[i].n + 1;
		total += product;
	} while (next_frame(choice, loose) && total <= limit);
	memset(choice->sizes, 0, choice->nfiles * sizeof(*choice->sizes));
	choice->names = 0;
	return total > limit ? limit + 1 : total;
}

static int
walk_all(struct walk *walk)
{
	int result = 0;

	do {
		crash_choice_sizes(&walk->choice);
		do
			result = visit(walk);
		while (!result && next_pick(&walk->choice));
	} while (!result &&
		 next_frame(&walk->choice, walk->limits->loose_names));
	return result;
}

/* ---- some of them ---- */

static uint64_t
draw(struct walk *walk, uint64_t below)
{
	walk->random ^= walk->random << 13;
	walk->random ^= walk->random >> 7;
	walk->random ^= walk->random << 17;
	return below ? (walk->random >> 11) % below : 0;
}

/* Sizes and names as they were at that time. */
static void
choose_frame(struct crash_choice *choice, uint64_t when)
{
	const struct crash_log *log = choice->log;
	size_t names = 0;

	for (size_t i = 0; i < choice->nfiles; i++) {
		choice->sizes[i] = choice->files[i]->nsizes - 1;
		while (choice->files[i]->sizes[choice->sizes[i]].when > when)
			choice->sizes[i]--;
	}
	while (names < log->nops && log->ops[names].when <= when)
		names++;
	choice->names = crash_names_until(names);
	crash_choice_sizes(choice);
}

static void
choose_unit(struct crash_unit *unit, uint64_t when)
{
	unit->picked = unit->n;
	while (unit->picked && unit->options[unit->picked - 1]->when > when)
		unit->picked--;
}

static void
choose_prefix(struct crash_choice *choice, uint64_t when)
{
	choose_frame(choice, when);
	for (size_t i = 0; i < choice->nunits; i++)
		choose_unit(&choice->units[i], when);
}

/* When the oldest pending operation was. */
static uint64_t
oldest(const struct crash_choice *choice)
{
	uint64_t when =
		choice->log->nops ? choice->log->ops[0].when : choice->log->now;

	for (size_t i = 0; i < choice->nunits; i++)
		when = min_u64(when,
			       choice->units[i].sector->versions[0]->when);
	for (size_t i = 0; i < choice->nfiles; i++)
		if (choice->files[i]->nsizes > 1)
			when = min_u64(when, choice->files[i]->sizes[1].when);
	return when;
}

/* Everything up to an operation, for about `budget` of them. */
static int
walk_prefixes(struct walk *walk, uint64_t budget)
{
	uint64_t from = oldest(&walk->choice) - 1;
	uint64_t to = walk->choice.log->now;
	uint64_t step = max_u64(1, (to - from) / max_u64(1, budget));
	int result = 0;

	for (uint64_t when = from; when < to && !result; when += step) {
		choose_prefix(&walk->choice, when);
		result = visit(walk);
	}
	if (!result) {
		choose_prefix(&walk->choice, to);
		result = visit(walk);
	}
	return result;
}

/* With every other frame: nothing of one unit, the rest as new as can be;
 * and one unit, nothing of the rest. */
static int
walk_singles(struct walk *walk, uint64_t budget)
{
	struct crash_choice *choice = &walk->choice;
	uint64_t step = max_u64(1, choice->nunits * 2 / max_u64(1, budget));
	uint64_t skip = draw(walk, step);
	int result = 0;

	for (uint64_t i = skip; i < choice->nunits && !result; i += step) {
		choose_prefix(choice, UINT64_MAX);
		choice->units[i].picked = 0;
		result = visit(walk);
		if (result)
			break;
		for (size_t k = 0; k < choice->nunits; k++)
			choice->units[k].picked = 0;
		choice->units[i].picked = choice->units[i].n;
		result = visit(walk);
	}
	return result;
}

/* Everything as new as can be but for one size or the names. */
static int
walk_frames(struct walk *walk)
{
	struct crash_choice *choice = &walk->choice;
	int result = 0;

	for (size_t i = 0; i < choice->nfiles; i++)
		for (uint32_t k = 0;
		     k + 1 < choice->files[i]->nsizes && !result; k++) {
			choose_frame(choice, UINT64_MAX);
			choice->sizes[i] = k;
			crash_choice_sizes(choice);
			for (size_t u = 0; u < choice->nunits; u++)
				choose_unit(&choice->units[u], UINT64_MAX);
			result = visit(walk);
		}
	for (size_t k = 0; k < choice->log->nops && !result; k++) {
		choose_prefix(choice, UINT64_MAX);
		if (walk->limits->loose_names && draw(walk, 2))
			choice->names ^=
				crash_names_until(k + 1) ^ crash_names_until(k);
		else
			choice->names = crash_names_until(k);
		result = visit(walk);
	}
	return result;
}

/* Two units are missing, or there alone. */
static int
visit_pair(struct walk *walk, size_t a, size_t b, bool missing)
{
	struct crash_choice *choice = &walk->choice;

	choose_prefix(choice, UINT64_MAX);
	for (size_t i = 0; i < choice->nunits; i++)
		if ((i == a || i == b) == missing)
			choice->units[i].picked = 0;
	return visit(walk);
}

static int
walk_pairs(struct walk *walk, uint64_t budget)
{
	size_t n = walk->choice.nunits;
	int result = 0;

	if (n < 2)
		return 0;
	for (uint64_t i = 0; i < budget / 2 && !result; i++) {
		size_t a = (size_t)draw(walk, n), b = (size_t)draw(walk, n);

		result = visit_pair(walk, a, b, true);
		if (!result)
			result = visit_pair(walk, a, b, false);
	}
	return result;
}

static void
choose_at_random(struct walk *walk)
{
	static const unsigned in_16[] = {1, 4, 8, 12, 15};
	struct crash_choice *choice = &walk->choice;
	unsigned odds = in_16[draw(walk, 5)];

	for (size_t i = 0; i < choice->nfiles; i++)
		choice->sizes[i] =
			(uint32_t)draw(walk, choice->files[i]->nsizes);
	choice->names =
		crash_names_until((size_t)draw(walk, choice->log->nops + 1));
	if (walk->limits->loose_names)
		choice->names = draw(walk, UINT64_MAX) &
				crash_names_until(choice->log->nops);
	crash_choice_sizes(choice);
	for (size_t i = 0; i < choice->nunits; i++)
		if (choice->units[i].n && draw(walk, 16) < odds)
			choice->units[i].picked =
				1 + (uint32_t)draw(walk, choice->units[i].n);
}

static int
walk_random(struct walk *walk, uint64_t budget)
{
	int result = 0;

	for (uint64_t i = 0; i < budget && !result; i++) {
		choose_at_random(walk);
		result = visit(walk);
	}
	return result;
}

static int
walk_some(struct walk *walk)
{
	uint64_t part = walk->limits->sampled / 4 + 1;
	int result = walk_frames(walk);

	if (!result)
		result = walk_prefixes(walk, part);
	if (!result)
		result = walk_singles(walk, part);
	if (!result)
		result = walk_pairs(walk, part);
	if (!result)
		result = walk_random(walk, part);
	return result;
}

int
crash_each_state(uint64_t *ret_count, struct fs *fs,
		 const struct crash_limits *limits, crash_state_fn fn,
		 void *user)
{
	struct crash_fs *self = crash_fs_of(fs);
	struct walk walk = {
		.limits = limits,
		.fn = fn,
		.user = user,
		.random =
			limits->seed * 0x9e3779b97f4a7c15u + 88172645463325252u,
	};
	int result;

	pthread_mutex_lock(&self->lock);
	crash_choice_init(&walk.choice, &self->log);
	if (count_states(&walk.choice, limits->exhaustive,
			 limits->loose_names) <= limits->exhaustive)
		result = walk_all(&walk);
	else
		result = walk_some(&walk);
	crash_choice_free(&walk.choice);
	pthread_mutex_unlock(&self->lock);
	*ret_count += walk.count;
	return result;
}
