/* SPDX-License-Identifier: BSD-3-Clause */
/* worlds.c - what a tree may be once commands were killed. */
#include "worlds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "chain/chain.h"

#define MOST_WORLDS 600u

static bool
is_same(const struct forest *a, const struct forest *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		const struct forest_state *s = &a->state[i];
		const struct forest_state *o = forest_at(b, s->path);

		if (!o || s->id != o->id || s->parent != o->parent ||
		    s->sectors != o->sectors ||
		    memcmp(s->value, o->value, sizeof(s->value)) != 0)
			return false;
	}
	return true;
}

/* Takes the model over. */
static void
add_world(struct worlds *w, struct forest *model)
{
	for (size_t i = 0; i < w->n; i++)
		if (is_same(&w->model[i], model)) {
			forest_end(model);
			return;
		}
	if (!w->model)
		w->model = calloc(MOST_WORLDS, sizeof(*w->model));
	if (!w->model || w->n == MOST_WORLDS)
		abort();
	w->model[w->n++] = *model;
}

void
worlds_end(struct worlds *w)
{
	for (size_t i = 0; i < w->n; i++)
		forest_end(&w->model[i]);
	free(w->model);
	*w = (struct worlds){0};
}

static void
add_copy(struct worlds *w, const struct forest *model)
{
	struct forest copy;

	forest_copy(&copy, model);
	add_world(w, &copy);
}

void
worlds_begin(struct worlds *w, const struct forest *f)
{
	*w = (struct worlds){0};
	add_copy(w, f);
}

static bool
add_after(struct worlds *w, const struct forest *model, const struct task *task)
{
	struct forest after;

	if (!task_applies(model, task))
		return false;
	forest_copy(&after, model);
	task_apply(&after, task);
	add_world(w, &after);
	return true;
}

static bool
is_merge(const struct task *task)
{
	return task->kind == TASK_MERGE || task->kind == TASK_MERGE_AT_PARENT;
}

/* Of the states that were to be merged, some may be gone already: the ancestor
 * is the lowest that is there. */
static void
find_ancestor(struct task *task, const struct forest *model,
	      const struct forest *believed)
{
	const struct forest_state *s = forest_at(model, task->disk);
	const struct forest_state *b = forest_at(believed, task->disk);
	const struct forest_state *lowest = NULL;

	while (s && b && strcmp(b->path, task->name) != 0) {
		const struct forest_state *a;

		b = forest_by_id(believed, b->parent);
		a = b ? forest_by_id(model, b->id) : NULL;
		if (a && a != s && forest_stands_on(model, s, a->id))
			lowest = a;
	}
	if (lowest)
		memcpy(task->name, lowest->path, sizeof(task->name));
}

/* A merge of several layers may have got to any of them.  Who carries on with
 * one that was to end at the parent's path leaves the result at the child's. */
static void
add_merged_so_far(struct worlds *w, const struct forest *model,
		  const struct task *task)
{
	const struct forest_state *s = forest_at(model, task->disk);
	struct task so_far = *task;

	so_far.kind = TASK_MERGE;
	if (!task_applies(model, task))
		return;
	do {
		s = forest_by_id(model, s->parent);
		memcpy(so_far.name, s->path, sizeof(so_far.name));
		(void)add_after(w, model, &so_far);
	} while (strcmp(s->path, task->name) != 0);
}

/* Leaf first, in whatever order. */
static void
add_pruned_so_far(struct worlds *w, const struct forest *model,
		  const struct task *task)
{
	uint32_t top = task_applies(model, task) ? task_target(model, task) : 0;
	struct forest less;

	for (size_t i = 0; top && i < model->n; i++)
		if (forest_stands_on(model, &model->state[i], top) &&
		    !forest_children(model, model->state[i].id)) {
			forest_copy(&less, model);
			forest_remove(&less, &less.state[i]);
			add_copy(w, &less);
			add_pruned_so_far(w, &less, task);
			forest_end(&less);
		}
}

static bool
is_own_name(const char *path, const char *disk)
{
	size_t stem = (size_t)(strrchr(disk, '.') - disk);

	return !strncmp(path, disk, stem) && path[stem] == '@';
}

/* A root without a name of this disk gets one first. */
static void
add_adopted(struct worlds *w, const struct forest *model,
	    const struct task *task)
{
	const struct forest_state *s =
		forest_by_id(model, task_target(model, task));
	struct task adoption = *task;

	if (!s || s->parent || is_own_name(s->path, task->disk))
		return;
	adoption.kind = TASK_RENAME;
	task_adopted_name(adoption.other, strrchr(s->path, '/') + 1);
	(void)add_after(w, model, &adoption);
}

/* Where the result is at the parent's path, and at the child's still. */
static void
add_both_paths(struct worlds *w, const struct forest *model,
	       const struct task *task)
{
	struct forest both;
	struct forest_state *s;
	uint32_t id;

	if (!task_applies(model, task))
		return;
	forest_copy(&both, model);
	id = forest_at(&both, task->disk)->id;
	task_apply(&both, task);
	s = forest_add(&both, task->disk, forest_by_id(&both, id));
	s->parent = id;
	forest_by_id(&both, id)->live = false;
	add_world(w, &both);
}

static void
add_parts(struct worlds *w, const struct forest *model, const struct task *task)
{
	struct task part = *task;

	add_copy(w, model);
	if (task->kind == TASK_REVERT && task->other[0]) {
		part.kind = TASK_CREATE;
		memcpy(part.name, task->other, sizeof(part.name));
		(void)add_after(w, model, &part);
	}
	if (is_merge(task))
		add_merged_so_far(w, model, task);
	if (task->kind == TASK_MERGE_AT_PARENT)
		add_both_paths(w, model, task);
	if (task->kind == TASK_DELETE)
		add_adopted(w, model, task);
	if (task->kind == TASK_DELETE_TREE)
		add_pruned_so_far(w, model, task);
}

/* Where its names are gone, there was nothing to do. */
void
worlds_go_on(struct worlds *w, const struct task *task,
	     const struct forest *believed, bool complete)
{
	struct worlds next = {0};

	for (size_t i = 0; i < w->n; i++) {
		const struct forest *model = &w->model[i];
		struct task here = *task;

		if (is_merge(task))
			find_ancestor(&here, model, believed);
		if (!add_after(&next, model, &here))
			add_copy(&next, model);
		if (!complete)
			add_parts(&next, model, &here);
	}
	worlds_end(w);
	*w = next;
}

/* ---- Which of them is it? ---- */

static bool
exists(const struct fs *fs, const char *path)
{
	struct fs_stat st;

	return fs->ops->stat(&st, fs, path) == 0;
}

static bool
is_somewhere(const struct worlds *w, const struct fs *fs, uint32_t id)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct forest_state *s = forest_by_id(&w->model[i], id);

		if (!s || exists(fs, s->path))
			return true;
	}
	return false;
}

/* What is at path reads as in one of them. */
static bool
reads_right(const struct worlds *w, struct forest *f, const char *path)
{
	struct forest one;
	bool right = false;

	if (!exists(f->fs, path))
		return true;
	for (size_t i = 0; i < w->n && !right; i++) {
		const struct forest_state *s = forest_at(&w->model[i], path);

		if (!s)
			continue;
		one = (struct forest){.fs = f->fs};
		(void)forest_add(&one, path, s);
		right = forest_check_states(&one);
		if (!right && i + 1 == w->n)
			(void)forest_wrong(f, "%s", one.why);
		forest_end(&one);
	}
	return right || forest_wrong(f, "%s is wrong", path);
}

bool
worlds_check_between(const struct worlds *w, struct forest *f)
{
	bool ok = true;

	for (size_t i = 0; i < w->n && ok; i++)
		for (size_t k = 0; k < w->model[i].n && ok; k++) {
			const struct forest_state *s = &w->model[i].state[k];

			if (!is_somewhere(w, f->fs, s->id))
				ok = forest_wrong(f, "%s is gone", s->path);
			else
				ok = reads_right(w, f, s->path);
		}
	return ok;
}

static bool
is_writable(struct forest *model)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct chain *c;

	for (size_t i = 0; i < model->n; i++) {
		const struct forest_state *s = &model->state[i];

		if (s->live &&
		    (chain_open(&c, model->fs, s->path, &opts) != 0 ||
		     chain_close(c) != 0))
			return forest_wrong(model, "%s: %s", s->path,
					    error_message());
	}
	return true;
}

bool
worlds_check_end(const struct worlds *w, struct forest *f)
{
	char why[sizeof(f->why)] = "";

	for (size_t i = 0; i < w->n; i++) {
		struct forest *model = &w->model[i];

		model->fs = f->fs;
		model->why[0] = '\0';
		if (forest_check(model) && is_writable(model))
			return true;
		if (!why[0] || !strstr(model->why, "does not open"))
			memcpy(why, model->why, sizeof(why));
	}
	return forest_wrong(f, "the tree is none that it may be: %.500s", why);
}

bool
worlds_have_disk(const struct worlds *w, const struct fs *fs, const char *path)
{
	for (size_t i = 0; i < w->n; i++) {
		const struct forest_state *s = forest_at(&w->model[i], path);

		if (s && forest_children(&w->model[i], s->id))
			return false;
	}
	return !strchr(path, '@') && exists(fs, path);
}
