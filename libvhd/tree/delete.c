/* SPDX-License-Identifier: BSD-3-Clause */
/* delete.c - delete one state of a tree; every other stays bit for bit.
 *
 *	no child	unlink
 *	one child	push the child down into it, or pull its data up into
 *			the child: whichever moves fewer bytes
 *	several		pull into each
 * Stopped in the middle, the same command carries on: what was pulled into a
 * child has taken that child off the list, and a push is resumed by its
 * hidden name. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "job/jobs.h"
#include "job/pull.h"
#include "job/push.h"
#include "tree/snapshot.h"

struct deletion {
	const struct disk_place *d;
	struct job job;
	char *path; /* of the state that goes */
	char **children;
	size_t n;
	uint64_t bytes; /* to be copied, by pulls */
	bool push;      /* into it instead */
	uint64_t push_bytes;
};

/* A child opened as the leaf of its own chain; what stands on it sees no
 * change. */
static int
open_child(struct chain **ret, const struct deletion *x, size_t i, bool write)
{
	uint32_t flags = write ? VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK : 0;
	struct chain_opts o = {.flags = flags,
			       .max_depth = x->d->opts->max_depth,
			       .search = x->d->opts->search,
			       .nsearch = x->d->opts->nsearch};
	const char *path = x->children[i];
	AUTO_FREE char *name = NULL;
	int err = write ? snapshot_name(&name, path) : 0;

	if (!err && name)
		err = x->d->fs->ops->set_readonly(x->d->fs, path, false);
	return err ? err : chain_open(ret, x->d->fs, path, &o);
}

/* Snapshots are read-only again when their link or data has changed. */
static int
close_child(const struct deletion *x, struct chain *c, size_t i)
{
	AUTO_FREE char *name = NULL;
	int err = chain_close(c);

	if (!err)
		err = snapshot_name(&name, x->children[i]);
	if (!err && name)
		err = x->d->fs->ops->set_readonly(x->d->fs, x->children[i],
						  true);
	return err;
}

/* What each way would cost. */
static int
measure(struct deletion *x)
{
	struct push_size push = {0};
	int err = 0;

	for (size_t i = 0; i < x->n && !err; i++) {
		AUTO(chain_close) struct chain *c = NULL;
		uint64_t bytes;

		err = open_child(&c, x, i, false);
		if (!err)
			err = pull_measure(&bytes, c);
		if (!err && x->n == 1)
			err = push_measure(&push, c, 0, 1);
		if (!err)
			x->bytes += bytes;
	}
	x->push_bytes = push.bytes;
	x->push = x->n == 1 &&
		  (push.bytes < x->bytes || is_merging_path(x->path));
	return err;
}

static int
plan(struct deletion *x)
{
	const struct fs *fs = x->d->fs;
	struct vhd_plan p = VHD_PLAN_INIT;
	struct peek peek;
	int err = image_peek(&peek, fs, x->path, 0);

	if (!err)
		err = fs->ops->free_space(&p.free, fs, x->path);
	p.bytes_to_copy = x->push ? x->push_bytes : x->bytes;
	p.peak_extra = x->push ? min_u64(x->push_bytes, 64u << 20) : x->bytes;
	p.final_size = x->n ? peek.actual_size : 0;
	p.fits = p.peak_extra <= p.free;
	return err ? err : job_plan(&x->job, &p);
}

static int
push_child(struct deletion *x)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	struct chain *c;
	int err = open_child(&c, x, 0, true), closed;

	if (err)
		return err;
	o.search = x->d->opts->search;
	o.nsearch = x->d->opts->nsearch;
	o.job = x->job.opts;
	err = job_merge(c, &o);
	closed = close_child(x, c, 0);
	return err ? err : closed;
}

static int
pull_into(struct deletion *x, size_t i)
{
	struct chain *c;
	int err = open_child(&c, x, i, true), closed;

	if (err)
		return err;
	err = pull_layer(c, &x->job);
	closed = close_child(x, c, i);
	return err ? err : closed;
}

/* Nobody may be reading the state itself. */
static int
remove_file(const struct deletion *x)
{
	const struct fs *fs = x->d->fs;
	struct io *io;
	int err = fs->ops->open(&io, fs, x->path, 0);

	if (err)
		return err;
	err = io->ops->lock(io, IO_LOCK_WRITE);
	if (!err)
		err = fs->ops->unlink(fs, x->path);
	if (!err)
		err = fs->ops->sync_dir(fs, x->path);
	if (io_close(io) != 0 && !err)
		err = VHD_E_IO;
	return err;
}

static int
carry_out(struct deletion *x)
{
	int err = job_phase(&x->job, "delete", x->bytes);

	if (err)
		return err;
	if (x->push)
		return push_child(x);
	for (size_t i = 0; i < x->n && !err; i++)
		err = pull_into(x, i);
	if (!err)
		err = remove_file(x);
	if (!err)
		job_finish(&x->job);
	return err;
}

static int
find_state(struct deletion *x, const char *name)
{
	const struct disk_place *d = x->d;
	struct peek peek;
	int err = snapshot_find(&x->path, d, name);

	if (!err && !strcmp(x->path, d->path))
		err = fail(VHD_E_INVALID,
			   "%s: is the live disk, not a snapshot", d->path);
	if (!err)
		err = image_peek(&peek, d->fs, x->path, 0);
	if (!err)
		err = snapshot_children(&x->children, &x->n, d, x->path,
					peek.found.footer.uuid);
	return err;
}

int
snapshot_delete(const struct disk_place *d, const char *name)
{
	struct deletion x = {.d = d};
	int err =
		d->opts->job && d->opts->job->dry_run ? 0 : snapshot_settle(d);

	job_start(&x.job, d->opts->job);
	if (!err)
		err = find_state(&x, name);
	if (!err)
		err = measure(&x);
	if (!err)
		err = plan(&x);
	if (!err && !job_dry_run(&x.job))
		err = carry_out(&x);
	if (x.children)
		family_free_paths(x.children, x.n);
	free(x.path);
	return err;
}
