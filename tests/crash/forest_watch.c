/* SPDX-License-Identifier: BSD-3-Clause */
/* forest_watch.c - is what a crash left of a tree right, and can the command
 * that was interrupted be done again? */
#include "forest_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/family.h"
#include "job/check.h"

#define MOST_DEPTH 2

/* ---- Files ---- */

/* Names that begin with a dot are of files that need not be complete. */
static int
judge_file(const char *name, void *user)
{
	struct forest *f = user;
	char path[FOREST_PATH], why[JUDGE_WHY];

	if (name[0] == '.')
		return 0;
	(void)snprintf(path, sizeof(path), "%s/%.180s", FOREST_DIR, name);
	if (!judge_findings(f->fs, path, VHD_ERROR, why))
		(void)forest_wrong(f, "%s", why);
	return 0;
}

static bool
check_files(struct forest *f)
{
	(void)f->fs->ops->list(f->fs, FOREST_DIR, judge_file, f);
	return !f->why[0];
}

/* A fixed disk has one footer: where the file system makes a file longer
 * before what is written there, one that was growing has the old one left, and
 * zeros behind it, until it is repaired. */
static int
mend_file(const char *name, void *user)
{
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;
	struct vhd_check_result result = VHD_CHECK_RESULT_INIT;
	struct forest *f = user;
	char path[FOREST_PATH], why[JUDGE_WHY];
	struct peek peek;

	(void)snprintf(path, sizeof(path), "%s/%.180s", FOREST_DIR, name);
	opts.flags = VHD_CHECK_REPAIR;
	if (name[0] != '.' && !image_peek(&peek, f->fs, path, 0) &&
	    peek.found.footer.type == VHD_TYPE_FIXED &&
	    !judge_findings(f->fs, path, VHD_WARNING, why) &&
	    strstr(why, ": V08 ") && job_check(&result, f->fs, path, &opts))
		(void)forest_wrong(f, "repair: %s", error_message());
	return 0;
}

/* ---- Two forests ---- */

/* What is on a file system, as it was before the task and as it will be. */
struct between {
	struct forest before, after;
};

static void
between_make(struct between *ret, const struct forest *f,
	     const struct task *task, struct fs *fs)
{
	forest_copy(&ret->before, f);
	ret->before.fs = fs;
	forest_copy(&ret->after, &ret->before);
	task_apply(&ret->after, task);
}

static void
between_free(struct between *b)
{
	forest_end(&b->before);
	forest_end(&b->after);
}

static void
tell_forest(struct judge *judge, const struct forest *f)
{
	judge->failed = true;
	judge_tell(judge, "violation", f->why);
}

/* ---- One state ---- */

/* The deletion of a whole subtree marks files as read-only before it removes
 * the first; a journal keeps that before a later change of a name, the recorder
 * keeps no marks. */
static void
mark_frozen(struct between *b, const struct task *task)
{
	const struct forest *f = &b->before;

	for (size_t i = 0; i < f->n && task->kind == TASK_DELETE_TREE; i++)
		if (!f->state[i].live)
			(void)f->fs->ops->set_readonly(f->fs, f->state[i].path,
						       true);
}

/* Its own file system is worked on. */
static bool
check_finish(struct judge *judge, struct between *b, const struct task *task)
{
	mark_frozen(b, task);
	(void)b->after.fs->ops->list(b->after.fs, FOREST_DIR, mend_file,
				     &b->after);
	if (forest_settle(&b->before, &b->after, task) &&
	    forest_redo(&b->after, task) && check_files(&b->after))
		return true;
	tell_forest(judge, b->before.why[0] ? &b->before : &b->after);
	judge_tell(judge, "after", "doing it again");
	return false;
}

/* Do it again and crash again. */
static void
go_on(struct forest_watch *before, const struct crash_state *state)
{
	struct judge *judge = before->judge;
	struct forest_watch watch = *before;
	struct between b;
	struct forest f;

	judge->recoveries++;
	if (crash_fs_from(&watch.crash, state->fs))
		abort();
	forest_copy(&f, before->f);
	f.fs = watch.crash;
	between_make(&b, &f, before->task, watch.crash);
	watch.f = &f;
	watch.depth++;
	if (forest_settle(&f, &b.after, before->task)) {
		forest_watch(&watch);
		(void)check_finish(judge, &b, before->task);
		crash_set_hook(watch.crash, NULL, NULL);
	} else {
		tell_forest(judge, &f);
	}
	between_free(&b);
	forest_end(&f);
	crash_fs_free(watch.crash);
}

static void
check_state(struct forest_watch *watch, const struct crash_state *state)
{
	struct judge *judge = watch->judge;
	bool again = watch->depth < MOST_DEPTH && judge->nested_every &&
		     judge->states % judge->nested_every == 0;
	struct between b;

	between_make(&b, watch->f, watch->task, state->fs);
	if (!forest_check_between(&b.before, &b.after, watch->task) ||
	    !check_files(&b.before))
		tell_forest(judge, &b.before);
	else if (again)
		go_on(watch, state);
	if (!judge->failed)
		(void)check_finish(judge, &b, watch->task);
	between_free(&b);
}

static int
look_at_state(const struct crash_state *state, void *user)
{
	struct forest_watch *watch = user;
	struct judge *judge = watch->judge;
	char text[2500], what[500];

	judge->states++;
	check_state(watch, state);
	if (!judge->failed)
		return 0;
	task_text(what, sizeof(what), watch->task);
	judge_tell(judge, "during", what);
	crash_state_text(text, sizeof(text), state);
	judge_tell(judge, "state", text);
	return VHD_E_CORRUPT;
}

/* ---- Every state ---- */

/* What is allowed now. */
static uint64_t
forest_hash(const struct forest_watch *watch)
{
	const struct forest *f = watch->f;

	return crash_hash(f->state, f->n * sizeof(*f->state),
			  crash_hash(watch->task, sizeof(*watch->task), 0));
}

void
forest_judge_now(struct forest_watch *watch)
{
	struct judge *judge = watch->judge;
	struct crash_limits limits = judge->limits;
	uint64_t count = 0;

	if (judge->failed || watch->inside || watch->f->why[0])
		return;
	watch->inside = true;
	limits.seed += judge->states;
	limits.seen = &judge->seen;
	limits.salt = forest_hash(watch);
	if (watch->depth) {
		limits.exhaustive /= 8;
		limits.sampled /= 8;
	}
	(void)crash_each_state(&count, watch->crash, &limits, look_at_state,
			       watch);
	judge->possible += count;
	watch->inside = false;
}

static void
before_flush(struct fs *fs, void *user)
{
	(void)fs;
	forest_judge_now(user);
}

void
forest_watch(struct forest_watch *watch)
{
	crash_set_hook(watch->crash, before_flush, watch);
}

void
forest_judge(struct forest_watch *watch)
{
	if (!watch->f->why[0] || watch->judge->failed)
		return;
	tell_forest(watch->judge, watch->f);
}
