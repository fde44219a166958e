/* SPDX-License-Identifier: BSD-3-Clause */
/* merge_names.c - the names and links of a merge, step by step.
 *
 * Each step is durable before the next begins, and at each the leaf opens:
 *
 *	hide	link BASE@.merging-UUID; its child's link; unlink BASE
 *	skip	the child's link goes past an empty layer; unlink that
 *	finish	links of what stands on top; rename over the merged layer's
 *		path (or back to the ancestor's own, and unlink the layer)
 *
 * An interrupted step is recognised by what is there: a file with two names,
 * or an empty layer that only a merge can have left. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "chain/touched.h"
#include "image/mutant.h"
#include "job/merge.h"

void
merge_free(struct merge *m)
{
	free(m->parent_path);
}

/* ---- Hide ---- */

struct other_name {
	struct merge *m;
	const char *dir, *keep;
	bool only_snapshots; /* of keep, and what hides it */
	struct io_id id;
};

static bool
is_snapshot_of(const char *path, const char *disk)
{
	AUTO_FREE char *of = disk_path(path);

	return of && strcmp(path, disk) != 0 && !strcmp(of, disk);
}

static int
drop_if_same(const char *name, void *user)
{
	struct other_name *o = user;
	const struct fs *fs = o->m->c->fs;
	AUTO_FREE char *path = path_join(o->dir, name);
	struct fs_stat st;

	if (!path)
		return fail_nomem();
	if (!strcmp(path, o->keep) || fs->ops->stat(&st, fs, path) != 0 ||
	    !io_id_equal(st.id, o->id))
		return 0;
	if (o->only_snapshots && !is_snapshot_of(path, o->keep) &&
	    !is_merging_path(path))
		return 0;
	return fs->ops->unlink(fs, path);
}

/* A hidden file that still has its old name was interrupted between; so was
 * the snapshot of a disk whose file has both names, and a merge that was to go
 * through a layer and now ends there.  That a name is gone may not be
 * durable. */
static int
drop_old_name(struct merge *m, const char *path, bool only_snapshots)
{
	const struct fs *fs = m->c->fs;
	AUTO_FREE char *dir = path_directory(path);
	struct other_name o = {.m = m,
			       .dir = dir,
			       .keep = path,
			       .only_snapshots = only_snapshots};
	struct fs_stat st;
	int err = fs->ops->stat(&st, fs, path);

	if (!dir)
		return fail_nomem();
	if (err)
		return err;
	o.id = st.id;
	if (st.links > 1)
		err = fs->ops->list(fs, dir, drop_if_same, &o);
	return err ? err : fs->ops->sync_dir(fs, path);
}

/* Where a file has one name, an interruption may have left its child with a
 * link to the old one. */
static int
link_hidden(struct merge *m, uint32_t i)
{
	const struct layer *l = &m->c->layers[i];

	return merge_knows_hidden(m->c, i)
		       ? 0
		       : chain_link_layer(m->c, i - 1, l->path, l->img);
}

static int
hide_again(struct merge *m, uint32_t i)
{
	int err = link_hidden(m, i);

	return err ? err : drop_old_name(m, m->c->layers[i].path, false);
}

/* Give a file a second name; *ret_renamed where it could only be renamed. */
static int
add_name(bool *ret_renamed, const struct fs *fs, const char *from,
	 const char *to)
{
	struct fs_stat a, b;
	int err = fs->ops->link(fs, from, to);

	*ret_renamed = false;
	if (!err)
		return 0;
	if (err == VHD_E_EXISTS) {
		if (fs->ops->stat(&a, fs, from) == 0 &&
		    fs->ops->stat(&b, fs, to) == 0 && io_id_equal(a.id, b.id))
			return 0;
		return fail(VHD_E_EXISTS,
			    "%s: exists already, and is not %s; move it away",
			    to, from);
	}
	if (err != VHD_E_UNSUPPORTED)
		return err;
	*ret_renamed = true;
	return fs->ops->rename(fs, from, to);
}

static int
hide(struct merge *m, uint32_t i)
{
	struct chain *c = m->c;
	const struct fs *fs = c->fs;
	struct layer *l = &c->layers[i];
	AUTO_FREE char *to = merging_path(l->path, l->img->footer.uuid);
	bool renamed = false;
	int err;

	if (!to)
		return fail_nomem();
	err = add_name(&renamed, fs, l->path, to);
	if (!err)
		err = fs->ops->sync_dir(fs, to);
	if (!err)
		err = chain_link_layer(c, i - 1, to, l->img);
	if (!err && !renamed)
		err = fs->ops->unlink(fs, l->path);
	if (!err && !mutant(HIDE_NOT_SYNCED))
		err = fs->ops->sync_dir(fs, to);
	return err ? err : chain_set_path(c, i, to);
}

/* Where the result goes with --at-parent; after an interruption, the name of
 * the disk that the hidden name still has.  The file itself may still be
 * there, too. */
static int
remember_parent(struct merge *m)
{
	const struct layer *l = &m->c->layers[m->into];
	struct fs_stat st;

	m->parent_path = l->renamed ? disk_path(l->path) : strdup(l->path);
	if (!m->parent_path)
		return fail_nomem();
	if (l->renamed &&
	    m->c->fs->ops->stat(&st, m->c->fs, m->parent_path) == 0 &&
	    !io_id_equal(st.id, l->img->io->id))
		return fail(VHD_E_EXISTS,
			    "%s: exists already, so the merge cannot leave "
			    "its result there; leave out --at-parent",
			    m->parent_path);
	return 0;
}

bool
merge_only_unlinks(const struct merge *m)
{
	const struct chain *c = m->c;
	const struct layer *l = &c->layers[m->layer], *to = l + 1;

	return m->at_parent && !m->layer && m->into == 1 && !to->renamed &&
	       c->opts.flags & VHD_OPEN_CHILDREN_OK &&
	       !image_count_blocks(l->img) && l->img->size == to->img->size;
}

int
merge_hide_names(struct merge *m)
{
	const struct layer *merged = &m->c->layers[m->layer];
	int err = m->at_parent ? remember_parent(m) : 0;

	if (merge_only_unlinks(m))
		return err;
	if (!err)
		err = drop_old_name(m, merged->path, !merged->renamed);
	for (uint32_t i = m->layer + 1; i <= m->into && !err; i++)
		err = m->c->layers[i].renamed ? hide_again(m, i) : hide(m, i);
	return err;
}

/* ---- Skip ---- */

static int
close_after(struct layer *gone, int err)
{
	struct error kept;

	if (!err)
		return layer_close(gone);
	error_save(&kept);
	(void)layer_close(gone);
	return error_restore(&kept);
}

int
merge_skip_layer(struct merge *m, uint32_t i)
{
	struct chain *c = m->c;
	struct layer gone;
	int err = mutant(SKIP_EARLY) ? fs_remove(c->fs, c->layers[i].path) : 0;

	if (!err)
		err = chain_link_layer(c, i - 1, c->layers[i + 1].path,
				       c->layers[i + 1].img);
	if (err)
		return err;
	chain_detach_layer(&gone, c, i);
	if (!mutant(SKIP_EARLY))
		err = fs_remove(c->fs, gone.path);
	return close_after(&gone, err);
}

/* ---- Finish ---- */

static int
link_outside(struct merge *m, const char *child, const char *parent)
{
	struct chain *c = m->c;
	struct chain_opts opts = {.flags = VHD_OPEN_NOPARENT |
					   (c->opts.flags & VHD_OPEN_NOLOCK)};
	struct touched t;
	int err = touched_open(&t, c->fs, child, true, &opts);

	if (!err)
		err = touched_close(&t,
				    chain_link(c->fs, t.chain->layers[0].img,
					       child, parent,
					       c->layers[m->into].img),
				    false);
	return err;
}

/* Is it in this chain, at the merged layer or above?  By whatever name. */
static int
is_inside(bool *ret, const struct merge *m, const char *path)
{
	const struct chain *c = m->c;
	struct fs_stat st;
	int err = c->fs->ops->stat(&st, c->fs, path);

	*ret = false;
	for (uint32_t i = 0; i <= m->layer && !err; i++) {
		if (io_id_equal(st.id, c->layers[i].img->io->id))
			*ret = true;
	}
	return err;
}

static int
link_if_outside(struct merge *m, const char *child, const char *parent)
{
	bool inside;
	int err = is_inside(&inside, m, child);

	return err || inside ? err : link_outside(m, child, parent);
}

int
merge_link_children(struct merge *m, uint32_t layer, const char *merged,
		    const char *parent)
{
	char **paths;
	size_t n;
	int err = merge_children_of(&paths, &n, m, layer);

	if (err)
		return err;
	for (size_t i = 0; i < n && !err; i++)
		if (strcmp(paths[i], merged) != 0)
			err = link_if_outside(m, paths[i], parent);
	family_free_paths(paths, n);
	return err;
}

/* Those of the merged layer; and, as a merge that was stopped here may have
 * linked some of them already, those of the ancestor itself. */
static int
link_outsiders(struct merge *m, const char *parent)
{
	const char *merged = m->c->layers[m->layer].path;
	int err = merge_link_children(m, m->layer, merged, parent);

	return err ? err : merge_link_children(m, m->into, merged, parent);
}

/* The ancestor's file holds the merged layer's state now: since when that is
 * there, and XenServer's mark of an inner node, go with it. */
static int
take_over_footer(struct merge *m)
{
	struct image *to = m->c->layers[m->into].img;
	const struct image *from = m->c->layers[m->layer].img;
	uint32_t time = from->footer.timestamp;
	uint8_t hidden = footer_creator_is(&from->footer, "tap") &&
			 from->footer.reserved[0];

	if (to->type == VHD_TYPE_RAW || m->at_parent)
		return 0;
	if (!footer_creator_is(&to->footer, "tap"))
		hidden = to->footer.reserved[0];
	return image_set_time(to, time, hidden);
}

/* Images that stand on it know it by the time of its last change: so nothing
 * is written to it once they are linked. */
static int
finish_file(struct merge *m)
{
	struct chain *c = m->c;
	struct layer *to = &c->layers[m->into];
	const struct layer *from = &c->layers[m->layer];
	int err;

	err = take_over_footer(m);
	if (!err)
		err = image_tidy(to->img);
	if (err || m->at_parent)
		return err;
	err = c->fs->ops->copy_attributes(c->fs, from->path, to->path);
	if (!err)
		to->unmarked = from->unmarked;
	return err;
}

static void
leave_out(struct layer *gone, struct merge *m)
{
	chain_detach_layer(gone, m->c, m->layer);
	m->into--;
}

/* The child in this chain comes last, and then the merged layer is out of the
 * chain at once: whatever fails from here on, nothing is pushed into it. */
static int
link_own_child(struct layer *gone, struct merge *m, const char *parent)
{
	struct chain *c = m->c;
	int err = chain_link_layer(c, m->layer - 1, parent,
				   c->layers[m->into].img);

	if (!err)
		leave_out(gone, m);
	return err;
}

/* The file moves to path, and without a child that is what takes the merged
 * layer out. */
static int
rename_ancestor(struct layer *gone, struct merge *m, const char *path)
{
	struct chain *c = m->c;
	AUTO_FREE char *hidden = strdup(c->layers[m->into].path);
	const struct fs *fs = c->fs;
	int err = hidden ? 0 : fail_nomem();

	if (!err && !mutant(FINISH_EARLY))
		err = fs->ops->rename(fs, hidden, path);
	if (err)
		return err;
	if (!gone->img)
		leave_out(gone, m);
	err = chain_set_path(c, m->into, path);
	if (mutant(FINISH_NOT_SYNCED))
		return err;
	if (!err)
		err = fs->ops->sync_dir(fs, path);
	if (!err)
		err = fs->ops->sync_dir(fs, hidden);
	return !err && m->at_parent ? fs_remove(fs, gone->path) : err;
}

static int
take_place(struct layer *gone, struct merge *m, const char *path)
{
	const struct fs *fs = m->c->fs;
	int err = finish_file(m);

	if (!err && mutant(FINISH_EARLY))
		err = fs->ops->rename(fs, m->c->layers[m->into].path, path);
	if (!err)
		err = link_outsiders(m, path);
	if (!err && m->layer)
		err = link_own_child(gone, m, path);
	return err ? err : rename_ancestor(gone, m, path);
}

int
merge_finish(struct merge *m)
{
	AUTO_FREE char *path = strdup(
		m->at_parent ? m->parent_path : m->c->layers[m->layer].path);
	struct layer gone = {0};
	int err;

	if (!path)
		return fail_nomem();
	err = take_place(&gone, m, path);
	return gone.img ? close_after(&gone, err) : err;
}
