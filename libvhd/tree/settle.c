/* SPDX-License-Identifier: BSD-3-Clause */
/* settle.c - finish or undo what an interrupted command left.
 *
 * What can be found tells by itself what it is:
 *	a file under a temporary name that nobody has locked: it goes
 *	a snapshot's name on the file of the live disk itself: a snapshot that
 *		was not taken yet; the name goes
 *	an empty image, called as its own parent should be: a snapshot by
 *		exchange that was not taken yet; it goes
 *	a merge's name on a file that still has its own: a merge that moved
 *		nothing yet; its name goes, the child is linked back
 *	two snapshots' names on one file: a renaming between its steps; one
 *		stays, and every child is linked to it
 *	a snapshot that is not marked as read-only: it is marked
 * The live disk is locked by the caller.  What somebody else has locked is
 * not interrupted, but under way, and left alone. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "chain/touched.h"
#include "tree/snapshot.h"

struct seen {
	char *path;
	struct fs_stat st;
	bool gone;
};

struct settle {
	const struct disk_place *d;
	struct fs_stat live;
	struct seen *seen; /* snapshots of the disk, and merges */
	size_t n;
};

static bool
same(const struct fs_stat *a, const struct fs_stat *b)
{
	return a->id.device == b->id.device && a->id.inode == b->id.inode;
}

static int
remove_name(const struct settle *s, const char *path)
{
	const struct fs *fs = s->d->fs;
	int err = fs->ops->unlink(fs, path);

	return err ? err : fs->ops->sync_dir(fs, path);
}

/* ---- What is there ---- */

static bool
is_temporary(const char *name)
{
	size_t n = strlen(name), tail = strlen(PARTIAL_SUFFIX);

	return !strncmp(name, ".vhd-", 5) && n > tail &&
	       !strcmp(name + n - tail, PARTIAL_SUFFIX);
}

/* Is nobody at work on it? */
static bool
is_unused(const struct settle *s, const char *path)
{
	const struct fs *fs = s->d->fs;
	struct io *io;
	bool unused;

	if (fs->ops->open(&io, fs, path, FS_OPEN_NOFOLLOW) != 0)
		return false;
	unused = io->ops->lock(io, IO_LOCK_WRITE) == 0;
	(void)io_close(io);
	return unused;
}

/* disk@NAME.vhd, or anything that is being merged. */
static bool
is_of_interest(const struct settle *s, const char *path)
{
	AUTO_FREE char *disk = disk_path(path);
	AUTO_FREE char *name = NULL;

	if (is_merging_path(path))
		return true;
	return disk && !strcmp(disk, s->d->path) &&
	       snapshot_name(&name, path) == 0 && name;
}

static int
remember(struct settle *s, const char *path, const struct fs_stat *st)
{
	struct seen *more = realloc(s->seen, (s->n + 1) * sizeof(*more));

	if (!more)
		return fail_nomem();
	s->seen = more;
	more[s->n] = (struct seen){.path = strdup(path), .st = *st};
	if (!more[s->n].path)
		return fail_nomem();
	s->n++;
	return 0;
}

static int
look(const char *name, void *user)
{
	struct settle *s = user;
	const struct fs *fs = s->d->fs;
	AUTO_FREE char *path = path_join(s->d->dirs[0], name);
	struct fs_stat st;

	if (!path)
		return fail_nomem();
	if (is_temporary(name))
		return is_unused(s, path) ? remove_name(s, path) : 0;
	if (!is_of_interest(s, path) || fs->ops->stat(&st, fs, path) != 0 ||
	    !st.regular)
		return 0;
	return remember(s, path, &st);
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->path,
		      ((const struct seen *)b)->path);
}

/* ---- Names that were not meant to stay ---- */

static bool
leads_home(struct image *img, const struct settle *s, const char *path)
{
	char text[MAX_PATH_TEXT];

	for (unsigned i = 0; i < MAX_LOCATORS; i++) {
		AUTO_FREE char *way = NULL, *end = NULL;

		if (!image_locator(text, sizeof(text), img, i, true) ||
		    path_is_absolute(text))
			continue;
		way = path_join(s->d->dirs[0], text);
		if (way && !s->d->fs->ops->resolve(&end, s->d->fs, way) &&
		    !strcmp(end, path))
			return true;
	}
	return false;
}

/* An empty image whose parent should be at its own path. */
static bool
is_untaken(const struct settle *s, const char *path)
{
	const struct fs *fs = s->d->fs;
	char parent[MAX_PATH_TEXT];
	struct image *img;
	struct peek peek;
	struct io *io;
	bool untaken;

	if (image_peek(&peek, fs, path, 0) != 0 ||
	    peek.found.footer.type != VHD_TYPE_DIFFERENCING ||
	    !dynhdr_parent_name(parent, sizeof(parent), &peek.found.hdr) ||
	    strcmp(parent, path_name(path)) != 0 ||
	    fs->ops->open(&io, fs, path, FS_OPEN_NOFOLLOW) != 0 ||
	    image_open(&img, io, 0) != 0)
		return false;
	untaken = !image_count_blocks(img) && leads_home(img, s, path);
	return image_close(img) == 0 && untaken;
}

static int
link_one(const struct settle *s, const char *child, const char *path)
{
	struct chain_opts alone = {.flags =
					   VHD_OPEN_NOPARENT | VHD_OPEN_NOLOCK};
	bool live = !strcmp(child, s->d->path);
	struct chain_opts opts = {.flags = VHD_OPEN_NOPARENT};
	struct touched t;
	struct chain *parent;
	int err;

	if (live) /* the lock on it is ours */
		opts.flags |= VHD_OPEN_NOLOCK;
	err = touched_open(&t, s->d->fs, child, !live, &opts);
	if (err)
		return err;
	err = chain_open(&parent, s->d->fs, path, &alone);
	if (!err) {
		err = chain_link(s->d->fs, t.chain->layers[0].img, child, path,
				 parent->layers[0].img);
		err = chain_close_after(parent, err);
	}
	return touched_close(&t, err, false);
}

static int
link_children(const struct settle *s, const char *path)
{
	struct peek peek;
	char **paths;
	size_t n;
	int err = image_peek(&peek, s->d->fs, path, 0);

	if (!err)
		err = children_find(&paths, &n, s->d, path,
				    peek.found.footer.uuid);
	if (err)
		return err;
	for (size_t i = 0; i < n && !err; i++)
		err = link_one(s, paths[i], path);
	family_free_paths(paths, n);
	return err;
}

/* Of two names of one file, which goes? */
static int
drop_one_of(struct settle *s, const char *keep, struct seen *drop)
{
	int err;

	if (!is_unused(s, keep))
		return 0;
	err = link_children(s, keep);
	if (!err)
		err = remove_name(s, drop->path);
	if (err == VHD_E_BUSY)
		return 0;
	drop->gone = true;
	return err;
}

struct other {
	const struct settle *s;
	const struct seen *of;
	char *found;
};

static int
look_for_other(const char *name, void *user)
{
	struct other *o = user;
	const struct fs *fs = o->s->d->fs;
	AUTO_FREE char *path = path_join(o->s->d->dirs[0], name);
	struct fs_stat st;

	if (!path)
		return fail_nomem();
	if (o->found || !strcmp(path, o->of->path) || is_merging_path(path) ||
	    fs->ops->stat(&st, fs, path) != 0 || !same(&st, &o->of->st))
		return 0;
	o->found = TAKE(path);
	return 0;
}

/* Blocks are moved only after the file has lost its own name. */
static int
settle_merge(struct settle *s, struct seen *seen)
{
	struct other o = {.s = s, .of = seen};
	int err;

	if (seen->st.links < 2)
		return 0;
	err = s->d->fs->ops->list(s->d->fs, s->d->dirs[0], look_for_other, &o);
	if (!err && o.found)
		err = drop_one_of(s, o.found, seen);
	free(o.found);
	return err;
}

static int
settle_one(struct settle *s, size_t i)
{
	struct seen *seen = &s->seen[i];

	if (is_merging_path(seen->path))
		return settle_merge(s, seen);
	if (same(&seen->st, &s->live) || is_untaken(s, seen->path)) {
		seen->gone = true;
		return remove_name(s, seen->path);
	}
	for (size_t k = 0; k < i; k++)
		if (!s->seen[k].gone && same(&seen->st, &s->seen[k].st) &&
		    !is_merging_path(s->seen[k].path))
			return drop_one_of(s, s->seen[k].path, seen);
	if (!seen->st.readonly)
		(void)s->d->fs->ops->set_readonly(s->d->fs, seen->path, true);
	return 0;
}

/* The new file of this very disk. */
static int
drop_temp(const struct settle *s)
{
	AUTO_FREE char *temp = snapshot_temp(s->d->path);
	struct fs_stat st;

	if (!temp)
		return fail_nomem();
	if (s->d->fs->ops->stat(&st, s->d->fs, temp) != 0)
		return 0;
	return remove_name(s, temp);
}

int
snapshot_settle(const struct disk_place *d)
{
	struct settle s = {.d = d};
	int err = d->fs->ops->stat(&s.live, d->fs, d->path);

	if (!err)
		err = drop_temp(&s);
	if (!err)
		err = d->fs->ops->list(d->fs, d->dirs[0], look, &s);
	if (!err && s.n)
		qsort(s.seen, s.n, sizeof(*s.seen), by_path);
	for (size_t i = 0; i < s.n && !err; i++)
		err = settle_one(&s, i);
	for (size_t i = 0; i < s.n; i++)
		free(s.seen[i].path);
	free(s.seen);
	return err;
}
