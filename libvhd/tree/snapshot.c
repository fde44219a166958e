/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.c - take a snapshot, of a disk at rest or in use.
 *
 *	1 an empty child, complete and durable, under a temporary name
 *	2 the disk's file gets the snapshot's name as well; durable
 *	3 what guests wrote is made durable while they go on, until little is
 *	  left; then they wait: the rest is made durable, the child is renamed
 *	  over the disk's path, and the chain goes on with it
 *	4 the rename is durable before any flush is answered again
 *
 * Until 3 the disk is what it was, with one more name (undone by settle.c);
 * after it the snapshot is complete.  Where files cannot have two names, the
 * child gets the snapshot's name and the two names are exchanged. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "image/mutant.h"
#include "job/jobs.h"
#include "tree/snapshot.h"

#define QUICK_FLUSH_MS 5 /* not worth another one */

struct taking {
	struct chain *c;
	const char *disk;     /* path of the live disk */
	const char *snapshot; /* path that its file gets */
	const char *temp;     /* of the child; NULL once it has another */
	struct image *child;
	bool named;    /* there is a file at snapshot, by us */
	bool exchange; /* no hard links here */
	bool switched;
};

static int
check_chain(const struct chain *c)
{
	const struct layer *l = &c->layers[0];

	if (!c->writable)
		return fail(VHD_E_READONLY, "%s: opened for reading only",
			    c->name);
	if (l->img->type == VHD_TYPE_RAW || l->img->io->block_device)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: snapshots need a VHD in a regular file",
			    c->name);
	if (c->depth >= c->opts.max_depth)
		return fail(VHD_E_TOOBIG,
			    "%s: the chain has %u images already, the most "
			    "that are opened; delete a snapshot first",
			    c->name, c->depth);
	return 0;
}

/* Step 2. */
static int
second_name(struct taking *t)
{
	const struct fs *fs = t->c->fs;
	int err = fs->ops->link(fs, t->disk, t->snapshot);

	if (err == VHD_E_UNSUPPORTED) {
		t->exchange = true;
		err = fs->ops->rename(fs, t->temp, t->snapshot);
		if (!err)
			t->temp = NULL;
	}
	if (err)
		return err;
	t->named = true;
	if (mutant(SECOND_NAME_NOT_SYNCED))
		return 0;
	return fs->ops->sync_dir(fs, t->snapshot);
}

static int
exchange_names(const struct taking *t)
{
	const struct fs *fs = t->c->fs;
	int err = fs->ops->exchange(fs, t->snapshot, t->disk);

	if (err != VHD_E_UNSUPPORTED)
		return err;
	return fail(VHD_E_UNSUPPORTED,
		    "%s: the file system can neither give a file two names "
		    "nor exchange two names, so no snapshot was taken; try: "
		    "vhdtool convert, to a file system that can",
		    t->c->name);
}

/* A merge that was stopped may have left a parent with data of its own. */
static int
flush_layers(struct chain *c)
{
	int err = 0;

	for (uint32_t i = c->depth; i-- > 0 && !err;)
		if (c->layers[i].img->writable)
			err = image_flush(c->layers[i].img);
	return err;
}

/* Step 3, guests waiting. */
static int
switch_over(struct taking *t, struct new_leaf *leaf)
{
	struct chain *c = t->c;
	const struct fs *fs = c->fs;
	int err = mutant(SNAPSHOT_UNFLUSHED) ? 0 : flush_layers(c);

	if (!err)
		err = t->exchange ? exchange_names(t)
				  : fs->ops->rename(fs, t->temp, t->disk);
	if (err)
		return err;
	chain_add_leaf(c, leaf, TAKE(t->child));
	t->switched = true;
	return 0;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The longer a flush took the more was written meanwhile, so another one is
 * shorter; that a guest writes faster than the disk is no reason to go on. */
static int
flush_ahead(struct chain *c)
{
	int64_t took = INT64_MAX, last;
	int err = 0;

	do {
		int64_t begin = now_ms();

		err = chain_flush(c);
		last = took;
		took = now_ms() - begin;
	} while (!err && took > QUICK_FLUSH_MS && took < last);
	return err;
}

static int
switch_held(struct taking *t)
{
	struct chain *c = t->c;
	struct new_leaf leaf;
	int err = flush_ahead(c);

	if (!err)
		err = chain_prepare_leaf(&leaf, c, t->disk, t->snapshot);
	if (err)
		return err;
	chain_hold_flush(c);
	gate_close_all(&c->gate);
	err = switch_over(t, &leaf);
	map_forget_all(&c->map);
	gate_open_all(&c->gate);
	if (!err && !mutant(SNAPSHOT_NOT_SYNCED))
		err = c->fs->ops->sync_dir(c->fs, t->disk);
	if (err && t->switched) /* what has no name for sure is not answered */
		c->layers[0].img->failed = true;
	chain_release_flush(c);
	chain_forget_leaf(&leaf);
	return err;
}

static int
undo(struct taking *t)
{
	const struct fs *fs = t->c->fs;
	struct error kept;

	error_save(&kept);
	if (t->named)
		(void)fs->ops->unlink(fs, t->snapshot);
	if (t->temp)
		(void)fs->ops->unlink(fs, t->temp);
	(void)fs->ops->sync_dir(fs, t->disk);
	(void)image_close(t->child);
	return error_restore(&kept);
}

/* What was live is frozen: it says when, others may read it, it has no spare
 * room, and is marked so that nobody writes to it by mistake.  A merge will
 * open it for writing by itself. */
static int
freeze(struct chain *c)
{
	struct layer *l = &c->layers[1];
	int64_t now = time(NULL) - VHD_EPOCH;
	int err;

	chain_stop(c);
	l->img->writable = false;
	chain_resume(c);
	err = image_set_time(l->img, now > 0 ? (uint32_t)now : 0,
			     l->img->footer.reserved[0]);
	if (!err)
		err = image_tidy(l->img);
	if (!err && !(c->opts.flags & VHD_OPEN_NOLOCK))
		err = l->img->io->ops->lock(l->img->io, IO_LOCK_READ);
	(void)c->fs->ops->set_readonly(c->fs, l->path, true);
	return err;
}

static int
take(struct taking *t)
{
	struct chain *c = t->c;
	int err = c->fs->ops->copy_attributes(c->fs, t->disk, t->temp);

	if (!err)
		err = chain_open_image(&t->child, c, t->temp, true, false);
	if (!err)
		err = second_name(t);
	if (!err)
		err = switch_held(t);
	if (err && !t->switched)
		return undo(t);
	return err ? err : freeze(c);
}

static int
take_locked(struct chain *c, const char *name)
{
	AUTO_FREE char *disk = strdup(c->layers[0].path);
	AUTO_FREE char *snapshot = NULL, *temp = NULL;
	struct taking t = {.c = c, .disk = disk};
	int err = disk ? check_chain(c) : fail_nomem();

	if (!err)
		err = snapshot_new_path(&snapshot, c->fs, disk, disk, name);
	if (!err)
		err = snapshot_child(&temp, c->fs, disk, snapshot,
				     c->layers[0].img);
	if (err)
		return err;
	t.snapshot = snapshot;
	t.temp = temp;
	return take(&t);
}

static int
take_alone(struct chain *c, const char *name)
{
	int err = job_take(c);

	if (err)
		return err;
	err = take_locked(c, name);
	job_leave(c);
	return err;
}

/* The chain has the disk locked. */
static int
settle(const struct chain *c)
{
	struct vhd_snapshot_opts opts = VHD_SNAPSHOT_OPTS_INIT;
	struct disk_place d;
	int err;

	opts.search = c->opts.search;
	opts.nsearch = c->opts.nsearch;
	err = disk_place_init(&d, c->fs, c->layers[0].path, &opts);
	if (err)
		return err;
	err = snapshot_settle(&d);
	disk_place_free(&d);
	return err;
}

/* What is to be settled is only known while nobody is at work. */
int
snapshot_create_live(struct chain *c, const char *name)
{
	int busy = job_take(c), err; /* P27 */

	if (busy && !mutant(SNAPSHOT_IN_PUSH))
		return busy;
	err = settle(c);
	if (!err)
		err = take_locked(c, name);
	if (!busy)
		job_leave(c);
	return err;
}

int
snapshot_create(struct disk_place *d, const char *name)
{
	struct chain_opts opts = disk_chain_opts(d, VHD_OPEN_RDWR);
	struct chain *c;
	int err = snapshot_begin_quick(d);

	disk_let_go(d);
	if (!err)
		err = chain_open(&c, d->fs, d->path, &opts);
	return err ? err : chain_close_after(c, take_alone(c, name));
}
