/* SPDX-License-Identifier: BSD-3-Clause */
/* co.c - coroutines on stacks of their own, and who goes on next. */
#include "co.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/error.h"

#define STACK (512u << 10)
#define GUARD 4096u

struct co {
	ucontext_t context;
	void *stack;
	const char *name;
	co_fn fn;
	void *user;
	struct error error; /* the library keeps one for each thread */
	const void *waits_for;
	const char *waits_at;
	bool timed, timed_out, done;
	uint32_t priority;
};

static struct co_run *now;

/* ---- Stacks, used again and again ---- */

static void *spare[CO_MOST * 4];
static size_t nspare;

static void *
stack_new(void)
{
	char *stack;

	if (nspare)
		return spare[--nspare];
	stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED || mprotect(stack, GUARD, PROT_NONE))
		abort();
	return stack;
}

static void
stack_free(void *stack)
{
	if (nspare < sizeof(spare) / sizeof(spare[0]))
		spare[nspare++] = stack;
	else
		(void)munmap(stack, STACK);
}

/* ---- Chance ---- */

static uint64_t
rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

void
rng_seed(struct rng *rng, uint64_t seed)
{
	rng->state = seed * 0x2545f4914f6cdd1du;
	(void)rng_next(rng);
}

uint64_t
rng_below(struct rng *rng, uint64_t n)
{
	return n ? rng_next(rng) % n : 0;
}

/* ---- A run ---- */

/* Most mistakes need few changes at the right places: half of the runs change
 * often, half let the first in rank go on until it waits or loses it. */
void
co_begin(struct co_run *run, uint64_t seed)
{
	static const unsigned every[] = {1, 2, 4, 8, 16, 32};

	*run = (struct co_run){.limit = 1000000, .lowest = 1000};
	rng_seed(&run->rng, seed);
	run->by_priority = rng_below(&run->rng, 2);
	run->every = every[rng_below(&run->rng, 6)];
	for (int i = 0; i < 3; i++)
		run->change[i] = rng_below(&run->rng, 800);
}

static void
entry(unsigned high, unsigned low)
{
	struct co *co = (struct co *)((uintptr_t)((uint64_t)high << 32 | low));
	struct co_run *run = now;

	co->fn(co->user);
	co->done = true;
	run->keep = false;
	(void)swapcontext(&co->context, run->home);
	abort();
}

void
co_spawn(struct co_run *run, const char *name, co_fn fn, void *user)
{
	struct co *co = calloc(1, sizeof(*co));
	uint64_t address = (uintptr_t)co;

	if (!co || run->n == CO_MOST || getcontext(&co->context))
		abort();
	co->name = name;
	co->fn = fn;
	co->user = user;
	co->stack = stack_new();
	co->priority = 1000 + (uint32_t)rng_below(&run->rng, 1000);
	co->context.uc_stack.ss_sp = (char *)co->stack + GUARD;
	co->context.uc_stack.ss_size = STACK - GUARD;
	makecontext(&co->context, (void (*)(void))(uintptr_t)entry, 2,
		    (unsigned)(address >> 32), (unsigned)address);
	run->co[run->n++] = co;
}

static bool
may_run(struct co_run *run, const struct co *co, bool timed)
{
	(void)run;
	return !co->waits_for || (timed && co->timed);
}

/* Somebody who can go on; those whose time may be up only now and then, or
 * when nobody else can. */
static struct co *
pick(struct co_run *run)
{
	bool timed = rng_below(&run->rng, 8) == 0;
	struct co *best = NULL;
	size_t n = 0;

	for (int pass = 0; pass < 2 && !best; pass++, timed = true)
		for (size_t i = 0; i < run->n; i++) {
			struct co *co = run->co[i];

			if (!may_run(run, co, timed))
				continue;
			n++;
			if (!best ||
			    (run->by_priority ? co->priority > best->priority
					      : rng_below(&run->rng, n) == 0))
				best = co;
		}
	return best;
}

static void
go_on(struct co_run *run, struct co *co)
{
	ucontext_t home;

	if (co->waits_for) {
		co->timed_out = true;
		co->waits_for = NULL;
	}
	run->home = &home;
	run->current = co;
	(void)error_restore(&co->error);
	if (swapcontext(&home, &co->context))
		abort();
	error_save(&co->error);
	run->current = NULL;
}

static void
bury(struct co_run *run, struct co *co)
{
	size_t i = 0;

	while (run->co[i] != co)
		i++;
	run->co[i] = run->co[--run->n];
	stack_free(co->stack);
	free(co);
}

static bool
look(struct co_run *run)
{
	bool go_on;

	now = NULL;
	go_on = run->look(run->user);
	now = run;
	return go_on;
}

enum co_end
co_run(struct co_run *run)
{
	enum co_end end = CO_DONE;
	struct co *keep = NULL;

	run->outer = now;
	now = run;
	while (run->n && end == CO_DONE) {
		struct co *co = keep ? keep : pick(run);

		keep = NULL;
		if (!co) {
			end = CO_DEADLOCK;
		} else {
			go_on(run, co);
			if (run->keep)
				keep = co;
			if (run->look && run->step >= run->look_at &&
			    !look(run))
				end = CO_STOPPED;
			if (run->step >= run->limit && end == CO_DONE)
				end = CO_ENDLESS;
			if (co->done)
				bury(run, co);
		}
	}
	now = run->outer;
	return end;
}

/* ---- Inside ---- */

static void
leave(struct co_run *run, bool keep)
{
	struct co *self = run->current;

	run->keep = keep;
	if (swapcontext(&self->context, run->home))
		abort();
}

static bool
wants_change(struct co_run *run)
{
	bool change = run->step >= run->limit;

	if (!run->by_priority)
		return rng_below(&run->rng, run->every) == 0 || change;
	for (int i = 0; i < 3; i++)
		if (run->step == run->change[i]) {
			run->current->priority = --run->lowest;
			change = true;
		}
	return change;
}

static void
note(struct co_run *run, const char *what, const void *on)
{
	run->trace[run->step % CO_TRACE] =
		(struct co_step){run->current->name, what, on};
	run->step++;
}

void
co_point(const char *what, const void *on)
{
	bool change;

	if (!now || !now->current)
		return;
	note(now, what, on);
	change = wants_change(now);
	if (change || (now->look && now->step >= now->look_at))
		leave(now, !change);
}

void co_yield (void)
{
	if (!now || !now->current)
		return;
	note(now, "yields", NULL);
	now->current->priority = --now->lowest;
	leave(now, false);
}

bool
co_wait(const char *what, const void *on, bool timed)
{
	struct co *self = now ? now->current : NULL;

	if (!self) {
		(void)fprintf(stderr, "waits for itself: %s\n", what);
		abort();
	}
	note(now, what, on);
	self->waits_for = on;
	self->waits_at = what;
	self->timed = timed;
	self->timed_out = false;
	leave(now, false);
	return !self->timed_out;
}

void
co_wake_all(const void *on)
{
	for (size_t i = 0; now && i < now->n; i++)
		if (now->co[i]->waits_for == on)
			now->co[i]->waits_for = NULL;
}

void
co_wake_one(const void *on)
{
	struct co *best = NULL;
	size_t n = 0;

	for (size_t i = 0; now && i < now->n; i++)
		if (now->co[i]->waits_for == on &&
		    rng_below(&now->rng, ++n) == 0)
			best = now->co[i];
	if (best)
		best->waits_for = NULL;
}

const struct co *
co_self(void)
{
	return now ? now->current : NULL;
}

const char *
co_name(void)
{
	return now && now->current ? now->current->name : "";
}

bool
co_draw(unsigned one_in)
{
	return now && now->current && rng_below(&now->rng, one_in) == 0;
}

void
co_text(char *ret, size_t ret_size, const struct co_run *run)
{
	uint64_t first = run->step > CO_TRACE ? run->step - CO_TRACE : 0;
	size_t used = 0;

	ret[0] = '\0';
	for (uint64_t i = first; i < run->step && used < ret_size; i++) {
		const struct co_step *step = &run->trace[i % CO_TRACE];

		used += (size_t)snprintf(ret + used, ret_size - used,
					 "  %s: %s %p\n", step->who, step->what,
					 step->on);
	}
	for (size_t i = 0; i < run->n && used < ret_size; i++)
		used += (size_t)snprintf(
			ret + used, ret_size - used, "  %s %s %s %p\n",
			run->co[i]->name,
			run->co[i]->waits_for ? "waits at" : "can go on",
			run->co[i]->waits_for ? run->co[i]->waits_at : "",
			run->co[i]->waits_for);
}
