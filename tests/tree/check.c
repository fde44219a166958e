/* SPDX-License-Identifier: BSD-3-Clause */
/* check.c - does every state read what it must? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "forest.h"

/* ---- One state ---- */

static bool
may_be(const struct forest_state *s, uint32_t sector, uint32_t value)
{
	return value &&
	       (value == s->value[sector] || value == s->newer[sector]);
}

static bool
allows(const struct forest_state *s, uint32_t sectors, const uint32_t *values,
       uint32_t limit)
{
	if (!s || s->sectors != sectors)
		return false;
	for (uint32_t i = 0; i < sectors && i < limit; i++)
		if (!may_be(s, i, values[i]))
			return false;
	return true;
}

static void
explain(struct forest *f, const char *path, const struct forest_state *s,
	uint32_t sectors, const uint32_t *values)
{
	if (s->sectors != sectors) {
		(void)forest_wrong(f, "%s: %u sectors, should be %u", path,
				   sectors, s->sectors);
		return;
	}
	for (uint32_t i = 0; i < sectors; i++)
		if (!may_be(s, i, values[i])) {
			(void)forest_wrong(
				f, "%s: sector %u reads %u, should be %u or %u",
				path, i, values[i], s->value[i], s->newer[i]);
			return;
		}
}

static int
read_all(uint32_t *ret_sectors, uint32_t *values, const struct fs *fs,
	 const char *path)
{
	struct chain_opts opts = {0};
	uint8_t *data = malloc(FOREST_SECTORS * 512);
	struct chain *c;
	int err = data ? chain_open(&c, fs, path, &opts) : VHD_E_NOMEM;

	if (err) {
		free(data);
		return err;
	}
	*ret_sectors = (uint32_t)(c->size / 512);
	if (*ret_sectors > FOREST_SECTORS)
		err = fail(VHD_E_CORRUPT, "%s: too large", path);
	if (!err)
		err = chain_pread(c, data, *ret_sectors * 512, 0);
	for (uint32_t i = 0; !err && i < *ret_sectors; i++)
		values[i] = sector_value(data + i * 512, i);
	free(data);
	return chain_close_after(c, err);
}

/* What is at path reads as one of the two, of which one may be NULL, up to a
 * sector. */
static bool
check_path(struct forest *f, const char *path, const struct forest_state *a,
	   const struct forest_state *b, uint32_t limit)
{
	uint32_t values[FOREST_SECTORS], sectors;

	if (read_all(&sectors, values, f->fs, path))
		return forest_wrong(f, "%s does not open: %s", path,
				    error_message());
	if (allows(a, sectors, values, limit) ||
	    allows(b, sectors, values, limit))
		return true;
	explain(f, path, a ? a : b, sectors, values);
	return forest_wrong(f, "%s is wrong", path);
}

static bool
is_settled(const struct forest_state *s)
{
	for (uint32_t i = 0; i < s->sectors; i++)
		if (s->newer[i])
			return false;
	return true;
}

static bool
exists(const struct forest *f, const char *path)
{
	struct fs_stat st;

	return f->fs->ops->stat(&st, f->fs, path) == 0;
}

/* f may have become `after`, in part: where is the state now? */
static const char *
where_is(const struct forest *f, const struct forest_state *s,
	 const struct forest *after)
{
	const struct forest_state *t = forest_by_id(after, s->id);

	return t && !exists(f, s->path) ? t->path : s->path;
}

static bool
read_unsettled(uint32_t *ret, struct forest *f, const struct forest_state *s,
	       const struct forest *after)
{
	const char *path = where_is(f, s, after);
	uint32_t sectors;

	memmove(ret, s->value, sizeof(s->value));
	if (is_settled(s) || !read_all(&sectors, ret, f->fs, path))
		return true;
	return forest_wrong(f, "%s does not open: %s", path, error_message());
}

static bool
adopt(struct forest *f, const struct forest *after)
{
	for (size_t i = 0; i < f->n; i++) {
		struct forest_state *s = &f->state[i];

		if (!read_unsettled(s->value, f, s, after))
			return false;
		memset(s->newer, 0, sizeof(s->newer));
	}
	return true;
}

bool
forest_adopt(struct forest *f)
{
	return adopt(f, f);
}

bool
forest_settle(struct forest *before, struct forest *after, const struct task *t)
{
	if (!adopt(before, after))
		return false;
	forest_end(after);
	forest_copy(after, before);
	task_apply(after, t);
	return true;
}

bool
forest_forget_unwritten(struct forest *f, const struct forest *after)
{
	uint32_t values[FOREST_SECTORS];

	for (size_t i = 0; i < f->n; i++) {
		struct forest_state *s = &f->state[i];

		if (!read_unsettled(values, f, s, after))
			return false;
		for (uint32_t k = 0; k < s->sectors; k++)
			if (values[k] == s->value[k])
				s->newer[k] = 0;
	}
	return true;
}

/* ---- All of them ---- */

/* What a new disk is called until it is complete; whoever was interrupted
 * leaves that behind. */
static bool
is_half_made(const struct forest *f, const char *name)
{
	return f->copies && !strncmp(name, ".vhd-", 5) &&
	       strstr(name, ".partial");
}

static int
check_name(const char *name, void *user)
{
	struct forest *f = user;
	char path[FOREST_PATH];

	(void)snprintf(path, sizeof(path), "%s/%.180s", FOREST_DIR, name);
	if (!forest_at(f, path) && !is_half_made(f, name) &&
	    !(f->unfinished &&
	      (strstr(name, "@.merging-") || strstr(name, ".partial"))))
		(void)forest_wrong(f, "%s was left behind", name);
	return 0;
}

bool
forest_check_states(struct forest *f)
{
	for (size_t i = 0; i < f->n && !f->why[0]; i++)
		(void)check_path(f, f->state[i].path, &f->state[i], NULL,
				 FOREST_SECTORS);
	return !f->why[0];
}

bool
forest_check(struct forest *f)
{
	if (forest_check_states(f))
		(void)f->fs->ops->list(f->fs, FOREST_DIR, check_name, f);
	return !f->why[0];
}

static bool
check_if_there(struct forest *before, const struct forest *after,
	       const char *path, uint32_t limit)
{
	return !exists(before, path) ||
	       check_path(before, path, forest_at(before, path),
			  forest_at(after, path), limit);
}

/* A state that the task keeps is at its old or at its new path. */
static bool
check_kept(struct forest *before, const struct forest *after)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct forest_state *s = &before->state[i];
		const struct forest_state *t = forest_by_id(after, s->id);

		if (t && !exists(before, s->path) && !exists(before, t->path))
			return forest_wrong(before, "%s is gone", s->path);
	}
	return true;
}

bool
forest_check_between(struct forest *before, const struct forest *after,
		     const struct task *t)
{
	/* Whoever shrinks a disk gives up what lies beyond. */
	uint32_t limit = t->kind == TASK_RESIZE ? t->number : FOREST_SECTORS;
	bool ok = check_kept(before, after);

	for (size_t i = 0; ok && i < before->n; i++)
		ok = check_if_there(before, after, before->state[i].path,
				    limit);
	for (size_t i = 0; ok && i < after->n; i++)
		ok = check_if_there(before, after, after->state[i].path, limit);
	return ok;
}

bool
forest_redo(struct forest *after, const struct task *t)
{
	char message[sizeof(((struct error *)0)->message)] = "";
	int err;

	after->guests = after->cancel = false;
	err = t->kind == TASK_WRITE ? 0 : task_run(after, t);
	if (err)
		(void)snprintf(message, sizeof(message), "%s", error_message());
	if (after->why[0])
		return false;
	if (err && err != VHD_E_EXISTS && err != VHD_E_NOTFOUND)
		return forest_wrong(after, "doing it again fails: %s", message);
	if (!forest_check(after) && err) {
		char why[300];

		(void)snprintf(why, sizeof(why), "%.290s", after->why);
		after->why[0] = '\0';
		return forest_wrong(after,
				    "doing it again says \"%.200s\", but %s",
				    message, why);
	}
	return !after->why[0];
}

bool
forest_recover(struct forest *before, struct forest *after,
	       const struct task *t, bool left_overs)
{
	if (!forest_check_between(before, after, t) ||
	    !forest_settle(before, after, t))
		return false;
	after->unfinished = left_overs;
	return forest_redo(after, t) || forest_wrong(before, "%s", after->why);
}
