/* SPDX-License-Identifier: BSD-3-Clause */
/* tree_model.c - random tasks on random trees, against a model of their
 * states.
 *
 *	tree_model [--seed N] [--rounds N] [--faults] [--verbose]
 *
 * After each task every state is read and compared, and no file may be left
 * that the model does not know.  Jobs are cancelled now and then; with
 * --faults, one operation below the library fails in most tasks: then every
 * state must be what it was before or what it is afterwards, and the same task
 * once more completes it. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "forest.h"
#include "io/io_mem.h"
#include "io_fault.h"

static struct {
	uint64_t seed, rounds, tasks, refused, cancelled, faults;
	bool with_faults, verbose;
} t;

static bool
tell(const struct forest *f, uint64_t seed)
{
	(void)fprintf(stderr,
		      "tree_model: %s\n  done so far:%s\n"
		      "  rerun: tree_model --seed %" PRIu64 " --rounds 1%s\n",
		      f->why, f->log, seed, t.with_faults ? " --faults" : "");
	return false;
}

static void
note(struct forest *f, const struct task *task)
{
	char text[500];

	task_text(text, sizeof(text), task);
	forest_note(f, "\n    %s", text);
	if (t.verbose)
		(void)fprintf(stderr, "%s\n", text);
}

static void
arm(struct forest *f, struct fs *fault)
{
	static const enum fault_what kinds[] = {FAULT_EIO, FAULT_ENOSPC,
						FAULT_SHORT};
	struct fault what = {.at = 1 + forest_draw(f, 150),
			     .what = kinds[forest_draw(f, 3)],
			     .sticky = forest_draw(f, 4) == 0};

	if (forest_draw(f, 4) == 0)
		what.kinds = FAULT_NAMES | FAULT_SYNC_DIR;
	fault_arm(fault, &what);
}

/* Guests that wrote meanwhile have changed the states of f only. */
static void
catch_up(struct forest *after, const struct forest *f, const struct task *task)
{
	struct forest again;

	forest_copy(&again, f);
	task_apply(&again, task);
	again.random = after->random;
	forest_end(after);
	*after = again;
}

static bool
is_refusal(int err)
{
	return err == VHD_E_CHILDREN || err == VHD_E_POLICY ||
	       err == VHD_E_TOOBIG;
}

static bool
step(struct forest *f, struct fs *fault)
{
	struct forest after;
	struct task task;
	bool ok = true;
	int err;

	task_choose_any(&task, f);
	if (task.kind == TASK_NONE)
		return true;
	note(f, &task);
	t.tasks++;
	if (fault && forest_draw(f, 2))
		arm(f, fault);
	forest_copy(&after, f);
	err = task_run(f, &task);
	if (f->why[0] && fault && fault_fired(fault))
		f->why[0] = '\0'; /* a guest met the fault */
	catch_up(&after, f, &task);
	if (err)
		forest_note(f, " : %.100s", error_message());
	if (fault) {
		t.faults += fault_fired(fault);
		fault_arm(fault, &(struct fault){.at = 0});
	}
	if (err && is_refusal(err)) {
		t.refused++;
		ok = forest_check(f);
	} else if (err || (fault && f->why[0])) {
		t.cancelled++;
		ok = !f->why[0] && forest_recover(f, &after, &task, false);
	}
	if (ok && !f->why[0] && !is_refusal(err)) {
		uint64_t random = f->random;
		char log[sizeof(f->log)];

		memcpy(log, f->log, sizeof(log));
		forest_end(f);
		forest_copy(f, &after);
		f->random = random;
		memcpy(f->log, log, sizeof(log));
		f->guests = f->cancel = true;
		ok = forest_check(f) && forest_adopt(f);
	}
	forest_end(&after);
	return ok && !f->why[0];
}

static bool
play_round(uint64_t seed)
{
	AUTO(mem_fs_free) struct fs *memory = NULL;
	AUTO(fault_fs_free) struct fs *fault = NULL;
	struct forest f;
	bool ok = true;

	if (mem_fs_new(&memory) ||
	    (t.with_faults && fault_fs_new(&fault, memory)))
		return false;
	forest_begin(&f, fault ? fault : memory, seed);
	forest_plant(&f);
	f.guests = f.cancel = true;
	f.copies = seed % 3 == 0;
	ok = forest_check(&f);
	for (int i = 0; i < 40 && ok; i++)
		ok = step(&f, fault);
	if (!ok)
		ok = tell(&f, seed);
	forest_end(&f);
	return ok;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"rounds", required_argument, NULL, 'r'},
		{"faults", no_argument, NULL, 'f'},
		{"verbose", no_argument, NULL, 'v'},
		{0},
	};
	int o;

	t.seed = 1;
	t.rounds = 100;
	while ((o = getopt_long(argc, argv, "s:r:fv", options, NULL)) != -1) {
		if (o == 's')
			t.seed = strtoull(optarg, NULL, 0);
		else if (o == 'r')
			t.rounds = strtoull(optarg, NULL, 0);
		else if (o == 'f')
			t.with_faults = true;
		else if (o == 'v')
			t.verbose = true;
		else
			return 2;
	}
	for (uint64_t i = 0; i < t.rounds; i++)
		if (!play_round(t.seed + i))
			return 1;
	(void)printf("tree_model: %" PRIu64 " tasks, %" PRIu64
		     " stopped or failed, %" PRIu64 " refused, %" PRIu64
		     " faults, no difference\n",
		     t.tasks, t.cancelled, t.refused, t.faults);
	return 0;
}
