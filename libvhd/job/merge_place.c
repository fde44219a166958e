/* SPDX-License-Identifier: BSD-3-Clause */
/* merge_place.c - merges that were stopped at their very end.
 *
 * All was moved into the ancestor, and what stood on the merged layer is linked
 * to the path that the ancestor is going to have, which is the merged layer's
 * or its own; but the merged layer still is there, empty, the only one that is
 * linked to the ancestor's hidden name.  A chain through one of the others does
 * not contain it.  The ancestor gets its path in one step. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "job/merge.h"

int
merge_children_of(char ***ret, size_t *ret_n, const struct merge *m,
		  uint32_t layer)
{
	const struct chain *c = m->c;
	AUTO_FREE char *dir = path_directory(c->layers[m->layer].path);
	AUTO_FREE char *below = path_directory(c->layers[layer].path);
	AUTO_FREE const char **dirs = calloc(m->nsearch + 2, sizeof(*dirs));

	if (!dir || !below || !dirs)
		return fail_nomem();
	*ret = NULL;
	*ret_n = 0;
	if (c->layers[layer].img->type == VHD_TYPE_RAW)
		return 0;
	dirs[0] = dir;
	dirs[1] = below;
	for (size_t i = 0; i < m->nsearch; i++)
		dirs[i + 2] = m->search[i];
	return family_children(ret, ret_n, c->fs, dirs, m->nsearch + 2,
			       c->layers[layer].img->footer.uuid, NULL);
}

static bool
is_linked_to(const struct image *child, const char *path)
{
	char name[MAX_PATH_TEXT];

	return dynhdr_parent_name(name, sizeof(name), &child->hdr) &&
	       !strcmp(name, path_name(path));
}

bool
merge_knows_hidden(const struct chain *c, uint32_t i)
{
	return is_linked_to(c->layers[i - 1].img, c->layers[i].path);
}

/* Of a file that may be anything. */
static bool
is_empty_child(const struct chain *c, const char *path, const char *parent)
{
	struct image *img;
	bool empty;

	if (chain_open_image(&img, c, path, false, false) != 0)
		return false;
	empty = img->type == VHD_TYPE_DIFFERENCING &&
		!image_count_blocks(img) &&
		(!parent || is_linked_to(img, parent));
	return image_close(img) == 0 && empty;
}

bool
merge_is_empty_child(const struct chain *c, const char *path)
{
	return is_empty_child(c, path, NULL);
}

bool
merge_was_merged(const struct chain *c, const char *path, uint32_t i)
{
	return !is_merging_path(path) &&
	       is_empty_child(c, path, c->layers[i].path);
}

/* The image that was merged into hidden layer i, when it is not in the chain;
 * NULL in *ret when there is none, or no single one. */
static int
find_merged(char **ret, const struct merge *m, uint32_t i)
{
	char *found = NULL, **paths;
	size_t n, count = 0;
	int err = merge_children_of(&paths, &n, m, i);

	for (size_t k = 0; k < n && !err; k++)
		if (merge_was_merged(m->c, paths[k], i)) {
			count++;
			free(found);
			found = strdup(paths[k]);
			err = found ? 0 : fail_nomem();
		}
	family_free_paths(paths, n);
	if (count != 1)
		free(TAKE(found));
	*ret = found;
	return err;
}

/* Where the ancestor is going: its child says so.  With --at-parent that is
 * the name it had, unless something else has that by now. */
static int
find_destination(char **ret, const struct chain *c, uint32_t i,
		 const char *merged)
{
	const struct image *child = c->layers[i - 1].img;
	AUTO_FREE char *own = disk_path(c->layers[i].path);
	struct fs_stat st;

	if (!own)
		return fail_nomem();
	if (!is_linked_to(child, merged) && is_linked_to(child, own) &&
	    c->fs->ops->stat(&st, c->fs, own) == VHD_E_NOTFOUND)
		*ret = TAKE(own);
	else
		*ret = strdup(merged);
	return *ret ? 0 : fail_nomem();
}

/* The own child comes last, as in a merge that ends by itself. */
static int
link_all(struct merge *m, uint32_t i, const char *merged, const char *path)
{
	struct chain *c = m->c;
	int err = merge_link_children(m, i, merged, path);

	if (err || is_linked_to(c->layers[i - 1].img, path))
		return err;
	err = chain_make_writable(c, i - 1);
	return err ? err : chain_link_layer(c, i - 1, path, c->layers[i].img);
}

static int
move_to(struct chain *c, uint32_t i, const char *path)
{
	AUTO_FREE char *hidden = strdup(c->layers[i].path);
	const struct fs *fs = c->fs;
	int err = hidden ? fs->ops->rename(fs, hidden, path) : fail_nomem();

	if (!err)
		err = chain_set_path(c, i, path);
	if (!err)
		err = fs->ops->sync_dir(fs, path);
	return err ? err : fs->ops->sync_dir(fs, hidden);
}

/* Nobody may write to it, nor change its name. */
static int
lock_merged(struct image **ret, const struct chain *c, const char *path)
{
	AUTO(image_close) struct image *img = NULL;
	struct io *io;
	int err = c->fs->ops->open(&io, c->fs, path, FS_OPEN_NOFOLLOW);

	if (err)
		return err;
	err = image_open(&img, io, 0);
	if (!err && !(c->opts.flags & VHD_OPEN_NOLOCK))
		err = io->ops->lock(io, IO_LOCK_WRITE);
	if (!err && image_count_blocks(img))
		err = fail(VHD_E_BUSY, "%s: was changed meanwhile; try again",
			   path);
	if (!err)
		*ret = TAKE(img);
	return err;
}

static int
take_place(struct merge *m, uint32_t i, const char *merged)
{
	AUTO(image_close) struct image *img = NULL;
	AUTO_FREE char *path = NULL;
	struct merge at = *m;
	int err = job_phase(m->job, "finish", 0);

	at.layer = i - 1;
	at.into = i;
	if (!err)
		err = chain_make_writable(m->c, i);
	if (!err)
		err = lock_merged(&img, m->c, merged);
	if (!err)
		err = find_destination(&path, m->c, i, merged);
	if (!err)
		err = link_all(&at, i, merged, path);
	if (!err)
		err = move_to(m->c, i, path);
	return err || !strcmp(path, merged) ? err : fs_remove(m->c->fs, merged);
}

int
merge_take_places(size_t *ret_n, struct merge *m)
{
	int err = 0;

	*ret_n = 0;

	for (uint32_t i = 1; i < m->c->depth && !err; i++) {
		AUTO_FREE char *path = NULL;
		struct merge at = *m;

		if (!m->c->layers[i].renamed || m->c->layers[i - 1].renamed ||
		    merge_knows_hidden(m->c, i))
			continue;
		at.layer = i - 1;
		err = find_merged(&path, &at, i);
		if (err || !path)
			continue;
		err = take_place(m, i, path);
		++*ret_n;
	}
	return err;
}
