/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_tree.c - cut the power at every flush of random work on trees of
 * snapshots.
 *
 *	crash_tree [STATES [SEED]]      look at so many states
 *
 * The work is that of tests/tree: guests, snapshots, and jobs, which guests
 * write beside, and which are cancelled or killed now and then. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forest_watch.h"
#include "image/mutant.h"

static const struct judge fresh = {
	.limits = {.exhaustive = 128, .sampled = 48},
	.nested_every = 61,
};

static void
must(int err)
{
	if (err) {
		(void)fprintf(stderr, "cannot go on: %s\n", error_message());
		abort();
	}
}

/* A forest on a recorder, which may be killed. */
struct work {
	struct forest f;
	struct fs *crash, *fault;
	struct forest_watch watch;
};

static void
begin(struct work *w, struct judge *judge, uint64_t seed)
{
	AUTO(mem_fs_free) struct fs *memory = NULL;

	must(mem_fs_new(&memory));
	forest_begin(&w->f, memory, seed);
	w->f.max_depth = 5;
	forest_plant(&w->f);
	must(crash_fs_from(&w->crash, memory));
	must(fault_fs_new(&w->fault, w->crash));
	w->f.fs = w->fault;
	w->f.guests = w->f.cancel = true;
	w->watch = (struct forest_watch){
		.judge = judge, .f = &w->f, .crash = w->crash};
	forest_watch(&w->watch);
}

static void
end(struct work *w)
{
	forest_end(&w->f);
	fault_fs_free(w->fault);
	crash_fs_free(w->crash);
}

/* The process ends within the next operations, the kernel does not. */
static void
arm(struct work *w)
{
	const struct fault dead = {
		.at = 1 + forest_draw(&w->f, 150),
		.sticky = true,
	};

	fault_arm(w->fault, &dead);
}

/* The forest as it is after the task, with the story that led there. */
static void
move_on(struct forest *f, struct forest *after)
{
	struct forest next = *after;

	memcpy(next.log, f->log, sizeof(next.log));
	next.random = f->random;
	next.guests = next.cancel = true;
	forest_end(f);
	*f = next;
	after->state = NULL;
}

/* It was stopped: the same command completes it.  To look at what is there
 * makes nothing durable. */
static void
recover(struct work *w, struct forest *after, const struct task *task)
{
	struct forest *f = &w->f;
	bool ok;

	f->fs = crash_live(w->crash);
	ok = forest_check_between(f, after, task) &&
	     forest_adopt_between(f, after, true);
	f->fs = w->fault;
	if (ok && task->kind == TASK_WRITE)
		(void)task_run(f, task);
	if (!ok)
		return;
	forest_end(after);
	forest_copy(after, f);
	task_apply(after, task);
	if (!forest_redo(after, task))
		(void)forest_wrong(f, "%s", after->why);
}

static bool
is_refusal(int err)
{
	return err == VHD_E_CHILDREN || err == VHD_E_POLICY ||
	       err == VHD_E_TOOBIG;
}

/* The result stays, and was made durable before it was told. */
static void
complete(struct work *w, struct forest *after)
{
	static const struct task nothing = {.kind = TASK_NONE};

	move_on(&w->f, after);
	w->watch.task = &nothing;
	forest_judge_now(&w->watch);
	if (!w->watch.judge->failed && forest_check(&w->f))
		(void)forest_adopt(&w->f);
}

static int
run(struct work *w, const struct task *task, bool *ret_dead)
{
	struct forest *f = &w->f;
	int err;

	w->watch.task = task;
	if (forest_draw(f, 3) == 0)
		arm(w);
	err = task_run(f, task);
	*ret_dead = fault_fired(w->fault);
	fault_arm(w->fault, &(struct fault){.at = 0});
	if (*ret_dead)
		forest_note(f, " : killed");
	else if (err)
		forest_note(f, " : %.100s", error_message());
	return err;
}

static void
step(struct work *w)
{
	struct forest *f = &w->f, after;
	struct task task;
	char text[500];
	bool dead;
	int err;

	task_choose_any(&task, f);
	if (task.kind == TASK_NONE)
		return;
	task_text(text, sizeof(text), &task);
	forest_note(f, "\n    %s", text);
	err = run(w, &task, &dead);
	if (dead)
		f->why[0] = '\0'; /* a guest met its end */
	if (w->watch.judge->failed || f->why[0])
		return;
	forest_copy(&after, f);
	if (!err || !is_refusal(err))
		task_apply(&after, &task);
	if (err && !is_refusal(err))
		recover(w, &after, &task);
	if (!f->why[0])
		complete(w, &after);
	forest_end(&after);
}

static void
random_work(struct judge *judge, uint64_t seed)
{
	struct work w;

	begin(&w, judge, seed);
	for (int i = 0; i < 12 && !judge->failed && !w.f.why[0]; i++)
		step(&w);
	forest_judge(&w.watch);
	if (judge->failed)
		judge_tell(judge, "done so far", w.f.log);
	end(&w);
}

static void
run_random(struct judge *judge, uint64_t states, uint64_t seed)
{
	char again[100];

	judge->limits.seed = seed;
	while (judge->states < states && !judge->failed)
		random_work(judge, seed++);
	(void)snprintf(again, sizeof(again), "crash_tree %" PRIu64 " %" PRIu64,
		       states, seed - 1);
	if (judge->failed)
		judge_tell(judge, "rerun", again);
}

static int
report(const struct judge *judge)
{
	if (judge->failed)
		(void)fprintf(stderr, "%s", judge->story);
	(void)printf("%" PRIu64 " states, %" PRIu64
		     " recoveries, %d violations\n",
		     judge->states, judge->recoveries, judge->failed);
	return judge->failed;
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

	run_random(&judge, number(argc, argv, 1, 50000),
		   number(argc, argv, 2, 1));
	return report(&judge);
}
