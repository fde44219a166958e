/* SPDX-License-Identifier: BSD-3-Clause */
/* fault_tasks.c - every task on a tree of disks, with every single failure.
 *
 *	fault_tasks [--memory] [--seed N] [--rounds N] [--verbose]
 *
 * A tree is made, and from it as it is then one task of each kind is begun
 * again and again; each time another operation below the library fails, or
 * with --memory another request for memory, once or from then on.  Afterwards
 * every state reads what it did before or what it must then, and the same task
 * once more completes it. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "call_fault.h"
#include "forest.h"
#include "io/io_mem.h"
#include "io_fault.h"

#define HANG_SECONDS 120

static struct {
	uint64_t seed, rounds, faults, failed, runs;
	bool memory, verbose;
} t;

/* What is to fail: an operation, or a request for memory. */
struct failure {
	struct fault fault; /* of an operation, unless memory */
	bool memory;
};

static void
must(int err)
{
	if (err) {
		(void)fprintf(stderr, "cannot go on: %s\n", error_message());
		abort();
	}
}

/* ---- One tree, as often as it is needed ---------------------------------- */

struct copy {
	struct fs *from, *to;
};

static int
copy_file(const char *path, void *user)
{
	struct copy *c = user;
	struct mem_data *data = NULL;
	struct fs_stat st;

	must(c->from->ops->stat(&st, c->from, path));
	must(mem_fs_get_data(&data, c->from, path));
	must(mem_fs_put_data(c->to, path, data));
	mem_data_free(data);
	if (st.readonly)
		must(c->to->ops->set_readonly(c->to, path, true));
	return 0;
}

static struct fs *
copy_fs(struct fs *from)
{
	struct copy c = {.from = from};

	must(mem_fs_new(&c.to));
	must(mem_fs_each(from, copy_file, &c));
	return c.to;
}

/* ---- One failure --------------------------------------------------------- */

static void
arm(struct fs *fault, const struct failure *failure)
{
	if (failure->memory)
		call_arm(&(struct call_fault){.at = failure->fault.at,
					      .kinds = CALL_MEMORY,
					      .sys = ENOMEM,
					      .sticky = failure->fault.sticky});
	else
		fault_arm(fault, &failure->fault);
}

static bool
disarm(struct fs *fault, const struct failure *failure)
{
	bool fired;

	if (failure->memory) {
		call_disarm();
		return call_fired();
	}
	fired = fault_fired(fault);
	fault_arm(fault, &(struct fault){.at = 0});
	return fired;
}

/* A job that fails says why; if not itself, then its last flush. */
static bool
check_error(struct forest *f, const struct task *task,
	    const struct failure *failure, int err)
{
	bool full = failure->fault.what == FAULT_ENOSPC &&
		    failure->fault.kinds == FAULT_WRITE;
	int want = failure->memory ? VHD_E_NOMEM : full ? VHD_E_NOSPACE : err;
	struct error said;

	error_save(&said);
	if (!err || task->kind == TASK_WRITE || err == want ||
	    said.code == want)
		return true;
	return forest_wrong(f, "it ended with %d, not %d: %s", err, want,
			    said.message);
}

/* What must be there when it was all done. */
static bool
check_done(struct forest *f, struct forest *after)
{
	return forest_check(after) || forest_wrong(f, "%s", after->why);
}

static bool
judge(struct forest *f, const struct task *task, const struct failure *failure,
      int err, bool fired)
{
	/* Where no name could be removed, that of a new file stays. */
	bool left_overs = failure->fault.sticky &&
			  (task->kind == TASK_CLONE || task->kind == TASK_NEW ||
			   task->kind == TASK_CONVERT);
	struct forest after;
	bool ok;

	if (fired)
		f->why[0] = '\0'; /* a guest met it */
	if (!check_error(f, task, failure, err))
		return false;
	forest_copy(&after, f);
	task_apply(&after, task);
	after.why[0] = '\0';
	if (err || fired)
		ok = forest_recover(f, &after, task, left_overs);
	else
		ok = check_done(f, &after);
	forest_end(&after);
	return ok;
}

/* False, the story told, when something is wrong; *ret_fired is false when the
 * failure was never reached. */
static bool
one_failure(bool *ret_fired, const struct forest *start,
	    const struct task *task, const struct failure *failure)
{
	AUTO(mem_fs_free) struct fs *memory = copy_fs(start->fs);
	AUTO(fault_fs_free) struct fs *fault = NULL;
	struct forest f;
	bool ok;
	int err;

	must(fault_fs_new(&fault, memory));
	forest_copy(&f, start);
	f.fs = failure->memory ? memory : fault;
	(void)alarm(HANG_SECONDS);
	arm(fault, failure);
	err = task_run(&f, task);
	if (!failure->memory)
		forest_note(&f, "\n  failing: %s", fault_hit(fault));
	*ret_fired = disarm(fault, failure);
	if (err)
		forest_note(&f, "\n  it said: %s", error_message());
	ok = judge(&f, task, failure, err, *ret_fired);
	t.runs++;
	t.faults += *ret_fired;
	t.failed += *ret_fired && err;
	if (!ok)
		(void)fprintf(stderr, "fault_tasks: %s\n  done so far:%s\n",
			      f.why, f.log);
	forest_end(&f);
	return ok;
}

/* ---- All of them --------------------------------------------------------- */

static bool
tell(const struct task *task, const struct failure *failure)
{
	char text[500];

	task_text(text, sizeof(text), task);
	(void)fprintf(stderr,
		      "  in %s: failure %" PRIu64 " of kinds %#x, error %d%s\n"
		      "  rerun: fault_tasks%s --seed %" PRIu64 " --rounds 1\n",
		      text, failure->fault.at, failure->fault.kinds,
		      failure->fault.what,
		      failure->fault.sticky ? ", and all after it" : "",
		      failure->memory ? " --memory" : "", t.seed);
	return false;
}

static bool
each_in_turn(const struct forest *start, const struct task *task,
	     struct failure failure)
{
	int64_t memory = alloc_live();
	bool fired = true;

	for (failure.fault.at = 1; fired; failure.fault.at++) {
		if (!one_failure(&fired, start, task, &failure))
			return tell(task, &failure);
		if (alloc_live() == memory)
			continue;
		(void)fprintf(stderr, "fault_tasks: memory was lost\n");
		return tell(task, &failure);
	}
	return true;
}

static bool
every_failure(const struct forest *start, const struct task *task)
{
	static const struct fault kinds[] = {
		{.what = FAULT_EIO},
		{.what = FAULT_EIO, .sticky = true},
		{.what = FAULT_SHORT},
		{.what = FAULT_EINTR, .kinds = FAULT_FLUSH | FAULT_SYNC_DIR},
		{.what = FAULT_ENOSPC, .kinds = FAULT_WRITE},
		{.what = FAULT_ENOSPC, .kinds = FAULT_WRITE, .sticky = true},
		{.what = FAULT_EIO, .kinds = FAULT_NAMES, .sticky = true},
	};

	if (t.memory)
		return each_in_turn(start, task,
				    (struct failure){.memory = true}) &&
		       each_in_turn(start, task,
				    (struct failure){.fault.sticky = true,
						     .memory = true});
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!each_in_turn(start, task,
				  (struct failure){.fault = kinds[i]}))
			return false;
	return true;
}

static bool
try_kind(struct forest *start, enum task_kind kind)
{
	struct task task;
	char text[500];

	task_choose(&task, start, kind);
	if (task.kind == TASK_NONE)
		return true;
	if (t.verbose) {
		task_text(text, sizeof(text), &task);
		(void)fprintf(stderr, "%s\n", text);
	}
	return every_failure(start, &task);
}

/* A tree, some tasks, and then each kind of task from there. */
static bool
play_round(void)
{
	AUTO(mem_fs_free) struct fs *memory = NULL;
	struct forest f;
	bool ok = true;

	must(mem_fs_new(&memory));
	forest_begin(&f, memory, t.seed);
	f.max_depth = 5;
	forest_plant(&f);
	for (int i = 0; i < 6; i++) {
		struct task task;

		task_choose_any(&task, &f);
		if (task.kind != TASK_NONE && !task_run(&f, &task))
			task_apply(&f, &task);
	}
	(void)forest_check(&f);
	(void)forest_adopt(&f);
	if (f.why[0]) {
		(void)fprintf(stderr, "fault_tasks: %s\n", f.why);
		ok = false;
	}
	for (int kind = TASK_WRITE; ok && kind < TASK_COUNT; kind++)
		ok = try_kind(&f, (enum task_kind)kind);
	forest_end(&f);
	return ok;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"rounds", required_argument, NULL, 'r'},
		{"memory", no_argument, NULL, 'm'},
		{"verbose", no_argument, NULL, 'v'},
		{0},
	};
	int o;

	t.seed = 1;
	t.rounds = 1;
	while ((o = getopt_long(argc, argv, "s:r:mv", options, NULL)) != -1) {
		if (o == 's')
			t.seed = strtoull(optarg, NULL, 0);
		else if (o == 'r')
			t.rounds = strtoull(optarg, NULL, 0);
		else if (o == 'm')
			t.memory = true;
		else if (o == 'v')
			t.verbose = true;
		else
			return 2;
	}
	for (; t.rounds; t.rounds--, t.seed++)
		if (!play_round())
			return 1;
	(void)printf("fault_tasks: %" PRIu64 " failures in %" PRIu64
		     " runs, of which %" PRIu64 " were told; nothing lost\n",
		     t.faults, t.runs, t.failed);
	return 0;
}
