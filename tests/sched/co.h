/* SPDX-License-Identifier: BSD-3-Clause */
/* co.h - threads that take turns, so that one number decides who runs when.
 *
 * Each thread of a run is a coroutine.  It may be made to wait at every point
 * it passes: every operation of a lock, every operation of a file.  A run with
 * the same seed is the same run.  Runs nest: while one is looked at, another
 * may take place. */
#ifndef VHD_SCHED_CO_H
#define VHD_SCHED_CO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};
void rng_seed(struct rng *rng, uint64_t seed);
uint64_t rng_below(struct rng *rng, uint64_t n); /* 0 for n = 0 */

struct co;
typedef void (*co_fn)(void *user);

#define CO_MOST  8
#define CO_TRACE 64

enum co_end {
	CO_DONE,
	CO_DEADLOCK, /* all that are left wait for each other */
	CO_ENDLESS,  /* too many steps */
	CO_STOPPED,  /* the caller's look said so */
};

/* Who passed which point. */
struct co_step {
	const char *who, *what;
	const void *on;
};

struct co_run {
	struct co *co[CO_MOST]; /* those that are not done */
	size_t n;
	struct rng rng;
	unsigned every;     /* change about every so many points; or */
	uint64_t change[3]; /* by priority: drop at these steps */
	bool by_priority;
	uint64_t step, limit;
	/* Called between two steps when `step` has come to look_at; it sets
	 * the next one.  False ends the run. */
	uint64_t look_at;
	bool (*look)(void *user);
	void *user;
	struct co_step trace[CO_TRACE]; /* a ring, by step */

	struct co *current;
	bool keep; /* it only let the caller look */
	struct co_run *outer;
	void *home; /* the context that co_run was called in */
	uint32_t lowest;
};

void co_begin(struct co_run *run, uint64_t seed);
void co_spawn(struct co_run *run, const char *name, co_fn fn, void *user);

/* Until all are done.  What CO_DONE left undone is never gone on with. */
enum co_end co_run(struct co_run *run);

/* The last steps, in lines for a person. */
void co_text(char *ret, size_t ret_size, const struct co_run *run);

/* ---- For what runs inside; outside of a run these do nothing ---- */

/* Others may go on here; must go on, if there are any. */
void co_point(const char *what, const void *on);
void co_yield (void);

/* Wait until woken by the same address.  False: timed, and time was up.
 * Outside of a run nobody could wake: aborts. */
bool co_wait(const char *what, const void *on, bool timed);
void co_wake_all(const void *on);
void co_wake_one(const void *on);

/* Who runs; NULL outside. */
const struct co *co_self(void);
const char *co_name(void);
bool co_draw(unsigned one_in); /* by the run's seed */
#endif
