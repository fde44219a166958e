/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_tree.c - cut the power at every flush of random work on trees of
 * snapshots.
 *
 *	crash_tree [STATES [SEED]]      look at so many states
 *	crash_tree --mutants [STATES]   each mistake of TREE_MUTANTS must be
 *	                                found within so many states
 *
 * The work is that of tests/tree: guests, snapshots, and jobs, which guests
 * write beside, and which are cancelled or killed now and then. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "forest_watch.h"
#include "image/mutant.h"

/* From here on each is found soon. */
#define FIRST_OF_MUTANTS 7000

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
	w->f.layouts = seed % 2 == 0;
	forest_plant(&w->f);
	must(crash_fs_from(&w->crash, memory));
	must(fault_fs_new(&w->fault, w->crash));
	if (seed % 4 == 0)
		fault_refuse_links(w->fault);
	w->f.fs = w->fault;
	w->f.guests = w->f.cancel = true;
	w->f.copies = seed % 3 == 0;
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

/* The process ends within the next changes, or changes of names; the kernel
 * does not. */
static void
arm(struct work *w)
{
	const unsigned names = FAULT_NAMES | FAULT_SYNC_DIR;
	bool data = forest_draw(&w->f, 4);
	const struct fault dead = {
		.at = 1 + forest_draw(&w->f, data ? 60 : 10),
		.kinds = data ? names | FAULT_WRITE | FAULT_FLUSH |
					 FAULT_TRUNCATE | FAULT_PUNCH |
					 FAULT_ATTRIBUTES
			      : names,
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

/* The result stays, and was made durable before it was told. */
static void
complete(struct work *w, const struct task *task)
{
	static const struct task nothing = {.kind = TASK_NONE};
	struct forest after;

	forest_copy(&after, &w->f);
	task_apply(&after, task);
	move_on(&w->f, &after);
	w->watch.task = &nothing;
	forest_judge_now(&w->watch);
	if (!w->watch.judge->failed && forest_check(&w->f))
		(void)forest_adopt(&w->f);
}

/* It was stopped, and may be asked for again.  To look at what is
 * there makes nothing durable. */
static void
look_after_stop(struct work *w, const struct task *task)
{
	struct forest *f = &w->f, after;

	if (f->why[0])
		return;
	forest_copy(&after, f);
	task_apply(&after, task);
	f->fs = crash_live(w->crash);
	if (forest_check_between(f, &after, task))
		(void)forest_forget_unwritten(f, &after);
	f->fs = w->fault;
	forest_end(&after);
}

static int
attempt(struct work *w, const struct task *task, bool *ret_dead)
{
	struct forest *f = &w->f;
	int err;

	if (f->cancel && forest_draw(f, 3) == 0)
		arm(w);
	err = task_run(f, task);
	*ret_dead = fault_fired(w->fault);
	fault_arm(w->fault, &(struct fault){.at = 0});
	if (*ret_dead) {
		f->why[0] = '\0'; /* a guest met its end */
		forest_note(f, " : killed");
	} else if (err) {
		forest_note(f, " : %.100s", error_message());
	}
	return err;
}

static bool
is_refusal(int err)
{
	return err == VHD_E_CHILDREN || err == VHD_E_POLICY ||
	       err == VHD_E_TOOBIG;
}

/* That a new disk exists already promises nothing yet, nor that a merged one
 * is gone: whoever did it was killed.  Who opens the result to write to it
 * makes its name durable (P14). */
static void
open_result(struct work *w, const struct task *task, int err)
{
	struct chain_opts opts = {.flags =
					  VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK};
	bool made = task->kind == TASK_NEW || task->kind == TASK_CONVERT;
	bool merged = task->kind == TASK_MERGE_AT_PARENT;
	struct chain *c;

	if ((err != VHD_E_EXISTS || !made) &&
	    (err != VHD_E_NOTFOUND || !merged))
		return;
	must(chain_open(&c, w->f.fs, made ? task->other : task->name, &opts));
	must(chain_close(c));
}

/* Again and again, until it is done (P13): then it says that, or that there is
 * nothing left to do.  False when it is refused. */
static bool
carry_out(struct work *w, const struct task *task)
{
	struct forest *f = &w->f;
	bool dead = false;
	int err = 0;

	for (int i = 0; i < 4 && !f->why[0]; i++) {
		f->cancel = i < 3;
		/* The snapshot may be there already. */
		f->guests = !i || task->kind != TASK_CREATE;
		err = attempt(w, task, &dead);
		if (i)
			open_result(w, task, err);
		if (!err || w->watch.judge->failed ||
		    (i && (err == VHD_E_EXISTS || err == VHD_E_NOTFOUND)))
			return true;
		if (!i && !dead && is_refusal(err))
			return false;
		look_after_stop(w, task);
	}
	(void)forest_wrong(f, "it cannot be completed");
	return false;
}

static void
step(struct work *w)
{
	struct forest *f = &w->f;
	struct task task;
	char text[500];

	task_choose_any(&task, f);
	if (task.kind == TASK_NONE)
		return;
	task_text(text, sizeof(text), &task);
	forest_note(f, "\n    %s", text);
	w->watch.task = &task;
	if (!carry_out(w, &task))
		task.kind = TASK_NONE;
	if (!f->why[0] && !w->watch.judge->failed)
		complete(w, &task);
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
	while (judge->states < states && !judge->failed) {
		judge->limits.loose_names = seed % 2;
		random_work(judge, seed++);
	}
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
	(void)printf("%" PRIu64 " states of %" PRIu64 ", %" PRIu64
		     " recoveries, %d violations\n",
		     judge->states, judge->possible, judge->recoveries,
		     judge->failed);
	return judge->failed;
}

static int
run_mutants(uint64_t states)
{
	int survivors = 0;

	for (int m = MUTANT_FIRST_OF_TREE; m < MUTANT_FIRST_OF_REPAIR; m++) {
		struct judge judge = fresh;

		judge.limits.exhaustive = 24;
		judge.limits.sampled = 12;
		present_mutant = (enum mutant)m;
		run_random(&judge, states, FIRST_OF_MUTANTS);
		(void)printf("mutant %2d %-28s %s after %" PRIu64 " states\n",
			     m, mutant_names[m],
			     judge.failed ? "caught" : "SURVIVES",
			     judge.states);
		(void)fflush(stdout);
		survivors += !judge.failed;
	}
	(void)printf("%d mutants, %d survivors\n",
		     MUTANT_FIRST_OF_REPAIR - MUTANT_FIRST_OF_TREE, survivors);
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
		return run_mutants(number(argc, argv, 2, 20000));
	run_random(&judge, number(argc, argv, 1, 50000),
		   number(argc, argv, 2, 1));
	return report(&judge);
}
