/* SPDX-License-Identifier: BSD-3-Clause */
/* rebase.c - give the leaf another parent and keep what the guest reads.
 *
 * A pull: sectors that the leaf lacks, and in which the new parent differs
 * from the old, are written into the leaf; a flush that began after the last
 * of them makes them durable (P20); only then is the link changed.  The old
 * parent is needed, unchanged, until that is durable (P21).  Stopped at any
 * point, the leaf reads the same on its old parent. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/uuid.h"
#include "image/mutant.h"
#include "job/job.h"
#include "job/jobs.h"
#include "job/known.h"

#define CHUNK (1u << 20)

struct rebase {
	struct chain *c, *parent;
	struct job *job;
	uint8_t *was, *will; /* CHUNK bytes each */
	uint64_t copied;
	bool dry_run, unsafe;
};

static int
check_request(const struct job *job, const struct chain *c)
{
	const struct layer *l = &c->layers[0];
	int err = job_check_writable(job, c);

	if (err)
		return err;
	if (l->img->type != VHD_TYPE_DIFFERENCING)
		return fail(VHD_E_INVALID,
			    "%s: is not differencing, so it has no parent to "
			    "change",
			    l->path);
	return 0;
}

static int
check_parent(const struct chain *c, const struct chain *parent)
{
	for (uint32_t i = 0; i < parent->depth; i++) {
		const struct image *img = parent->layers[i].img;
		const struct image *leaf = c->layers[0].img;

		if (!i && io_id_equal(img->io->id, leaf->io->id))
			return fail(VHD_E_PARENT,
				    "%s: cannot be its own parent",
				    c->layers[0].path);
		if (io_id_equal(img->io->id, leaf->io->id) ||
		    uuid_equal(img->footer.uuid, leaf->footer.uuid))
			return fail(VHD_E_PARENT,
				    "%s: stands on %s, so it cannot be its "
				    "parent",
				    parent->layers[0].path, c->layers[0].path);
	}
	return 0;
}

/* Write the sectors of a run that would read differently. */
static int
keep_run(struct rebase *r, uint64_t offset, uint64_t len)
{
	struct image *leaf = r->c->layers[0].img;
	int err = 0;

	for (uint64_t i = 0, n; i < len && !err; i += n) {
		n = SECTOR_SIZE;
		if (!memcmp(r->was + i, r->will + i, SECTOR_SIZE))
			continue;
		while (i + n < len &&
		       memcmp(r->was + i + n, r->will + i + n, SECTOR_SIZE))
			n += SECTOR_SIZE;
		r->copied += n;
		if (!r->dry_run)
			err = image_pwrite(leaf, r->was + i, (size_t)n,
					   offset + i);
	}
	return err;
}

/* A run of at most CHUNK that the leaf lacks. */
static int
pull_run(struct rebase *r, uint64_t offset, uint64_t len)
{
	int err = chain_read_below(r->c, 1, r->was, (size_t)len, offset);

	if (!err)
		err = chain_read_below(r->parent, 0, r->will, (size_t)len,
				       offset);
	return err ? err : keep_run(r, offset, len);
}

/* Neither parent has anything there. */
static int
both_zero(bool *ret, struct rebase *r, uint64_t offset, uint64_t len)
{
	bool a = false, b = false;
	int err = chain_zero_below(&a, r->c, 1, offset, len);

	if (!err && a)
		err = chain_zero_below(&b, r->parent, 0, offset, len);
	*ret = a && b;
	return err;
}

static int
pull_chunk(struct rebase *r, uint64_t offset, uint64_t len)
{
	uint32_t n = (uint32_t)ceil_div(len, SECTOR_SIZE);
	uint8_t map[CHUNK / SECTOR_SIZE / 8];
	enum presence presence;
	bool zero;
	int err = both_zero(&zero, r, offset, len);

	if (err || zero)
		return err;
	err = image_presence(&presence, map, r->c->layers[0].img,
			     offset >> SECTOR_SHIFT, n);
	for (uint32_t i = 0, run; i < n && !err; i += run) {
		run = bits_run(map, i, n - i);
		if (!bit_get(map, i))
			err = pull_run(r,
				       offset + ((uint64_t)i << SECTOR_SHIFT),
				       (uint64_t)run << SECTOR_SHIFT);
	}
	return err;
}

static int
pull(struct rebase *r)
{
	int err = job_phase(r->job, "compare", r->c->size);

	for (uint64_t at = 0, n; at < r->c->size && !err; at += n) {
		n = min_u64(CHUNK, r->c->size - at);
		err = pull_chunk(r, at, n);
		if (!err)
			err = job_step(r->job, n);
	}
	return err;
}

static int
plan(struct rebase *r)
{
	struct vhd_plan p = VHD_PLAN_INIT;
	const struct layer *l = &r->c->layers[0];
	int err = r->dry_run && !r->unsafe ? pull(r) : 0;

	if (!err)
		err = r->c->fs->ops->free_space(&p.free, r->c->fs, l->path);
	p.bytes_to_copy = r->copied;
	p.peak_extra = r->copied;
	p.final_size = l->img->file_size + r->copied;
	p.fits = p.free >= p.peak_extra;
	return err ? err : job_plan(r->job, l->path, &p);
}

/* The layers of the new parent become the layers below the leaf. */
static int
adopt(struct chain *c, struct chain *parent, struct layer *layers)
{
	uint32_t depth = parent->depth + 1;
	int err = 0;

	chain_stop(c);
	layers[0] = c->layers[0];
	memcpy(layers + 1, parent->layers, parent->depth * sizeof(*layers));
	for (uint32_t i = 1; i < c->depth; i++) {
		if (image_close(c->layers[i].img) != 0 && !err)
			err = VHD_E_IO;
		free(c->layers[i].path);
	}
	free(c->layers);
	c->layers = layers;
	c->depth = depth;
	parent->depth = 0;
	c->no_parent = false;
	chain_resume(c);
	return err;
}

static int
switch_parent(struct rebase *r)
{
	struct chain *c = r->c;
	AUTO_FREE struct layer *layers =
		calloc(r->parent->depth + 1, sizeof(*layers));
	int err = layers ? 0 : fail_nomem();

	if (!err)
		err = mutant(LINK_EARLY) ? 0 : chain_flush(c);

	if (!err)
		err = chain_link_layer(c, 0, r->parent->layers[0].path,
				       r->parent->layers[0].img);
	return err ? err : adopt(c, r->parent, TAKE(layers));
}

static int
rebase_locked(struct rebase *r)
{
	struct known known;
	int err = check_parent(r->c, r->parent);

	if (!err && !r->unsafe)
		err = job_check_parent(r->c);
	if (!err)
		err = plan(r);
	if (err || job_dry_run(r->job))
		return err;
	err = known_begin(&known, r->c);
	if (!err && !r->unsafe)
		err = pull(r);
	if (!err)
		err = switch_parent(r);
	if (!err)
		err = known_end(&known, r->c);
	if (!err)
		job_finish(r->job);
	return err;
}

/* First without locks, because ours on the leaf would be in the way where the
 * leaf is found below the new parent. */
static int
open_parent(struct chain **ret, const struct chain *c, const char *path)
{
	struct chain_opts opts = c->opts;
	struct chain *look;
	int err;

	opts.flags &= ~(uint32_t)(VHD_OPEN_RDWR | VHD_OPEN_NOPARENT);
	opts.flags |= VHD_OPEN_NOLOCK;
	err = chain_open(&look, c->fs, path, &opts);
	if (!err)
		err = chain_close_after(look, check_parent(c, look));
	opts.flags = (opts.flags & ~(uint32_t)VHD_OPEN_NOLOCK) |
		     (c->opts.flags & VHD_OPEN_NOLOCK);
	return err ? err : chain_open(ret, c->fs, path, &opts);
}

/* What is merged into a hidden file is the only way to it. */
static int
finish_merges(struct chain *c, const struct vhd_job_opts *opts)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	size_t finished;

	o.search = c->opts.search;
	o.nsearch = c->opts.nsearch;
	o.job = opts;
	return job_finish_merges(&finished, c, &o);
}

int
job_rebase(struct chain *c, const char *path, uint32_t flags,
	   const struct vhd_job_opts *opts)
{
	AUTO(chain_close) struct chain *parent = NULL;
	AUTO_FREE uint8_t *was = malloc(CHUNK), *will = malloc(CHUNK);
	struct job job;
	struct rebase r = {.c = c,
			   .job = &job,
			   .was = was,
			   .will = will,
			   .unsafe = flags & VHD_REBASE_UNSAFE};
	int err;

	job_start(&job, opts);
	err = check_request(&job, c);
	if (!err && (!was || !will))
		err = fail_nomem();
	if (!err)
		err = job_take(c);
	if (err)
		return err;
	r.dry_run = job_dry_run(&job);
	if (!r.dry_run && !r.unsafe)
		err = finish_merges(c, opts);
	if (!err)
		err = open_parent(&parent, c, path);
	r.parent = parent;
	if (!err)
		err = rebase_locked(&r);
	job_leave(c);
	return err;
}
