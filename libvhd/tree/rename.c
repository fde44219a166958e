/* SPDX-License-Identifier: BSD-3-Clause */
/* rename.c - give a snapshot another name.
 *
 * The file has both names until every image that stands on it is linked to the
 * new one, so that the way to it is right at every instant; and meanwhile a
 * third, which tells that this is going on (settle.c).  All of them, and the
 * file itself, are locked before anything is changed. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "chain/touched.h"
#include "image/mutant.h"
#include "tree/snapshot.h"

struct renaming {
	struct disk_place *d;
	char *old, *new, *mark;
	bool marked, has_both;
	struct image *img;
	struct touched *children;
	size_t n;
};

/* ---- What is asked for ---- */

static int
find_paths(struct renaming *r, const char *name, const char *new_name)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	struct disk_place *d = r->d;
	const struct entry *e;
	int err = kin_scan(&kin, d, true);

	if (!err)
		err = kin_find(&e, kin, d, name);
	if (!err)
		err = snapshot_new_path(&r->new, d->fs, d->path, e->path,
					new_name);
	if (err)
		return err;
	r->old = strdup(e->path);
	return r->old ? 0 : fail_nomem();
}

/* ---- Lock everything ---- */

static int
lock_file(struct renaming *r)
{
	const struct fs *fs = r->d->fs;
	struct io *io;
	int err = fs->ops->open(&io, fs, r->old, FS_OPEN_NOFOLLOW);

	if (err)
		return err;
	err = io->ops->lock(io, IO_LOCK_WRITE);
	if (err) {
		struct error kept;

		error_save(&kept);
		(void)io_close(io);
		return error_restore(&kept);
	}
	return image_open(&r->img, io, 0);
}

static int
lock_child(struct renaming *r, const char *path)
{
	bool live = !strcmp(path, r->d->path);
	struct chain_opts opts = {.flags = VHD_OPEN_NOPARENT};
	int err;

	if (live) /* it is held already */
		opts.flags |= VHD_OPEN_NOLOCK;
	err = touched_open(&r->children[r->n], r->d->fs, path, !live, &opts);
	if (!err)
		r->n++;
	return err;
}

static int
lock_children(struct renaming *r)
{
	char **paths;
	size_t n;
	int err = children_find(&paths, &n, r->d, r->old, r->img->footer.uuid);

	if (err)
		return err;
	r->children = calloc(n + 1, sizeof(*r->children));
	if (!r->children)
		err = fail_nomem();
	for (size_t i = 0; i < n && !err; i++)
		err = lock_child(r, paths[i]);
	family_free_paths(paths, n);
	return err;
}

static int
let_go(struct renaming *r, int err)
{
	struct error kept;

	for (size_t i = 0; i < r->n; i++)
		err = touched_close(&r->children[i], err, false);
	if (err)
		error_save(&kept);
	(void)image_close(r->img);
	free(r->children);
	free(r->old);
	free(r->new);
	free(r->mark);
	return err ? error_restore(&kept) : 0;
}

/* ---- Do it ---- */

/* Not across file systems, where the disk and the snapshot may lie. */
static int
set_mark(struct renaming *r)
{
	const struct fs *fs = r->d->fs;
	int err;

	if (mutant(RENAME_UNMARKED))
		return 0;
	r->mark = snapshot_rename_mark(r->d->path);
	if (!r->mark)
		return fail_nomem();
	err = fs->ops->link(fs, r->old, r->mark);
	r->marked = !err;
	if (!err)
		return fs->ops->sync_dir(fs, r->mark);
	return err == VHD_E_UNSUPPORTED || error_sys() == EXDEV ? 0 : err;
}

static int
take_mark_away(struct renaming *r, int err)
{
	const struct fs *fs = r->d->fs;
	struct error kept;

	if (!r->marked)
		return err;
	if (!err)
		err = fs->ops->unlink(fs, r->mark);
	else if (!r->has_both) {
		error_save(&kept);
		(void)fs->ops->unlink(fs, r->mark);
		return error_restore(&kept);
	}
	return err ? err : fs->ops->sync_dir(fs, r->mark);
}

/* Where files cannot have two names, children are without a way to it until
 * they are linked; in one directory they find it by its UUID. */
static int
give_name(struct renaming *r)
{
	const struct fs *fs = r->d->fs;
	int err = fs->ops->link(fs, r->old, r->new);

	r->has_both = !err;
	if (err == VHD_E_UNSUPPORTED)
		err = fs->ops->rename(fs, r->old, r->new);
	return err ? err : fs->ops->sync_dir(fs, r->new);
}

static int
carry_out(struct renaming *r)
{
	const struct fs *fs = r->d->fs;
	int err = set_mark(r);

	if (!err)
		err = give_name(r);
	for (size_t i = 0; i < r->n && !err; i++)
		err = chain_link(fs, r->children[i].chain->layers[0].img,
				 r->children[i].path, r->new, r->img);
	if (!err && r->has_both)
		err = fs->ops->unlink(fs, r->old);
	if (!err)
		err = fs->ops->sync_dir(fs, r->old);
	return take_mark_away(r, err);
}

/* A new link takes room in the file of a child, where that has a hole. */
#define LINK_ROOM (64u << 10)

static int
check_space(const struct renaming *r)
{
	uint64_t need = r->n * LINK_ROOM, room;
	int err = r->d->fs->ops->free_space(&room, r->d->fs, r->old);

	if (err || need <= room)
		return err;
	return fail(VHD_E_NOSPACE,
		    "%s: a renaming may need %" PRIu64 " bytes for the links "
		    "of what stands on it, and %" PRIu64 " are free; nothing "
		    "was changed",
		    r->old, need, room);
}

static int
rename_locked(struct renaming *r)
{
	int err = lock_file(r);

	if (!err)
		err = lock_children(r);
	if (!err)
		err = check_space(r);
	return err ? err : carry_out(r);
}

static bool
is_marked(const struct disk_place *d)
{
	AUTO_FREE char *mark = snapshot_rename_mark(d->path);
	struct fs_stat st;

	return mark && d->fs->ops->stat(&st, d->fs, mark) == 0;
}

static bool
is_done(const struct disk_place *d, const char *new_name)
{
	AUTO_FREE char *path = snapshot_path(d->path, new_name);
	struct fs_stat st;

	return path && d->fs->ops->stat(&st, d->fs, path) == 0;
}

int
snapshot_rename(struct disk_place *d, const char *name, const char *new_name)
{
	struct renaming r = {.d = d};
	bool resumed = false;
	int err = disk_hold(d);

	if (!err) {
		resumed = is_marked(d);
		err = snapshot_begin_quick(d);
	}
	if (!err)
		err = find_paths(&r, name, new_name);
	/* This renaming was the one that was not finished. */
	if (err == VHD_E_NOTFOUND && resumed && is_done(d, new_name))
		return let_go(&r, 0);
	if (!err)
		err = rename_locked(&r);
	return let_go(&r, err);
}

/* base.vhd becomes disk@base.vhd, and other@x.vhd disk@other-x.vhd. */
char *
snapshot_adopted_name(const char *file)
{
	char *name = strdup(file);
	char *dot = name ? strrchr(name, '.') : NULL;

	if (dot && dot > name)
		*dot = '\0';
	for (char *c = name; c && *c; c++)
		if (*c == '@')
			*c = '-';
	return name;
}

int
snapshot_adopt(char **ret, struct disk_place *d, const char *path)
{
	AUTO_FREE char *name = snapshot_adopted_name(path_name(path));
	struct renaming r = {.d = d};
	int err = 0;

	*ret = NULL;
	if (!name ||
	    snapshot_new_path(&r.new, d->fs, d->path, d->path, name) != 0)
		return name ? 0 : fail_nomem();
	r.old = strdup(path);
	*ret = strdup(r.new);
	if (!r.old || !*ret)
		err = fail_nomem();
	if (!err)
		err = rename_locked(&r);
	return let_go(&r, err);
}
