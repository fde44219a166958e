/* SPDX-License-Identifier: BSD-3-Clause */
/* rename.c - give a snapshot another name.
 *
 * The file has both names until every image that stands on it is linked to the
 * new one, so that the way to it is right at every instant.  All of them, and
 * the file itself, are locked before anything is changed. */
#include <stdlib.h>
#include <string.h>

#include "chain/family.h"
#include "chain/names.h"
#include "chain/touched.h"
#include "tree/snapshot.h"

struct renaming {
	struct disk_place *d;
	char *old, *new;
	bool has_both; /* names: an earlier renaming was interrupted */
	struct image *img;
	struct touched *children;
	size_t n;
};

/* ---- What is asked for ---- */

/* disk@OLD and disk@NEW are one file already. */
static int
find_interrupted(struct renaming *r, const char *name, const char *new_name)
{
	const struct fs *fs = r->d->fs;
	AUTO_FREE char *old = NULL, *new = NULL;
	struct fs_stat a, b;

	if (!snapshot_name_valid(name) || !snapshot_name_valid(new_name))
		return 0;
	old = snapshot_path(r->d->path, name);
	new = snapshot_path(r->d->path, new_name);
	if (!old || !new)
		return fail_nomem();
	if (strcmp(old, new) == 0 || fs->ops->stat(&a, fs, old) != 0 ||
	    fs->ops->stat(&b, fs, new) != 0 || a.id.device != b.id.device ||
	    a.id.inode != b.id.inode)
		return 0;
	r->old = TAKE(old);
	r->new = TAKE(new);
	r->has_both = true;
	return 0;
}

static int
find_paths(struct renaming *r, const char *name, const char *new_name)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	struct disk_place *d = r->d;
	const struct entry *e;
	int err = snapshot_settle(d);

	if (!err)
		err = kin_scan(&kin, d, true);
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
	return err ? error_restore(&kept) : 0;
}

/* ---- Do it ---- */

/* Where files cannot have two names, children are without a way to it until
 * they are linked; in one directory they find it by its UUID. */
static int
give_name(struct renaming *r)
{
	const struct fs *fs = r->d->fs;
	int err = r->has_both ? 0 : fs->ops->link(fs, r->old, r->new);

	if (!err)
		r->has_both = true;
	else if (err == VHD_E_UNSUPPORTED)
		err = fs->ops->rename(fs, r->old, r->new);
	return err ? err : fs->ops->sync_dir(fs, r->new);
}

static int
carry_out(struct renaming *r)
{
	const struct fs *fs = r->d->fs;
	int err = give_name(r);

	for (size_t i = 0; i < r->n && !err; i++)
		err = chain_link(fs, r->children[i].chain->layers[0].img,
				 r->children[i].path, r->new, r->img);
	if (!err && r->has_both)
		err = fs->ops->unlink(fs, r->old);
	return err ? err : fs->ops->sync_dir(fs, r->old);
}

int
snapshot_rename(struct disk_place *d, const char *name, const char *new_name)
{
	struct renaming r = {.d = d};
	int err = disk_hold(d);

	if (!err)
		err = find_interrupted(&r, name, new_name);
	if (!err && !r.has_both)
		err = find_paths(&r, name, new_name);
	if (!err)
		err = lock_file(&r);
	if (!err)
		err = lock_children(&r);
	if (!err)
		err = carry_out(&r);
	return let_go(&r, err);
}
