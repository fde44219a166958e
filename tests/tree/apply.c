/* SPDX-License-Identifier: BSD-3-Clause */
/* apply.c - what a task does to the states, by the model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forest.h"

/* disk@NAME.vhd, or a file beside the disk. */
static void
path_of_name(char *ret, const char *disk, const char *name)
{
	const char *dot = strrchr(disk, '.');

	(void)snprintf(ret, FOREST_PATH, "%.*s@%.60s%.30s", (int)(dot - disk),
		       disk, name, dot);
}

void
task_adopted_name(char ret[FOREST_PATH], const char *file)
{
	char *dot;

	(void)snprintf(ret, FOREST_PATH, "%s", file);
	dot = strrchr(ret, '.');
	if (dot)
		*dot = '\0';
	for (char *c = ret; *c; c++)
		if (*c == '@')
			*c = '-';
}

static struct forest_state *
named(const struct forest *f, const struct task *t)
{
	char path[FOREST_PATH], adopted[FOREST_PATH];
	struct forest_state *s;

	path_of_name(path, t->disk, t->name);
	s = forest_at(f, path);
	if (s)
		return s;
	(void)snprintf(path, sizeof(path), "%s/%.150s", FOREST_DIR, t->name);
	s = forest_at(f, path);
	if (s)
		return s;
	task_adopted_name(adopted, t->name);
	path_of_name(path, t->disk, adopted);
	return forest_at(f, path);
}

static void
copy_content(struct forest_state *to, const struct forest_state *from)
{
	to->sectors = from->sectors;
	memcpy(to->value, from->value, sizeof(to->value));
	memcpy(to->newer, from->newer, sizeof(to->newer));
}

static void
create(struct forest *f, const struct task *t, const char *name)
{
	char path[FOREST_PATH];
	struct forest_state *s;

	path_of_name(path, t->disk, name);
	s = forest_add(f, path, forest_at(f, t->disk));
	s->live = false;
	forest_at(f, t->disk)->parent = s->id;
}

static void
revert(struct forest *f, const struct task *t)
{
	struct forest_state *disk, *target;

	if (t->other[0])
		create(f, t, t->other);
	disk = forest_at(f, t->disk);
	target = named(f, t);
	copy_content(disk, target);
	disk->parent = target->id;
}

/* What stood on it stands on what it stood on. */
static void
take_out(struct forest *f, struct forest_state *s)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->state[i].parent == s->id)
			f->state[i].parent = s->parent;
	forest_remove(f, s);
}

static void
take_subtree(struct forest *f, uint32_t id)
{
	for (bool again = true; again;) {
		again = false;
		for (size_t i = 0; i < f->n && !again; i++)
			if (!forest_children(f, f->state[i].id) &&
			    forest_stands_on(f, &f->state[i], id)) {
				again = true;
				forest_remove(f, &f->state[i]);
			}
	}
}

static void
merge(struct forest *f, const struct task *t)
{
	bool last = false;

	while (!last) {
		struct forest_state *s = forest_at(f, t->disk);
		struct forest_state *a = forest_by_id(f, s->parent);

		last = !strcmp(a->path, t->name);
		take_out(f, a);
	}
	if (t->kind == TASK_MERGE_AT_PARENT)
		memcpy(forest_at(f, t->disk)->path, t->name, FOREST_PATH);
}

static void
resize(struct forest_state *s, uint32_t sectors)
{
	for (uint32_t i = s->sectors; i < sectors; i++) {
		s->value[i] = VALUE_ZERO;
		s->newer[i] = 0;
	}
	s->sectors = sectors;
}

static void
clone(struct forest *f, const struct task *t)
{
	const struct forest_state *from = named(f, t);
	uint32_t parent = from->id;
	struct forest_state *s = forest_add(f, t->other, from);

	s->live = true;
	s->parent = parent;
}

static void new (struct forest *f, const struct task *t)
{
	const struct forest_state *parent =
		t->name[0] ? forest_at(f, t->name) : NULL;
	uint32_t below = parent ? parent->id : 0;
	struct forest_state *s = forest_add(f, t->other, parent);

	s->live = true;
	s->parent = below;
	if (!below)
		resize(s, t->number);
}

static void
convert(struct forest *f, const struct task *t)
{
	struct forest_state *s = forest_add(f, t->other, forest_at(f, t->disk));

	s->live = true;
	s->parent = 0;
}

void
task_apply(struct forest *f, const struct task *t)
{
	switch (t->kind) {
	case TASK_CREATE:
		create(f, t, t->name);
		break;
	case TASK_REVERT:
		revert(f, t);
		break;
	case TASK_DELETE:
		take_out(f, named(f, t));
		break;
	case TASK_DELETE_TREE:
		take_subtree(f, named(f, t)->id);
		break;
	case TASK_RENAME:
		path_of_name(named(f, t)->path, t->disk, t->other);
		break;
	case TASK_CLONE:
		clone(f, t);
		break;
	case TASK_MERGE:
	case TASK_MERGE_AT_PARENT:
		merge(f, t);
		break;
	case TASK_RESIZE:
		resize(forest_at(f, t->disk), t->number);
		break;
	case TASK_NEW:
		new (f, t);
		break;
	case TASK_CONVERT:
		convert(f, t);
		break;
	case TASK_REBASE:
		forest_at(f, t->disk)->parent = forest_at(f, t->name)->id;
		break;
	default:
		break;
	}
}

uint32_t
task_target(const struct forest *f, const struct task *t)
{
	const struct forest_state *s = named(f, t);

	return s ? s->id : 0;
}

static bool
is_free(const struct forest *f, const struct task *t, const char *name)
{
	char path[FOREST_PATH];

	path_of_name(path, t->disk, name);
	return !forest_at(f, path);
}

static bool
is_below(const struct forest *f, const struct task *t)
{
	const struct forest_state *a = forest_at(f, t->name);
	const struct forest_state *s = forest_at(f, t->disk);

	return a && a != s && forest_stands_on(f, s, a->id);
}

bool
task_applies(const struct forest *f, const struct task *t)
{
	const struct forest_state *disk = forest_at(f, t->disk);
	const struct forest_state *s = named(f, t);

	if (!disk)
		return false;
	switch (t->kind) {
	case TASK_CREATE:
		return is_free(f, t, t->name);
	case TASK_REVERT:
		return s && (!t->other[0] || is_free(f, t, t->other));
	case TASK_DELETE:
	case TASK_DELETE_TREE:
		return s && s != disk;
	case TASK_RENAME:
		return s && is_free(f, t, t->other);
	case TASK_CLONE:
		return s && !forest_at(f, t->other);
	case TASK_MERGE:
	case TASK_MERGE_AT_PARENT:
		return is_below(f, t);
	case TASK_REBASE:
		return forest_at(f, t->name);
	default:
		return true;
	}
}
