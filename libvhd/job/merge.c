/* SPDX-License-Identifier: BSD-3-Clause */
/* merge.c - push layers down into an ancestor, and leave one file.
 *
 * A path names a state, and a state that is going away loses its name first:
 * before the first block moves, every file below the merged layer down to the
 * ancestor is renamed to BASE@.merging-UUID (merge_names.c).  Such a file can
 * only be read through its child.  At the end the ancestor's file takes the
 * path of the merged layer, whose state it now holds.
 *
 * Layers are pushed bottom up, each into the ancestor itself, so that every
 * sector travels once. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "job/job.h"
#include "job/jobs.h"
#include "job/merge.h"
#include "job/push.h"

#define SLACK (64u << 20) /* moved but not given back yet, at most */

/* The result has the state of the merged layer: under the name of a snapshot
 * it would be taken for another one. */
static int
check_at_parent(const struct merge *m)
{
	const struct layer *l = &m->c->layers[m->into];
	AUTO_FREE char *name = NULL;
	int err = m->at_parent ? snapshot_name(&name, l->path) : 0;

	if (!err && name)
		err = fail(VHD_E_POLICY,
			   "%s: the result of a merge would be called like "
			   "the snapshot that it is not; leave out --at-parent",
			   l->path);
	return err;
}

static int
check_layers(const struct merge *m)
{
	struct chain *c = m->c;
	int err = job_check_writable(m->job, c);

	if (err)
		return err;
	if (m->into >= c->depth || m->layer >= m->into)
		return fail(VHD_E_INVALID,
			    "%s: a merge of layer %u into layer %u asked for, "
			    "the chain has %u layers",
			    c->layers[0].path, m->layer, m->into, c->depth);
	for (uint32_t i = m->layer; i <= m->into; i++) {
		const struct image *img = c->layers[i].img;

		if (img->io->id.device !=
			    c->layers[m->layer].img->io->id.device &&
		    !m->at_parent)
			return fail(VHD_E_UNSUPPORTED,
				    "%s: is on another file system than %s, "
				    "so it cannot take its place; try: "
				    "--at-parent",
				    c->layers[i].path,
				    c->layers[m->layer].path);
		if (img->io->block_device)
			return fail(VHD_E_UNSUPPORTED,
				    "%s: a block device cannot be renamed, so "
				    "it is not merged; try: vhdtool convert",
				    c->layers[i].path);
		if (img->type != VHD_TYPE_RAW && img->footer.saved_state)
			return fail(VHD_E_POLICY,
				    "%s: a machine was suspended on it; start "
				    "and shut it down first",
				    c->layers[i].path);
	}
	return check_at_parent(m);
}

/* Two directories of this merge, and those the caller named. */
static int
search_dirs(const char ***ret, char *own[2], const struct merge *m, uint32_t i)
{
	const char **dirs = calloc(m->nsearch + 2, sizeof(*dirs));

	own[0] = path_directory(m->c->layers[i].path);
	own[1] = path_directory(m->c->layers[i - 1].path);
	if (!dirs || !own[0] || !own[1]) {
		free(dirs);
		free(own[0]);
		free(own[1]);
		return fail_nomem();
	}
	dirs[0] = own[0];
	dirs[1] = own[1];
	for (size_t k = 0; k < m->nsearch; k++)
		dirs[k + 2] = m->search[k];
	*ret = dirs;
	return 0;
}

/* An empty layer with a hidden name is what an interrupted merge leaves. */
static bool
is_leftover(const struct merge *m, const char *path)
{
	return is_merging_path(path) && merge_is_empty_child(m->c, path);
}

static int
refuse_sibling(const struct merge *m, uint32_t i, const char *sibling,
	       char *own[2])
{
	const struct layer *l = &m->c->layers[i];
	bool one = !strcmp(own[0], own[1]);

	return fail(VHD_E_CHILDREN,
		    "%s: not merged into, because %s stands on it too "
		    "(searched: %s%s%s%s); merge or remove that one first",
		    l->path, sibling, own[0], one ? "" : ", ",
		    one ? "" : own[1],
		    m->nsearch ? ", and those asked for" : "");
}

/* A merge that was stopped at its very end has linked some of what stood on
 * the merged layer, which is empty by then, to the ancestor; since that has a
 * hidden name, nothing else has come to stand on it. */
static bool
is_finishing(const struct merge *m, uint32_t i, const char *sibling)
{
	const struct chain *c = m->c;
	const struct layer *l = &c->layers[i];

	if (i != m->layer + 1 || !l->renamed)
		return false;
	if (merge_was_merged(c, sibling, i)) /* which is finished first */
		return job_dry_run(m->job) && !merge_knows_hidden(c, i);
	return !image_count_blocks(c->layers[m->layer].img);
}

/* Another image on a state that goes away would lose it. */
static int
check_siblings(const struct merge *m, uint32_t i, bool sweep)
{
	const struct chain *c = m->c;
	const char **dirs = NULL;
	char *own[2] = {NULL, NULL}, **paths;
	size_t n;
	int err;

	if (c->layers[i].img->type == VHD_TYPE_RAW || merge_only_unlinks(m))
		return 0;
	err = search_dirs(&dirs, own, m, i);
	if (err)
		return err;
	err = family_children(&paths, &n, c->fs, dirs, m->nsearch + 2,
			      c->layers[i].img->footer.uuid,
			      c->layers[i - 1].path);
	if (!err) {
		for (size_t k = 0; k < n && !err; k++) {
			if (!is_leftover(m, paths[k]))
				err = is_finishing(m, i, paths[k])
					      ? 0
					      : refuse_sibling(m, i, paths[k],
							       own);
			else if (sweep)
				err = fs_remove(c->fs, paths[k]);
		}
		family_free_paths(paths, n);
	}
	free(dirs);
	free(own[0]);
	free(own[1]);
	return err;
}

/* Before anything is changed that an image there may stand on: that it does no
 * more is durable, too (P14).  Directories of the layers come with hiding. */
static int
sync_searched(const struct merge *m)
{
	int err = 0;

	for (size_t i = 0; i < m->nsearch && !err; i++)
		err = fs_sync_names(m->c->fs, m->search[i]);
	return err;
}

static int
check_all_siblings(const struct merge *m, bool sweep)
{
	int err = sweep ? sync_searched(m) : 0;

	for (uint32_t i = m->layer + 1; i <= m->into && !err; i++)
		err = check_siblings(m, i, sweep);
	return err;
}

/* Tried behind the end, where nobody may put anything meanwhile. */
static bool
can_punch(struct image *img)
{
	int err;

	pthread_mutex_lock(&img->lock);
	err = img->io->ops->punch(img->io, img->file_size, SECTOR_SIZE);
	pthread_mutex_unlock(&img->lock);
	return err != VHD_E_UNSUPPORTED;
}

/* What is copied is given back from the child as it goes, but for one batch;
 * where holes cannot be punched all of it is extra. */
static int
plan(struct merge *m, struct vhd_plan *ret, bool dry_run)
{
	struct chain *c = m->c;
	struct image *to = c->layers[m->into].img;
	uint64_t size = max_u64(c->layers[m->layer].img->size, to->size);
	struct push_size need;
	int err = push_measure(&need, c, m->layer, m->into);

	if (!err)
		err = image_length_after(&ret->final_size, to, size,
					 need.new_blocks);
	if (err)
		return err;
	ret->bytes_to_copy = need.bytes;
	ret->peak_extra = need.bytes + need.new_blocks * 4096;
	if (dry_run || can_punch(c->layers[m->layer].img))
		ret->peak_extra =
			min_u64(need.bytes, SLACK) + need.new_blocks * 4096;
	err = c->fs->ops->free_space(&ret->free, c->fs,
				     c->layers[m->into].path);
	ret->fits = ret->peak_extra <= ret->free;
	m->bytes = need.bytes;
	m->added = need.added;
	return err;
}

static int
make_writable(struct merge *m)
{
	int err = 0;

	for (uint32_t i = m->layer; i <= m->into && !err; i++)
		err = chain_make_writable(m->c, i);
	if (!err && m->layer > 0)
		err = chain_make_writable(m->c, m->layer - 1);
	return err;
}

/* Past the end of layer i nothing below it shows.  So the ancestor gets that
 * size too: before the push it grows, if need be, and after it is cut. */
static int
fit_size(struct merge *m, uint32_t i, bool before)
{
	struct image *to = m->c->layers[i + 1].img;
	uint64_t size = m->c->layers[i].img->size;

	if (before ? to->size >= size : to->size == size)
		return 0;
	return chain_resize_layer(m->c, i + 1, size);
}

static int
push_one(struct merge *m, uint32_t i)
{
	int err = fit_size(m, i, true);

	if (!err)
		err = push_layer(m->c, m->job, i, m->layer ? m->layer : 1,
				 m->added);
	return err ? err : fit_size(m, i, false);
}

/* From the layer above the ancestor up to the merged one. */
static int
push_all(struct merge *m)
{
	int err = 0;

	while (!err && m->into > m->layer + 1) {
		err = push_one(m, m->into - 1);
		if (!err)
			err = merge_skip_layer(m, m->into - 1);
		if (!err)
			m->into--;
	}
	return err ? err : push_one(m, m->layer);
}

static int
run(struct merge *m)
{
	int err = make_writable(m);

	if (!err)
		err = check_all_siblings(m, true);
	if (!err)
		err = chain_flush(m->c);
	if (!err)
		err = merge_hide_names(m);
	if (!err)
		err = job_phase(m->job, "merge", m->bytes);
	if (!err)
		err = push_all(m);
	return err ? err : merge_finish(m);
}

int
merge_carry_out(struct merge *m)
{
	struct vhd_plan p = VHD_PLAN_INIT;
	int err = check_layers(m);

	if (!err)
		err = check_all_siblings(m, false);
	if (!err)
		err = plan(m, &p, job_dry_run(m->job));
	/* One that was begun goes on as far as there is space. */
	if (!err && m->c->layers[m->into].renamed && !job_dry_run(m->job))
		p.fits = true;
	if (!err)
		err = job_plan(m->job, m->c->layers[m->into].path, &p);
	if (err || job_dry_run(m->job))
		return err;
	err = run(m);
	if (err) {
		struct error kept;

		error_save(&kept);
		for (uint32_t i = 0; i < m->c->depth; i++)
			m->c->layers[i].img->vanishing = false;
		push_end(m->c);
		return error_restore(&kept);
	}
	job_finish(m->job);
	return 0;
}

int
job_merge_held(struct chain *c, const struct vhd_merge_opts *opts)
{
	struct job job;
	struct merge m = {.c = c,
			  .job = &job,
			  .layer = opts->layer,
			  .into = opts->into ? opts->into : opts->layer + 1,
			  .at_parent = opts->flags & VHD_MERGE_AT_PARENT,
			  .search = opts->search,
			  .nsearch = opts->search ? opts->nsearch : 0};
	size_t finished;
	int err;

	job_start(&job, opts->job);
	job_beside_guests(&job, c);
	err = check_layers(&m);
	if (!err && !job_dry_run(&job))
		err = merge_finish_others(&finished, &m);
	if (!err)
		err = merge_carry_out(&m);
	job_end_beside(&job);
	merge_free(&m);
	return err;
}

int
job_merge(struct chain *c, const struct vhd_merge_opts *opts)
{
	int err = job_take(c);

	if (err)
		return err;
	err = job_merge_held(c, opts);
	job_leave(c);
	return err;
}
