/* SPDX-License-Identifier: BSD-3-Clause */
/* delete_live.c - delete a state that a disk stands on which is served.
 *
 * The layer above the state is served in the chain that guests use: pushed
 * into the state by a merge, or given what it needs by a pull.  Everything
 * else that stands on the state is at rest, and served as for a disk at rest
 * (delete.c).  The chain is taken, so its layers stay. */
#include <string.h>

#include "job/jobs.h"
#include "tree/delete.h"

uint32_t
deletion_live_layer(const struct deletion *x, const char *path)
{
	for (uint32_t i = 0; x->live && i < x->live->depth; i++)
		if (!strcmp(x->live->layers[i].path, path))
			return i;
	return NO_LAYER;
}

static int
push_live(struct deletion *x, uint32_t layer)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;

	o.layer = layer;
	o.into = layer + 1;
	o.search = (const char *const *)x->d->dirs;
	o.nsearch = x->d->ndirs;
	o.job = deletion_part(x);
	return job_merge_held(x->live, &o);
}

/* What was frozen is so again, and has the time by which its own children know
 * it. */
static int
freeze_again(struct chain *c, uint32_t layer, const struct fs_stat *was)
{
	struct layer *l = &c->layers[layer];
	int err = 0;

	chain_stop(c);
	l->img->writable = false;
	chain_resume(c);
	if (!(c->opts.flags & VHD_OPEN_NOLOCK))
		err = l->img->io->ops->lock(l->img->io, IO_LOCK_READ);
	(void)c->fs->ops->set_mtime(c->fs, l->path, was);
	if (l->unmarked)
		(void)c->fs->ops->set_readonly(c->fs, l->path, true);
	l->unmarked = false;
	return err;
}

static int
pull_live(struct deletion *x, const struct heir *h, uint32_t layer)
{
	struct chain *c = x->live;
	struct fs_stat was;
	struct error kept;
	struct job job;
	int err = c->fs->ops->stat(&was, c->fs, h->path);

	if (!err)
		err = chain_make_writable(c, layer);
	if (err)
		return err;
	job_start(&job, deletion_part(x));
	job_beside_guests(&job, c);
	err = job_phase(&job, "pull", h->pull.bytes);
	if (!err)
		err = pull_layer(c, &job, layer);
	x->part_done = job.done;
	job_end_beside(&job);
	if (!layer)
		return err;
	if (!err)
		return freeze_again(c, layer, &was);
	error_save(&kept);
	if (!image_flush(c->layers[layer].img))
		(void)freeze_again(c, layer, &was);
	return error_restore(&kept);
}

int
deletion_serve_live(struct deletion *x, const struct heir *h, uint32_t layer)
{
	int err = deletion_check_stands_on(x->live, layer, x);

	if (err)
		return err;
	return h->push ? push_live(x, layer) : pull_live(x, h, layer);
}
