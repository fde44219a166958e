/* SPDX-License-Identifier: BSD-3-Clause */
/* tasks.c - choose what to do, and do it by the library. */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "chain/chain.h"
#include "forest.h"
#include "job/jobs.h"
#include "tree/relink.h"
#include "tree/snapshot.h"

/* ---- Names ---- */

static const char *
file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Does a user call the state by a name of this disk, or by its file? */
static void
name_state(char *ret, const char *disk, const struct forest_state *s)
{
	const char *at = strrchr(file_name(s->path), '@');
	size_t stem = (size_t)(strrchr(disk, '.') - disk);
	size_t length = at ? (size_t)(at - s->path) : 0;
	const char *dot = strrchr(s->path, '.');

	if (at && length == stem && !memcmp(disk, s->path, stem))
		(void)snprintf(ret, FOREST_PATH, "%.*s", (int)(dot - at - 1),
			       at + 1);
	else
		(void)snprintf(ret, FOREST_PATH, "%s", file_name(s->path));
}

void
task_text(char *ret, size_t ret_size, const struct task *t)
{
	static const char *const words[TASK_COUNT] = {
		"nothing", "write",           "create",  "revert",
		"delete",  "delete-tree",     "rename",  "clone",
		"merge",   "merge-at-parent", "compact", "resize",
		"rebase",  "relink",          "new",     "convert"};

	(void)snprintf(ret, ret_size, "%s %s%s%s%s%s (%u)", words[t->kind],
		       file_name(t->disk), t->name[0] ? " " : "", t->name,
		       t->other[0] ? " " : "", t->other, t->number);
}

/* ---- Choose ---- */

static struct forest_state *
choose_live(struct forest *f)
{
	uint64_t n = 0, k;

	for (size_t i = 0; i < f->n; i++)
		n += f->state[i].live;
	if (!n)
		return NULL;
	k = forest_draw(f, n);
	for (size_t i = 0; i < f->n; i++)
		if (f->state[i].live && !k--)
			return &f->state[i];
	return NULL;
}

static uint32_t
root_of(const struct forest *f, const struct forest_state *s)
{
	while (s->parent)
		s = forest_by_id(f, s->parent);
	return s->id;
}

static bool
is_in_subtree_with_live(const struct forest *f, uint32_t id)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct forest_state *s = &f->state[i];
		bool leaf = !forest_children(f, s->id);

		if (forest_stands_on(f, s, id) &&
		    (s->live || (leaf && !strchr(s->path, '@'))))
			return true;
	}
	return false;
}

/* A frozen state in one tree with a disk. */
static struct forest_state *
choose_frozen(struct forest *f, const struct forest_state *disk)
{
	uint64_t n = 0, k;

	for (size_t i = 0; i < f->n; i++)
		n += !f->state[i].live &&
		     root_of(f, &f->state[i]) == root_of(f, disk);
	if (!n)
		return NULL;
	k = forest_draw(f, n);
	for (size_t i = 0; i < f->n; i++)
		if (!f->state[i].live &&
		    root_of(f, &f->state[i]) == root_of(f, disk) && !k--)
			return &f->state[i];
	return NULL;
}

static void
new_name(char *ret, struct forest *f)
{
	(void)snprintf(ret, FOREST_PATH, "s%u", f->next_name++);
}

static bool
choose_merge(struct task *t, struct forest *f)
{
	const struct forest_state *s = &f->state[forest_draw(f, f->n)];
	const struct forest_state *a = s;
	uint64_t n = 1 + forest_draw(f, 3);

	while (n-- && a->parent && forest_children(f, a->parent) == 1)
		a = forest_by_id(f, a->parent);
	if (a == s || (t->kind == TASK_MERGE_AT_PARENT && strchr(a->path, '@')))
		return false;
	(void)snprintf(t->disk, sizeof(t->disk), "%s", s->path);
	(void)snprintf(t->name, sizeof(t->name), "%s", a->path);
	for (size_t i = 0; i < f->n; i++)
		if (f->state[i].live && &f->state[i] != s &&
		    forest_stands_on(f, &f->state[i], s->id) &&
		    forest_draw(f, 2))
			(void)snprintf(t->other, sizeof(t->other), "%s",
				       f->state[i].path);
	return true;
}

/* What needs a snapshot of the disk. */
static bool
choose_named(struct task *t, struct forest *f, const struct forest_state *live)
{
	const struct forest_state *s = choose_frozen(f, live);

	if (!s)
		return false;
	name_state(t->name, live->path, s);
	switch (t->kind) {
	case TASK_REVERT:
		if (forest_draw(f, 2))
			new_name(t->other, f);
		return forest_depth(f, s) < f->max_depth;
	case TASK_DELETE_TREE:
		return !is_in_subtree_with_live(f, s->id);
	case TASK_RENAME:
		new_name(t->other, f);
		return true;
	case TASK_CLONE:
		(void)snprintf(t->other, sizeof(t->other), "%s/clone%u.vhd",
			       FOREST_DIR, f->next_name++);
		return forest_depth(f, s) < f->max_depth;
	case TASK_REBASE:
		(void)snprintf(t->name, sizeof(t->name), "%s", s->path);
		return live->parent && forest_depth(f, s) < f->max_depth;
	default:
		return true;
	}
}

/* What makes a disk that belongs to no other, or to any. */
static bool
choose_new(struct task *t, struct forest *f)
{
	const struct forest_state *s = &f->state[forest_draw(f, f->n)];

	(void)snprintf(t->other, sizeof(t->other), "%s/new%u.vhd", FOREST_DIR,
		       f->next_name++);
	t->number = 8 + (uint32_t)forest_draw(f, FOREST_SECTORS - 7);
	if (t->kind == TASK_CONVERT)
		(void)snprintf(t->disk, sizeof(t->disk), "%s", s->path);
	else if (!s->live && forest_depth(f, s) < f->max_depth)
		(void)snprintf(t->name, sizeof(t->name), "%s", s->path);
	return f->n < 12;
}

static bool
choose(struct task *t, struct forest *f)
{
	const struct forest_state *live = choose_live(f);

	if (t->kind == TASK_NEW || t->kind == TASK_CONVERT)
		return choose_new(t, f);
	if (t->kind == TASK_MERGE || t->kind == TASK_MERGE_AT_PARENT)
		return choose_merge(t, f);
	if (!live)
		return false;
	(void)snprintf(t->disk, sizeof(t->disk), "%s", live->path);
	switch (t->kind) {
	case TASK_WRITE:
		t->number = 1 + (uint32_t)forest_draw(f, 6);
		return true;
	case TASK_CREATE:
		new_name(t->name, f);
		t->number = (uint32_t)forest_draw(f, 5);
		return forest_depth(f, live) < f->max_depth;
	case TASK_COMPACT:
		t->number = (uint32_t)forest_draw(f, 2);
		return true;
	case TASK_RESIZE:
		t->number = 8 + (uint32_t)forest_draw(f, FOREST_SECTORS - 7);
		return true;
	case TASK_RELINK:
		return true;
	default:
		return choose_named(t, f, live);
	}
}

void
task_choose(struct task *ret, struct forest *f, enum task_kind kind)
{
	*ret = (struct task){.kind = kind};
	if (!f->n || !choose(ret, f))
		*ret = (struct task){.kind = TASK_NONE};
}

/* One in a hundred is which; few clones, as each is one more tree's worth. */
void
task_choose_any(struct task *ret, struct forest *f)
{
	static const uint8_t weight[TASK_COUNT] = {
		[TASK_WRITE] = 30,          [TASK_CREATE] = 22,
		[TASK_REVERT] = 8,          [TASK_DELETE] = 16,
		[TASK_DELETE_TREE] = 2,     [TASK_RENAME] = 4,
		[TASK_CLONE] = 2,           [TASK_MERGE] = 6,
		[TASK_MERGE_AT_PARENT] = 1, [TASK_COMPACT] = 3,
		[TASK_RESIZE] = 3,          [TASK_REBASE] = 2,
		[TASK_RELINK] = 1,
	};
	uint64_t at;
	unsigned kind = 0;

	if (f->copies && forest_draw(f, 5) == 0) {
		kind = forest_draw(f, 2) ? TASK_NEW : TASK_CONVERT;
		task_choose(ret, f, (enum task_kind)kind);
		return;
	}
	at = forest_draw(f, 100);
	while (at >= weight[kind])
		at -= weight[kind++];
	task_choose(ret, f, (enum task_kind)kind);
}

/* ---- Run ---- */

struct watcher {
	struct forest *f;
	struct chain *c;
	struct forest_state *s; /* NULL: no guest */
};

/* Between the steps of a job guests go on, and somebody may lose patience. */
static int
on_progress(const struct vhd_progress *p, void *user)
{
	struct watcher *w = user;

	(void)p;
	if (w->s && w->f->guests && !w->f->why[0])
		guest_act(w->f, w->c, w->s);
	return w->f->cancel && forest_draw(w->f, 6) == 0;
}

/* After a failed write nobody knows. */
static int
finish_chain(const struct forest *f, struct chain *c, struct forest_state *s,
	     int err)
{
	bool clean = !chain_close_after(c, 0);

	if (clean && s && !f->why[0])
		guest_settle(s);
	return err ? err : (clean ? 0 : VHD_E_IO);
}

static int
run_write(struct forest *f, const struct task *t, struct chain *c,
	  struct forest_state *s)
{
	for (uint32_t i = 0; i < t->number && !f->why[0]; i++)
		guest_act(f, c, s);
	return f->why[0] ? VHD_E_IO : 0;
}

/* Of a disk in use. */
static int
run_live_create(struct forest *f, const struct task *t, struct chain *c,
		struct forest_state *s)
{
	int err = f->guests ? run_write(f, t, c, s) : 0;

	return err ? err : snapshot_create_live(c, t->name);
}

/* Which layer has that path; or else, as a merge was interrupted, the lowest of
 * those with a hidden name right below. */
static int
find_layer(uint32_t *ret, const struct chain *c, uint32_t layer,
	   const char *path)
{
	uint32_t found = layer;

	while (found + 1 < c->depth && c->layers[found + 1].renamed)
		found++;
	for (uint32_t i = layer + 1; i < c->depth; i++)
		if (!strcmp(c->layers[i].path, path))
			found = i;
	*ret = found;
	return found > layer ? 0
			     : fail(VHD_E_NOTFOUND,
				    "%s is not among the parents", path);
}

static uint32_t
layer_at(const struct chain *c, const char *path)
{
	for (uint32_t i = 1; i < c->depth; i++)
		if (!strcmp(c->layers[i].path, path))
			return i;
	return 0;
}

/* The layer is there no more, as what was merged into only has to take its
 * path: then whoever serves the disk finishes that. */
static int
finish_merges(const struct task *t, struct chain *c,
	      const struct vhd_merge_opts *o)
{
	size_t finished;
	int err = snapshot_finish_live(&finished, c, o);

	return err ? err
		   : fail(VHD_E_NOTFOUND, "%s is not among the parents",
			  t->disk);
}

static int
run_merge(const struct task *t, struct chain *c, struct vhd_job_opts *job)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	int err;

	o.job = job;
	o.layer = layer_at(c, t->disk);
	if (t->other[0] && !o.layer)
		return finish_merges(t, c, &o);
	err = find_layer(&o.into, c, o.layer, t->name);
	if (t->kind == TASK_MERGE_AT_PARENT)
		o.flags = VHD_MERGE_AT_PARENT;
	return err ? err : job_merge(c, &o);
}

static int
run_on_chain(struct forest *f, const struct task *t)
{
	bool merge = t->kind == TASK_MERGE || t->kind == TASK_MERGE_AT_PARENT;
	const char *path = merge && t->other[0] ? t->other : t->disk;
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct forest_state *s = forest_at(f, path);
	struct watcher w = {.f = f};
	int err;

	if (!s || !s->live)
		opts.flags |= VHD_OPEN_CHILDREN_OK;
	err = tree_open(&w.c, f->fs, path, &opts);
	if (err)
		return err;
	w.s = s && s->live && t->kind != TASK_REBASE && t->kind != TASK_RESIZE
		      ? s
		      : NULL;
	job.progress = on_progress;
	job.progress_user = &w;
	if (t->kind == TASK_WRITE)
		err = run_write(f, t, w.c, s);
	else if (t->kind == TASK_CREATE)
		err = run_live_create(f, t, w.c, s);
	else if (t->kind == TASK_COMPACT)
		err = job_compact(
			w.c, t->number ? VHD_COMPACT_REPACK : VHD_COMPACT_PUNCH,
			&job);
	else if (t->kind == TASK_RESIZE)
		err = job_resize(w.c, t->number * 512ull, VHD_RESIZE_SHRINK,
				 &job);
	else if (t->kind == TASK_REBASE)
		err = job_rebase(w.c, t->name, 0, &job);
	else
		err = run_merge(t, w.c, &job);
	return finish_chain(f, w.c, s, err);
}

static int
run_new(struct forest *f, const struct task *t)
{
	struct vhd_create_opts o = VHD_CREATE_OPTS_INIT;

	o.block_size = 4096u << t->number % 2;
	if (t->name[0])
		o.parent = t->name;
	else
		o.virtual_size = t->number * 512ull;
	if (!t->name[0] && t->number % 3 == 0)
		o.type = VHD_TYPE_FIXED;
	return job_create(f->fs, t->other, &o);
}

static int
run_convert(struct forest *f, const struct task *t)
{
	struct vhd_convert_opts o = VHD_CONVERT_OPTS_INIT;
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct chain_opts opts = {0};
	struct watcher w = {.f = f};
	int err = chain_open(&w.c, f->fs, t->disk, &opts);

	if (err)
		return err;
	job.progress = on_progress;
	job.progress_user = &w;
	o.job = &job;
	o.block_size = 4096u << t->number % 2;
	if (t->number % 3 == 0)
		o.type = VHD_TYPE_FIXED;
	err = job_convert(w.c, f->fs, t->other, &o);
	return chain_close_after(w.c, err);
}

static int
run_snapshot(struct disk_place *d, const struct task *t)
{
	switch (t->kind) {
	case TASK_CREATE:
		return snapshot_create(d, t->name);
	case TASK_REVERT:
		return snapshot_revert(d, t->name,
				       t->other[0] ? t->other : NULL);
	case TASK_RENAME:
		return snapshot_rename(d, t->name, t->other);
	case TASK_CLONE:
		return snapshot_clone(d, t->name, t->other);
	default:
		return snapshot_delete(d, t->name);
	}
}

static int
run_on_tree(struct forest *f, const struct task *t)
{
	struct vhd_snapshot_opts opts = VHD_SNAPSHOT_OPTS_INIT;
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct watcher w = {.f = f};
	struct disk_place d;
	int err;

	job.progress = on_progress;
	job.progress_user = &w;
	opts.job = &job;
	if (t->kind == TASK_DELETE_TREE)
		opts.flags |= VHD_SNAPSHOT_SUBTREE;
	err = disk_place_init(&d, f->fs, t->disk, &opts);
	if (err)
		return err;
	err = run_snapshot(&d, t);
	disk_place_free(&d);
	return err;
}

int
task_run(struct forest *f, const struct task *t)
{
	if (t->kind == TASK_CREATE)
		return t->number ? run_on_chain(f, t) : run_on_tree(f, t);
	switch (t->kind) {
	case TASK_NONE:
	case TASK_COUNT:
		return 0;
	case TASK_WRITE:
	case TASK_MERGE:
	case TASK_MERGE_AT_PARENT:
	case TASK_COMPACT:
	case TASK_RESIZE:
	case TASK_REBASE:
		return run_on_chain(f, t);
	case TASK_NEW:
		return run_new(f, t);
	case TASK_CONVERT:
		return run_convert(f, t);
	case TASK_RELINK:
		return tree_relink(f->fs, FOREST_DIR, NULL, 0, false, NULL,
				   NULL);
	default:
		return run_on_tree(f, t);
	}
}
