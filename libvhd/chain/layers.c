/* SPDX-License-Identifier: BSD-3-Clause */
/* layers.c - change the layers of an open chain.
 *
 * Which layers there are changes with all gates closed and no generation under
 * way, so that no request sees half of it.  A disk grows, and links change,
 * beside guests. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/chain.h"
#include "chain/names.h"

void
chain_stop(struct chain *c)
{
	chain_hold_flush(c);
	gate_close_all(&c->gate);
}

void
chain_resume(struct chain *c)
{
	map_forget_all(&c->map);
	gate_open_all(&c->gate);
	chain_release_flush(c);
}

int
chain_prepare_leaf(struct new_leaf *ret, const struct chain *c,
		   const char *path, const char *old_path)
{
	*ret = (struct new_leaf){
		.layers = calloc(c->depth + 1, sizeof(struct layer)),
		.path = strdup(path),
		.name = strdup(path),
		.old_path = strdup(old_path),
		.old_name = strdup(old_path)};
	if (ret->layers && ret->path && ret->name && ret->old_path &&
	    ret->old_name)
		return 0;
	chain_forget_leaf(ret);
	return fail_nomem();
}

void
chain_forget_leaf(struct new_leaf *n)
{
	free(n->layers);
	free(n->path);
	free(n->name);
	free(n->old_path);
	free(n->old_name);
	*n = (struct new_leaf){0};
}

void
chain_add_leaf(struct chain *c, struct new_leaf *n, struct image *leaf)
{
	struct layer *l = n->layers;

	memcpy(l + 1, c->layers, c->depth * sizeof(*l));
	free(l[1].path);
	free(l[1].img->io->name);
	free(leaf->io->name);
	l[1].path = n->old_path;
	l[1].img->io->name = n->old_name;
	leaf->io->name = n->name;
	l[0] = (struct layer){.img = leaf, .path = n->path};
	free(c->layers);
	c->layers = l;
	c->depth++;
	*n = (struct new_leaf){0};
}

/* A snapshot's file is marked as read-only; a job that may write to it takes
 * the mark away. */
static int
open_writable(struct image **ret, struct chain *c, struct layer *l)
{
	bool raw = l->img->type == VHD_TYPE_RAW;
	struct fs_stat st;
	int err = chain_open_image(ret, c, l->path, true, raw);

	if (!err || error_sys() != EACCES ||
	    c->fs->ops->stat(&st, c->fs, l->path) != 0 || !st.readonly ||
	    c->fs->ops->set_readonly(c->fs, l->path, false) != 0)
		return err;
	l->unmarked = true;
	return chain_open_image(ret, c, l->path, true, raw);
}

/* The lock held through the old image would keep the new one out, so it is
 * given up first and taken back on failure. */
int
chain_make_writable(struct chain *c, uint32_t layer)
{
	struct layer *l = &c->layers[layer];
	struct image *img, *old = l->img;
	bool locked = !(c->opts.flags & VHD_OPEN_NOLOCK);
	struct error kept;
	int err = 0;

	if (old->writable)
		return 0;
	if (locked)
		err = old->io->ops->lock(old->io, IO_LOCK_NONE);
	if (!err)
		err = open_writable(&img, c, l);
	if (err) {
		error_save(&kept);
		if (locked)
			(void)old->io->ops->lock(old->io, IO_LOCK_READ);
		return error_restore(&kept);
	}
	if (!io_id_equal(old->io->id, img->io->id)) {
		(void)image_close(img);
		return fail(VHD_E_BUSY,
			    "%s: another file took its place meanwhile",
			    l->path);
	}
	chain_stop(c);
	l->img = img;
	chain_resume(c);
	return image_close(old);
}

void
chain_detach_layer(struct layer *ret, struct chain *c, uint32_t layer)
{
	uint64_t size;

	chain_stop(c);
	*ret = c->layers[layer];
	c->depth--;
	memmove(c->layers + layer, c->layers + layer + 1,
		(c->depth - layer) * sizeof(*c->layers));
	size = c->layers[0].img->size;
	if (layer == 0)
		moved_end(c);
	c->size = size;
	chain_resume(c);
}

int
layer_close(struct layer *l)
{
	free(TAKE(l->path));
	return image_close(TAKE(l->img));
}

int
chain_remove_layer(struct chain *c, uint32_t layer)
{
	struct layer gone;

	chain_detach_layer(&gone, c, layer);
	return layer_close(&gone);
}

static int
shrink_layer(struct chain *c, uint32_t layer, uint64_t size)
{
	int err;

	chain_stop(c);
	err = image_resize(c->layers[layer].img, size,
			   chain_size_below(c, layer), NULL);
	c->size = c->layers[0].img->size;
	chain_resume(c);
	return err;
}

static void
keep_out(void *user, uint64_t offset, uint64_t len)
{
	gate_close(user, offset, len);
}

static void
let_in(void *user, uint64_t offset, uint64_t len)
{
	gate_open(user, offset, len);
}

/* Guests go on; they see the new size at the end. */
static int
grow_layer(struct chain *c, uint32_t layer, uint64_t size)
{
	struct image_guard guard = {keep_out, let_in, &c->gate};
	int err = 0;

	gate_close_all(&c->gate);
	if (layer == 0)
		err = map_grow(&c->map,
			       ceil_div(max_u64(size, c->size), WINDOW_SIZE));
	gate_open_all(&c->gate);
	if (!err)
		err = image_resize(c->layers[layer].img, size,
				   chain_size_below(c, layer), &guard);
	gate_close_all(&c->gate);
	c->size = c->layers[0].img->size;
	map_forget_all(&c->map);
	gate_open_all(&c->gate);
	return err;
}

int
chain_resize_layer(struct chain *c, uint32_t layer, uint64_t size)
{
	return size < c->layers[layer].img->size ? shrink_layer(c, layer, size)
						 : grow_layer(c, layer, size);
}

int
chain_set_path(struct chain *c, uint32_t layer, const char *path)
{
	struct layer *l = &c->layers[layer];
	char *copy = strdup(path), *name = strdup(path);

	if (!copy || !name) {
		free(copy);
		free(name);
		return fail_nomem();
	}
	chain_stop(c);
	free(l->path);
	free(l->img->io->name);
	l->path = copy;
	l->img->io->name = name;
	l->renamed = is_merging_path(copy);
	chain_resume(c);
	return 0;
}

int
chain_link_layer(struct chain *c, uint32_t child, const char *parent_path,
		 const struct image *parent)
{
	struct layer *l = &c->layers[child];

	return chain_link(c->fs, l->img, l->path, parent_path, parent);
}

int
chain_link(const struct fs *fs, struct image *child, const char *child_path,
	   const char *parent_path, const struct image *parent)
{
	AUTO_FREE char *dir = path_directory(child_path);
	AUTO_FREE char *relative = NULL;
	struct image_link link = {0};
	struct fs_stat st;
	int err;

	if (dir)
		relative = path_relative(dir, parent_path);
	if (!relative)
		return fail_nomem();
	/* The parent, and where it is, before the link (D9). */
	err = fs_sync_name(fs, parent_path);
	if (err)
		return err;
	memcpy(link.uuid, parent->footer.uuid, sizeof(link.uuid));
	link.relative = relative;
	if (child->hdr.parent_time &&
	    fs->ops->stat(&st, fs, parent_path) == 0 && st.mtime > VHD_EPOCH)
		link.time = (uint32_t)(st.mtime - VHD_EPOCH);
	return image_set_parent(child, &link);
}
