/* SPDX-License-Identifier: BSD-3-Clause */
/* heirs.c - what stands on a state that is to be deleted, and the cheapest way
 * to make it stand without. */
#include <stdlib.h>
#include <string.h>

#include "base/arith.h"
#include "chain/family.h"
#include "tree/delete.h"

static int
find(struct deletion *x, const struct vhd_tree *kin)
{
	char **paths;
	size_t n;
	int err = children_find(&paths, &n, x->d, x->path, x->uuid);

	if (err)
		return err;
	x->heirs = calloc(n + 1, sizeof(*x->heirs));
	if (!x->heirs) {
		family_free_paths(paths, n);
		return fail_nomem();
	}
	for (x->n = 0; x->n < n; x->n++) {
		x->heirs[x->n].path = TAKE(paths[x->n]);
		x->heirs[x->n].frozen =
			kin_has_children(kin, x->heirs[x->n].path);
	}
	family_free_paths(paths, n);
	return 0;
}

/* ---- What it costs ---- */

#define IN_FLIGHT (64u << 20) /* pushed, but not given back yet, at most */

/* Would a push change another state?  A second name that a file has somewhere
 * names one. */
static int
check_push(struct heir *h, const struct deletion *x, const struct chain *c,
	   uint32_t layer)
{
	struct fs_stat state, heir;
	int err = x->d->fs->ops->stat(&state, x->d->fs, x->path);

	if (!err)
		err = x->d->fs->ops->stat(&heir, x->d->fs, h->path);
	if (err)
		return err;
	h->device = heir.id.device;
	h->can_push = state.id.device == heir.id.device && state.links == 1 &&
		      heir.links == 1 &&
		      !c->layers[layer].img->footer.saved_state &&
		      !c->layers[layer + 1].img->footer.saved_state;
	return 0;
}

static int
measure_push(struct heir *h, struct chain *c, uint32_t layer)
{
	struct image *to = c->layers[layer + 1].img;
	uint64_t size = c->layers[layer].img->size;
	int err = push_measure(&h->down, c, layer, layer + 1);

	return err ? err
		   : image_length_after(&h->final, to, max_u64(to->size, size),
					h->down.new_blocks);
}

static int
measure_layer(struct heir *h, const struct deletion *x, struct chain *c,
	      uint32_t layer)
{
	struct io *io = c->layers[layer].img->io;
	int err = deletion_check_stands_on(c, layer, x);

	if (!err)
		err = io->ops->actual_size(&h->actual, io);
	if (!err)
		err = check_push(h, x, c, layer);
	if (!err)
		err = pull_measure(&h->pull, c, layer);
	return err ? err : measure_push(h, c, layer);
}

/* Takes no lock: a dry run may look at what others use, and before the work
 * each file is locked. */
static int
measure_heir(struct heir *h, const struct deletion *x)
{
	struct chain_opts opts = disk_chain_opts(x->d, VHD_OPEN_NOLOCK);
	uint32_t layer = deletion_live_layer(x, h->path);
	struct chain *c;
	int err;

	if (layer != NO_LAYER)
		return measure_layer(h, x, x->live, layer);
	err = chain_open(&c, x->d->fs, h->path, &opts);
	return err ? err : chain_close_after(c, measure_layer(h, x, c, 0));
}

static int
measure(struct deletion *x)
{
	int err = 0;

	for (size_t i = 0; i < x->n && !err; i++)
		err = measure_heir(&x->heirs[i], x);
	return err;
}

uint64_t
heir_bytes(const struct heir *h)
{
	return h->push ? h->down.bytes : h->pull.bytes;
}

static uint64_t
extra_of(const struct heir *h)
{
	return h->push ? min_u64(h->down.bytes, IN_FLIGHT) +
				 h->down.new_blocks * 4096
		       : h->pull.extra;
}

void
deletion_free(struct deletion *x)
{
	for (size_t i = 0; i < x->n; i++)
		free(x->heirs[i].path);
	free(x->heirs);
	free(x->adopted);
}

/* ---- The plan ---- */

void
deletion_tell(const struct deletion *x, enum vhd_step_kind kind,
	      const char *path, uint64_t bytes)
{
	const struct vhd_snapshot_opts *opts = x->d->opts;
	struct vhd_step step = {.kind = kind, .path = path, .bytes = bytes};

	if (opts->step)
		opts->step(&step, opts->step_user);
}

void
deletion_tell_all(const struct deletion *x)
{
	bool pushed = false;

	for (size_t i = 0; i < x->n; i++) {
		const struct heir *h = &x->heirs[i];

		deletion_tell(x,
			      h->push ? VHD_STEP_MERGE_DOWN : VHD_STEP_COPY_UP,
			      h->path, heir_bytes(h));
		pushed |= h->push;
	}
	if (!pushed)
		deletion_tell(x, VHD_STEP_REMOVE, x->path, 0);
}

/* ---- The way ---- */

/* The nth way: all data goes up, or that of heir n - 1, the last to be served,
 * goes down.  False when that cannot be. */
static bool
take_way(struct deletion *x, size_t n)
{
	for (size_t i = 0; i < x->n; i++)
		x->heirs[i].push = false;
	if (n && x->heirs[n - 1].can_push)
		x->heirs[n - 1].push = true;
	return !n || x->heirs[n - 1].push;
}

static void
push_last(struct deletion *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->heirs[i].push) {
			struct heir h = x->heirs[i];

			x->heirs[i] = x->heirs[x->n - 1];
			x->heirs[x->n - 1] = h;
			return;
		}
}

static uint64_t
bytes_of(const struct deletion *x)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < x->n; i++)
		bytes += heir_bytes(&x->heirs[i]);
	return bytes;
}

/* On the file system with the least to spare. */
static int
plan_space(struct vhd_plan *p, const struct deletion *x)
{
	const struct fs *fs = x->d->fs;
	int64_t least = INT64_MAX;
	int err = x->n ? 0 : fs->ops->free_space(&p->free, fs, x->path);

	for (size_t i = 0; i < x->n && !err; i++) {
		uint64_t need = 0, room;

		for (size_t k = 0; k < x->n; k++)
			if (x->heirs[k].device == x->heirs[i].device)
				need += extra_of(&x->heirs[k]);
		err = fs->ops->free_space(&room, fs, x->heirs[i].path);
		if (err || (int64_t)(room - need) >= least)
			continue;
		least = (int64_t)(room - need);
		p->peak_extra = need;
		p->free = room;
	}
	p->fits = p->peak_extra <= p->free;
	return err;
}

/* The way that copies least, of those for which there is room. */
static int
choose_way(struct deletion *x)
{
	uint64_t least = UINT64_MAX, fitting = UINT64_MAX;
	size_t best = 0, way = 0;
	int err = 0;

	for (size_t n = 0; n <= x->n && !err; n++) {
		struct vhd_plan p = VHD_PLAN_INIT;

		if (!take_way(x, n))
			continue;
		err = plan_space(&p, x);
		if (bytes_of(x) < least) {
			least = bytes_of(x);
			best = n;
		}
		if (p.fits && bytes_of(x) < fitting) {
			fitting = bytes_of(x);
			way = n;
		}
	}
	x->second_best = fitting != UINT64_MAX && fitting > least;
	(void)take_way(x, fitting == UINT64_MAX ? best : way);
	push_last(x);
	return err;
}

int
deletion_find_heirs(struct deletion *x, const struct vhd_tree *kin)
{
	int err = find(x, kin);

	if (!err)
		err = measure(x);
	return err ? err : choose_way(x);
}

int
deletion_plan(struct deletion *x)
{
	struct vhd_plan p = VHD_PLAN_INIT;
	int err = plan_space(&p, x);

	p.second_best = x->second_best;
	for (size_t i = 0; i < x->n; i++) {
		const struct heir *h = &x->heirs[i];

		p.bytes_to_copy += heir_bytes(h);
		p.final_size += h->push ? h->final : h->actual + h->pull.extra;
	}
	x->total = p.bytes_to_copy;
	return err ? err : job_plan(&x->job, x->path, &p);
}
