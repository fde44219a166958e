/* SPDX-License-Identifier: BSD-3-Clause */
/* chain_open.c - open a leaf and everything it stands on.
 *
 * Parents are found by UUID under the caller's policy (locate.c), opened for
 * reading only, and locked so that nobody writes to them.  Before any
 * metadata is believed each file is flushed, and the name of a leaf that will
 * be written to: after a process was killed, the page cache shows changes that
 * the disk may not have (P14). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/chain.h"
#include "chain/family.h"
#include "chain/untaken.h"
#include "image/mutant.h"

static void
free_opts(struct chain_opts *o)
{
	for (size_t i = 0; i < o->nsearch; i++)
		free((void *)(uintptr_t)o->search[i]);
	free((void *)(uintptr_t)o->search);
}

static int
copy_opts(struct chain_opts *ret, const struct chain_opts *from)
{
	const char **dirs = calloc(from->nsearch + 1, sizeof(*dirs));

	*ret = *from;
	ret->search = dirs;
	ret->nsearch = 0;
	if (!dirs)
		return fail_nomem();
	for (size_t i = 0; i < from->nsearch; i++) {
		dirs[i] = strdup(from->search[i]);
		if (!dirs[i])
			return fail_nomem();
		ret->nsearch++;
	}
	if (!ret->max_depth)
		ret->max_depth = CHAIN_DEPTH_DEFAULT;
	if (ret->max_depth > OWNER_LAYERS)
		ret->max_depth = OWNER_LAYERS;
	return 0;
}

static void
chain_free(struct chain *c)
{
	map_free(&c->map);
	gate_free(&c->gate);
	moved_end(c);
	free(c->moved.list);
	pthread_mutex_destroy(&c->moved.lock);
	pthread_mutex_destroy(&c->job_lock);
	pthread_mutex_destroy(&c->flush_mutex);
	pthread_cond_destroy(&c->flush_done);
	free_opts(&c->opts);
	free(c->layers);
	free(c->name);
	free(c);
}

int
chain_close(struct chain *c)
{
	struct error kept = {0};

	if (!c)
		return 0;
	/* Of a disk that failed, what was not flushed is lost: say so. */
	if (c->writable && chain_flush(c) != 0)
		error_save(&kept);
	for (uint32_t i = 0; i < c->depth; i++) {
		if (image_close(c->layers[i].img) != 0 && !kept.code)
			error_save(&kept);
		if (c->layers[i].unmarked)
			(void)c->fs->ops->set_readonly(c->fs, c->layers[i].path,
						       true);
		free(c->layers[i].path);
	}
	chain_free(c);
	return kept.code ? error_restore(&kept) : 0;
}

int
chain_close_after(struct chain *c, int err)
{
	struct error kept;

	if (!err)
		return chain_close(c);
	error_save(&kept);
	(void)chain_close(c);
	return error_restore(&kept);
}

static struct chain *
chain_new(const struct fs *fs, const struct chain_opts *opts)
{
	struct chain *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fs = fs;
	gate_init(&c->gate);
	pthread_mutex_init(&c->moved.lock, NULL);
	pthread_mutex_init(&c->job_lock, NULL);
	pthread_mutex_init(&c->flush_mutex, NULL);
	pthread_cond_init(&c->flush_done, NULL);
	if (copy_opts(&c->opts, opts) != 0) {
		chain_free(c);
		return NULL;
	}
	return c;
}

static unsigned
image_flags_for(const struct chain_opts *o, bool write, bool raw)
{
	unsigned flags = 0;

	if (write)
		flags |= IMAGE_WRITE;
	if (raw)
		flags |= IMAGE_RAW;
	if (o->flags & VHD_OPEN_IGNORE_BITMAP)
		flags |= IMAGE_IGNORE_BITMAP;
	if (o->flags & VHD_OPEN_DAMAGED)
		flags |= IMAGE_DAMAGED;
	if (o->flags & VHD_OPEN_SIZE_CHS)
		flags |= IMAGE_SIZE_CHS;
	return flags;
}

int
chain_open_image(struct image **ret, const struct chain *c, const char *path,
		 bool write, bool raw)
{
	struct io *io;
	unsigned flags = FS_OPEN_NOFOLLOW | (write ? FS_OPEN_WRITE : 0);
	int err = c->fs->ops->open(&io, c->fs, path, flags);

	if (err)
		return err;
	if (!(c->opts.flags & VHD_OPEN_NOLOCK))
		err = io->ops->lock(io, write ? IO_LOCK_WRITE : IO_LOCK_READ);
	if (!err && !mutant(OPEN_UNFLUSHED))
		err = io->ops->flush(io);
	if (err) {
		struct error kept;

		error_save(&kept);
		(void)io_close(io);
		return error_restore(&kept);
	}
	return image_open(ret, io, image_flags_for(&c->opts, write, raw));
}

/* The same file, or the same UUID, twice in a chain is a loop. */
static int
check_loop(const struct chain *c, const struct image *img, const char *path)
{
	for (uint32_t i = 0; i < c->depth; i++) {
		const struct image *other = c->layers[i].img;
		bool vhd = other->type != VHD_TYPE_RAW &&
			   img->type != VHD_TYPE_RAW;

		if (io_id_equal(other->io->id, img->io->id) ||
		    (vhd && uuid_equal(other->footer.uuid, img->footer.uuid)))
			return fail(VHD_E_PARENT,
				    "%s: the chain comes back to it: it has "
				    "the identity of %s above it",
				    path, c->layers[i].path);
	}
	return 0;
}

/* Takes img and path over, also on failure. */
static int
add_layer(struct chain *c, struct image *img, char *path)
{
	struct layer *more = realloc(c->layers, (c->depth + 1) * sizeof(*more));
	int err = more ? 0 : fail_nomem();

	if (more)
		c->layers = more;
	if (!err && c->depth >= c->opts.max_depth)
		err = fail(VHD_E_PARENT,
			   "%s: the chain is deeper than %u images; merge "
			   "some, or allow more",
			   path, c->opts.max_depth);
	if (!err)
		err = check_loop(c, img, path);
	if (err) {
		struct error kept;

		error_save(&kept);
		(void)image_close(img);
		free(path);
		return error_restore(&kept);
	}
	c->layers[c->depth++] = (struct layer){
		.img = img,
		.path = path,
		.renamed = strstr(path_name(path), "@.merging-") != NULL};
	return 0;
}

/* Whoever may write although others stand on it may do so although it is
 * marked as read-only, as a snapshot is; the mark comes back at the end. */
static int
open_marked(struct image **ret, bool *ret_unmarked, const struct chain *c,
	    const char *path, bool raw)
{
	struct fs_stat st;
	struct error kept;
	int err = chain_open_image(ret, c, path, c->writable, raw);

	*ret_unmarked = false;
	if (!err || error_sys() != EACCES || !c->writable ||
	    !(c->opts.flags & VHD_OPEN_CHILDREN_OK))
		return err;
	error_save(&kept);
	err = c->fs->ops->stat(&st, c->fs, path);
	if (!err && st.readonly)
		err = c->fs->ops->set_readonly(c->fs, path, false);
	if (err == VHD_E_NOMEM)
		return err;
	if (err || !st.readonly)
		return error_restore(&kept);
	err = chain_open_image(ret, c, path, true, raw);
	*ret_unmarked = !err;
	if (!err)
		return 0;
	error_save(&kept);
	(void)c->fs->ops->set_readonly(c->fs, path, true);
	return error_restore(&kept);
}

static int
open_leaf(struct chain *c, const char *path)
{
	struct image *img;
	bool unmarked;
	char *full;
	int err = c->fs->ops->resolve(&full, c->fs, path);

	if (err)
		return err;
	c->name = strdup(full);
	if (!c->name) {
		free(full);
		return fail_nomem();
	}
	err = open_marked(&img, &unmarked, c, full,
			  c->opts.flags & VHD_OPEN_RAW);
	if (err) {
		free(full);
		return err;
	}
	err = add_layer(c, img, full);
	if (!err)
		c->layers[0].unmarked = unmarked;
	return err;
}

/* Between finding a file and opening it, its name may have been given to
 * another. */
static int
check_parent(const struct layer *child, const struct image *parent,
	     const struct located *found)
{
	if (found->raw ||
	    uuid_equal(child->img->hdr.parent_uuid, parent->footer.uuid))
		return 0;
	return fail(VHD_E_PARENT,
		    "%s: replaced by another file while it was being opened "
		    "as the parent of %s; try again",
		    found->path, child->path);
}

static int
open_parent(struct chain *c)
{
	const struct layer *child = &c->layers[c->depth - 1];
	struct located found;
	struct image *img;
	int err =
		locate_parent(&found, c->fs, child->img, child->path, &c->opts);

	if (err)
		return err;
	if (!found.path) {
		err = locate_fail(&found, child->img, child->path, &c->opts);
		located_free(&found);
		return err;
	}
	err = chain_open_image(&img, c, found.path, false, found.raw);
	if (err && err != VHD_E_BUSY)
		err = fail_more(err, "%s: its parent cannot be used",
				child->path);
	if (!err) {
		err = check_parent(child, img, &found);
		if (err)
			(void)image_close(img);
		else
			err = add_layer(c, img, TAKE(found.path));
	}
	located_free(&found);
	return err;
}

/* What a killed process called the disk may not be durable either (P14). */
static int
sync_name(const struct chain *c)
{
	const struct layer *leaf = &c->layers[0];

	if (leaf->img->io->block_device || mutant(NAMES_UNSYNCED))
		return 0;
	return fs_sync_name(c->fs, leaf->path);
}

/* Those that are nothing do not count. */
static size_t
keep_taken(char **paths, size_t n, const struct fs *fs)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_untaken(fs, paths[i])) {
			char *path = paths[i];

			paths[i] = paths[kept];
			paths[kept++] = path;
		}
	return kept;
}

/* Images beside the disk that stand on it would change under their feet. */
static int
check_children(const struct chain *c)
{
	const struct layer *leaf = &c->layers[0];
	AUTO_FREE char *dir = path_directory(leaf->path);
	const char *dirs[] = {dir};
	char **paths;
	size_t n, taken;
	int err;

	if (c->opts.flags & (VHD_OPEN_CHILDREN_OK | VHD_OPEN_RAW))
		return 0;
	if (!dir)
		return fail_nomem();
	err = family_children(&paths, &n, c->fs, dirs, 1,
			      leaf->img->footer.uuid, leaf->path);
	if (err)
		return err;
	taken = keep_taken(paths, n, c->fs);
	if (taken)
		err = fail(VHD_E_CHILDREN,
			   "%s: not written to, because %s stands on it%s; "
			   "write to that one, or make another child",
			   leaf->path, paths[0],
			   taken > 1 ? " (and others do)" : "");
	family_free_paths(paths, n);
	return err;
}

static int
open_layers(struct chain *c, const char *path)
{
	int err = open_leaf(c, path);

	if (!err && c->layers[0].renamed && !c->no_parent)
		err = fail(VHD_E_POLICY,
			   "%s: a merge into it is not finished, so it can "
			   "only be read through its child; try: vhdtool "
			   "merge on that one",
			   c->layers[0].path);
	if (!err && c->writable)
		err = sync_name(c);
	if (!err && c->writable && !c->layers[0].img->io->block_device)
		err = check_children(c);
	while (!err && !c->no_parent &&
	       c->layers[c->depth - 1].img->type == VHD_TYPE_DIFFERENCING)
		err = open_parent(c);
	if (err)
		return err;
	c->size = c->layers[0].img->size;
	return map_init(&c->map, ceil_div(c->size, WINDOW_SIZE));
}

int
chain_open(struct chain **ret, const struct fs *fs, const char *path,
	   const struct chain_opts *opts)
{
	struct chain *c = chain_new(fs, opts);
	int err;

	if (!c)
		return fail_nomem();
	c->writable = opts->flags & VHD_OPEN_RDWR;
	c->no_parent = opts->flags & VHD_OPEN_NOPARENT;
	err = open_layers(c, path);
	if (err) {
		struct error kept;

		error_save(&kept);
		c->writable = false;
		(void)chain_close(c);
		return error_restore(&kept);
	}
	*ret = c;
	return 0;
}
