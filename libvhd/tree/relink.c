/* SPDX-License-Identifier: BSD-3-Clause */
/* relink.c - repair broken parent links by UUID.
 *
 * Each image is looked at on its own and without a lock; only the link that
 * has to be written is written, with the image locked meanwhile.  What one
 * image fails with does not keep the others from being repaired. */
#include "tree/relink.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/chain.h"
#include "chain/family.h"
#include "chain/names.h"
#include "chain/touched.h"
#include "chain/untaken.h"

struct relinking {
	const struct fs *fs;
	struct chain_opts opts;
	bool dry_run;
	vhd_relinked_fn fn;
	void *user;
	char **paths; /* images to look at; grows upwards from a single one */
	size_t n, room;
	bool climb;
	struct error first; /* why a link stays broken; code 0: none does */
};

static int
add_path(struct relinking *r, const char *path)
{
	if (r->n == r->room) {
		size_t room = r->room ? 2 * r->room : 16;
		char **more = realloc(r->paths, room * sizeof(*more));

		if (!more)
			return fail_nomem();
		r->paths = more;
		r->room = room;
	}
	r->paths[r->n] = strdup(path);
	if (!r->paths[r->n])
		return fail_nomem();
	r->n++;
	return 0;
}

static int
keep_child(const char *path, const struct peek *peek, int err, void *user)
{
	(void)err;
	if (!peek || peek->found.footer.type != VHD_TYPE_DIFFERENCING)
		return 0;
	return add_path(user, path);
}

static int
open_image(struct image **ret, const struct relinking *r, const char *path)
{
	struct io *io;
	int err = r->fs->ops->open(&io, r->fs, path, 0);

	return err ? err : image_open(ret, io, 0);
}

/* parent_path was seen to be the parent; whether it still is, the UUIDs of
 * the files now opened decide. */
static int
write_link(const struct relinking *r, const char *path, const char *parent_path)
{
	struct chain_opts alone = {.flags = VHD_OPEN_NOPARENT};
	AUTO(image_close) struct image *parent = NULL;
	struct image *child;
	struct touched t;
	int err = open_image(&parent, r, parent_path);

	if (!err)
		err = touched_open(&t, r->fs, path, true, &alone);
	if (err)
		return err;
	child = t.chain->layers[0].img;
	if (!uuid_equal(child->hdr.parent_uuid, parent->footer.uuid))
		err = fail(VHD_E_PARENT,
			   "%s: changed while its link was being repaired",
			   path);
	if (!err)
		err = chain_link(r->fs, child, path, parent_path, parent);
	return touched_close(&t, err, false);
}

/* Tell the caller, and remember the first link that stays broken. */
static int
tell(struct relinking *r, const char *path, const char *old, const char *new,
     int err)
{
	struct error kept = {0};
	struct vhd_relinked link = {
		.path = path, .old_parent = old, .new_parent = new, .err = err};

	if (err == VHD_E_NOMEM)
		return err;
	if (err) {
		error_save(&kept);
		if (!r->first.code)
			r->first = kept;
		link.message = kept.message;
	}
	return r->fn ? r->fn(&link, r->user) : 0;
}

/* The parent of img is missing, or where no locator leads. */
static int
repair(struct relinking *r, struct image *img, const char *path,
       const struct located *found)
{
	char old[MAX_PATH_TEXT];
	int err = 0;

	locate_stored(old, img);
	if (!found->path)
		err = locate_fail(found, img, path, &r->opts);
	else if (!r->dry_run)
		err = write_link(r, path, found->path);
	return tell(r, path, old, found->path, err);
}

static int
refused(struct relinking *r, struct image *img, const char *path, int err)
{
	char old[MAX_PATH_TEXT];

	locate_stored(old, img);
	return tell(r, path, old, NULL, err);
}

/* What stands on a merged image is linked to the path that its new parent is
 * going to have once that merge is finished; what is merged, to the path that
 * it has until then. */
static bool
will_be_right(struct image *img, const struct located *found)
{
	char stored[MAX_PATH_TEXT];

	return found->path && is_merging_path(found->path) &&
	       (!dynhdr_parent_name(stored, sizeof(stored), &img->hdr) ||
		strcmp(stored, path_name(found->path)) != 0);
}

/* A loop of parents ends the climb. */
static bool
is_new(const struct relinking *r, const char *path)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->paths[i], path))
			return false;
	return r->n < CHAIN_DEPTH_DEFAULT;
}

static int
look_at(struct relinking *r, const char *path)
{
	AUTO(image_close) struct image *img = NULL;
	struct located found = {0};
	int err = open_image(&img, r, path);

	if (err && err != VHD_E_NOMEM && r->n > 1)
		return tell(r, path, NULL, NULL, err);
	if (err || img->type != VHD_TYPE_DIFFERENCING)
		return err;
	err = locate_parent(&found, r->fs, img, path, &r->opts);
	if (err == VHD_E_NOMEM)
		return err;
	if (err)
		return refused(r, img, path, err);
	if (!found.by_path && !will_be_right(img, &found) &&
	    !is_untaken(r->fs, path))
		err = repair(r, img, path, &found);
	if (!err && r->climb && found.path && is_new(r, found.path))
		err = add_path(r, found.path);
	located_free(&found);
	return err;
}

static int
collect(struct relinking *r, const char *path)
{
	AUTO_FREE char *resolved = NULL;
	struct fs_stat st;
	int err = r->fs->ops->resolve(&resolved, r->fs, path);

	if (!err)
		err = r->fs->ops->stat(&st, r->fs, resolved);
	if (err)
		return err;
	r->climb = !st.directory;
	return st.directory ? family_walk(r->fs, resolved, keep_child, r)
			    : add_path(r, resolved);
}

int
tree_relink(const struct fs *fs, const char *path, const char *const *search,
	    size_t nsearch, bool dry_run, vhd_relinked_fn fn, void *user)
{
	struct relinking r = {.fs = fs,
			      .opts = {.search = search, .nsearch = nsearch},
			      .dry_run = dry_run,
			      .fn = fn,
			      .user = user};
	int err = collect(&r, path);

	for (size_t i = 0; !err && i < r.n; i++)
		err = look_at(&r, r.paths[i]);
	family_free_paths(r.paths, r.n);
	if (err || !r.first.code)
		return err;
	if (r.first.sys)
		return error_restore(&r.first);
	return fail(VHD_E_NOPARENT, "%s", r.first.message);
}
