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
 *	a file with the mark of a renaming and two other names: one of these
 *		stays, and every child is linked to it
 *	a snapshot that is not marked as read-only: it is marked
 * What was finished but for the flush of the directory is flushed first.
 * The live disk is locked by the caller.  What somebody else has locked is
 * not interrupted, but under way, and left alone. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "chain/untaken.h"
#include "image/mutant.h"
#include "tree/snapshot.h"

struct seen {
	char *path;
	struct fs_stat st;
};

struct settle {
	struct disk_place *d;
	struct fs_stat live;
	struct seen *seen; /* snapshots of the disk, and merges */
	size_t n;
};

/* ---- What is there ---- */

/* Those of one disk, which may be called vhd-X, have an @ (child.c). */
static bool
is_temporary(const char *name)
{
	size_t n = strlen(name), tail = strlen(PARTIAL_SUFFIX);

	return !strncmp(name, ".vhd-", 5) && n > tail && !strchr(name, '@') &&
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

/* A directory that others may write to must not make us change what lies
 * elsewhere. */
static bool
is_link(const struct fs *fs, const char *path)
{
	AUTO_FREE char *end = NULL;

	return fs->ops->resolve(&end, fs, path) != 0 || strcmp(end, path) != 0;
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
		return is_unused(s, path) ? fs_remove(s->d->fs, path) : 0;
	if (!is_of_interest(s, path) || fs->ops->stat(&st, fs, path) != 0 ||
	    !st.regular || is_link(fs, path))
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

static int
settle_one(struct settle *s, size_t i)
{
	struct seen *seen = &s->seen[i];

	if (is_merging_path(seen->path)) {
		s->d->has_merges = true;
		return settle_merge_name(s->d, seen->path, &seen->st);
	}
	if (io_id_equal(seen->st.id, s->live.id) ||
	    is_untaken(s->d->fs, seen->path))
		return fs_remove(s->d->fs, seen->path);
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
	return fs_remove(s->d->fs, temp);
}

int
snapshot_settle(struct disk_place *d)
{
	struct settle s = {.d = d};
	int err;

	if (mutant(NOTHING_SETTLED))
		return 0;
	err = d->fs->ops->stat(&s.live, d->fs, d->path);

	if (!err && !mutant(NAMES_UNSYNCED))
		err = d->fs->ops->sync_dir(d->fs, d->path);
	if (!err)
		err = drop_temp(&s);
	if (!err)
		err = settle_rename(d);
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

/* ---- Before a disk is written to ---- */

/* What is not opened as a disk with files beside it. */
#define NOT_SETTLED (VHD_OPEN_RAW | VHD_OPEN_NOPARENT | VHD_OPEN_NOLOCK)

/* Nobody who is told that a snapshot was not taken, or not renamed, should
 * find it beside the disk all the same.  Where that cannot be mended the disk
 * can be opened as well. */
static int
settle_before(const struct fs *fs, const char *path,
	      const struct chain_opts *opts)
{
	struct vhd_snapshot_opts o = VHD_SNAPSHOT_OPTS_INIT;
	AUTO_FREE char *full = NULL, *disk = NULL;
	struct disk_place d;
	int err = fs->ops->resolve(&full, fs, path);

	if (!err) {
		disk = disk_path(full);
		err = disk ? 0 : fail_nomem();
	}
	o.search = opts->search;
	o.nsearch = opts->nsearch;
	if (!err)
		err = disk_place_init(&d, fs, disk, &o);
	if (err)
		return err == VHD_E_NOMEM ? err : 0;
	err = disk_hold(&d);
	if (!err)
		err = snapshot_settle(&d);
	disk_place_free(&d);
	return err == VHD_E_NOMEM ? err : 0;
}

int
tree_open(struct chain **ret, const struct fs *fs, const char *path,
	  const struct chain_opts *opts)
{
	int err = 0;

	if (opts->flags & VHD_OPEN_RDWR && !(opts->flags & NOT_SETTLED))
		err = settle_before(fs, path, opts);
	return err ? err : chain_open(ret, fs, path, opts);
}
