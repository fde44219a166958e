/* SPDX-License-Identifier: BSD-3-Clause */
/* two_names.c - files that have two names because something was interrupted
 * when one was about to go.
 *
 * One of them stays: what stands on the file is linked to that, and the other
 * one is removed.  A file that is locked is still being worked on. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "chain/touched.h"
#include "tree/snapshot.h"

/* ---- The names of a file ---- */

struct names {
	const struct disk_place *d;
	struct io_id id;
	char **path;
	size_t n;
};

static int
keep_same(const char *name, void *user)
{
	struct names *names = user;
	const struct fs *fs = names->d->fs;
	AUTO_FREE char *path = path_join(names->d->dirs[0], name);
	struct fs_stat st;
	char **more;

	if (!path)
		return fail_nomem();
	if (name[0] == '.' || is_merging_path(path) ||
	    fs->ops->stat(&st, fs, path) != 0 || !io_id_equal(st.id, names->id))
		return 0;
	more = realloc(names->path, (names->n + 1) * sizeof(*more));
	if (!more)
		return fail_nomem();
	names->path = more;
	more[names->n++] = TAKE(path);
	return 0;
}

/* Those that people know, in the disk's directory. */
static int
names_of(struct names *ret, const struct disk_place *d,
	 const struct fs_stat *st)
{
	struct names names = {.d = d, .id = st->id};
	int err = d->fs->ops->list(d->fs, d->dirs[0], keep_same, &names);

	if (err)
		family_free_paths(names.path, names.n);
	else
		*ret = names;
	return err;
}

/* ---- Leave one ---- */

static bool
is_unused(const struct disk_place *d, const char *path)
{
	const struct fs *fs = d->fs;
	struct io *io;
	bool unused;

	if (fs->ops->open(&io, fs, path, FS_OPEN_NOFOLLOW) != 0)
		return false;
	unused = io->ops->lock(io, IO_LOCK_WRITE) == 0;
	(void)io_close(io);
	return unused;
}

static int
link_one(const struct disk_place *d, const char *child, const char *path)
{
	struct chain_opts alone = {.flags =
					   VHD_OPEN_NOPARENT | VHD_OPEN_NOLOCK};
	bool live = !strcmp(child, d->path);
	struct chain_opts opts = {.flags = VHD_OPEN_NOPARENT};
	struct touched t;
	struct chain *parent;
	int err;

	if (live) /* the lock on it is ours */
		opts.flags |= VHD_OPEN_NOLOCK;
	err = touched_open(&t, d->fs, child, !live, &opts);
	if (err)
		return err;
	err = chain_open(&parent, d->fs, path, &alone);
	if (!err) {
		err = chain_link(d->fs, t.chain->layers[0].img, child, path,
				 parent->layers[0].img);
		err = chain_close_after(parent, err);
	}
	return touched_close(&t, err, false);
}

static int
link_children(const struct disk_place *d, const char *path)
{
	struct peek peek;
	char **paths;
	size_t n;
	int err = image_peek(&peek, d->fs, path, 0);

	if (!err)
		err = children_find(&paths, &n, d, path,
				    peek.found.footer.uuid);
	if (err)
		return err;
	for (size_t i = 0; i < n && !err; i++)
		err = link_one(d, paths[i], path);
	family_free_paths(paths, n);
	return err;
}

/* *ret is false when somebody is at work on it, or on what stands on it. */
static int
leave_one(bool *ret, const struct disk_place *d, const char *keep,
	  const char *drop)
{
	int err;

	*ret = false;
	if (!is_unused(d, keep))
		return 0;
	err = link_children(d, keep);
	if (err == VHD_E_BUSY)
		return 0;
	if (!err)
		err = fs_remove(d->fs, drop);
	*ret = !err;
	return err;
}

/* Blocks are moved only after the file has lost its own name. */
int
settle_merge_name(const struct disk_place *d, const char *path,
		  const struct fs_stat *st)
{
	struct names names = {0};
	bool done;
	int err;

	if (st->links < 2)
		return 0;
	err = names_of(&names, d, st);
	if (!err && names.n == 1)
		err = leave_one(&done, d, names.path[0], path);
	family_free_paths(names.path, names.n);
	return err;
}

static bool
is_snapshot_of(const struct disk_place *d, const char *path)
{
	AUTO_FREE char *disk = disk_path(path);

	return disk && strcmp(disk, path) != 0 && !strcmp(disk, d->path);
}

/* The mark is there from before the new name until after the old one. */
static int
settle_marked(const struct disk_place *d, const char *mark,
	      const struct fs_stat *st)
{
	struct names names = {0};
	bool done = true;
	int err = names_of(&names, d, st);

	if (!err && names.n == 2) {
		bool second = !is_snapshot_of(d, names.path[0]);

		err = leave_one(&done, d, names.path[second],
				names.path[!second]);
	}
	family_free_paths(names.path, names.n);
	if (err || !done || st->links < 2)
		return err;
	return fs_remove(d->fs, mark);
}

int
settle_rename(const struct disk_place *d)
{
	AUTO_FREE char *mark = snapshot_rename_mark(d->path);
	struct fs_stat st;

	if (!mark)
		return fail_nomem();
	if (d->fs->ops->stat(&st, d->fs, mark) != 0)
		return 0;
	return settle_marked(d, mark, &st);
}
