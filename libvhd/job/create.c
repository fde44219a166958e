/* SPDX-License-Identifier: BSD-3-Clause */
/* create.c - make a new image.
 *
 * A differencing image stores only the way from its own directory to its
 * parent, and no time: the same command makes the same bytes wherever the two
 * files lie. */
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "base/uuid.h"
#include "job/jobs.h"
#include "job/newfile.h"

static int
open_parent(struct chain **ret, const struct fs *fs,
	    const struct vhd_create_opts *opts)
{
	struct chain_opts o = {0};

	if (opts->parent_opts)
		o = (struct chain_opts){
			.flags = opts->parent_opts->flags &
				 ~(uint32_t)(VHD_OPEN_RDWR | VHD_OPEN_NOPARENT),
			.max_depth = opts->parent_opts->max_depth,
			.search = opts->parent_opts->search,
			.nsearch = opts->parent_opts->nsearch};
	return chain_open(ret, fs, opts->parent, &o);
}

/* A child finds its parent by UUID. */
static int
check_parent(const struct chain *parent, const struct vhd_create_opts *opts)
{
	const struct image *img = parent->layers[0].img;

	if (img->type == VHD_TYPE_RAW)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: a plain disk has no UUID to stand on; "
			    "convert it to a VHD first",
			    opts->parent);
	if (uuid_is_null(img->footer.uuid))
		return fail(VHD_E_UNSUPPORTED,
			    "%s: has no UUID, so that no child could find it; "
			    "try: vhdtool convert",
			    opts->parent);
	if (opts->uuid && uuid_equal(opts->uuid, img->footer.uuid))
		return fail(VHD_E_INVALID,
			    "%s: has the UUID that its child should get",
			    opts->parent);
	if (parent->layers[0].renamed)
		return fail(VHD_E_BUSY,
			    "%s: a merge into it is not finished; finish it "
			    "first",
			    opts->parent);
	return 0;
}

/* The directory in which path is going to be, with links resolved. */
static int
directory_of(char **ret, const struct fs *fs, const char *path)
{
	AUTO_FREE char *dir = path_directory(path);

	return dir ? fs->ops->resolve(ret, fs, dir) : fail_nomem();
}

static int
way_to_parent(char **ret, const struct fs *fs, const char *path,
	      const struct chain *parent)
{
	AUTO_FREE char *resolved = NULL, *dir = NULL;
	int err;

	/* What is replaced may be a link to another directory. */
	err = fs->ops->resolve(&resolved, fs, path);
	if (!err)
		err = directory_of(&dir, fs, resolved);
	else if (err == VHD_E_NOTFOUND)
		err = directory_of(&dir, fs, path);
	if (err)
		return err;
	*ret = path_relative(dir, parent->layers[0].path);
	return *ret ? 0 : fail_nomem();
}

static void
inherit(struct image_create *how, const struct chain *parent)
{
	const struct image *img = parent->layers[0].img;

	how->parent = &img->footer;
	if (!how->size)
		how->size = img->size;
	if (!how->block_size && image_is_sparse(img))
		how->block_size = img->block_size;
}

static int
write_image(const struct fs *fs, const char *path, bool force,
	    const struct image_create *how)
{
	struct newfile nf;
	int err = newfile_begin(&nf, fs, path, force);

	if (!err)
		err = newfile_end(&nf, newfile_format(&nf, how));
	return err;
}

static int
create_child(const struct fs *fs, const char *path, struct image_create *how,
	     const struct vhd_create_opts *opts)
{
	AUTO(chain_close) struct chain *parent = NULL;
	AUTO_FREE char *relative = NULL;
	int err = open_parent(&parent, fs, opts);

	if (!err)
		err = check_parent(parent, opts);
	if (!err)
		err = way_to_parent(&relative, fs, path, parent);
	/* That the parent is there is durable before this file is (D9). */
	if (!err)
		err = fs_sync_name(fs, parent->layers[0].path);
	if (err)
		return err;
	how->parent_relative = relative;
	inherit(how, parent);
	return write_image(fs, path, opts->flags & VHD_CREATE_FORCE, how);
}

int
job_create(const struct fs *fs, const char *path,
	   const struct vhd_create_opts *opts)
{
	struct image_create how = {
		.type = opts->type ? opts->type : VHD_TYPE_DYNAMIC,
		.size = opts->virtual_size,
		.block_size = opts->block_size,
		.uuid = opts->uuid,
		.created = opts->created ? opts->created : time(NULL),
		.creator = opts->creator,
	};

	if (!opts->parent && how.type == VHD_TYPE_DIFFERENCING)
		return fail(VHD_E_INVALID,
			    "%s: a differencing image needs a parent", path);
	if (opts->parent && opts->type && opts->type != VHD_TYPE_DIFFERENCING)
		return fail(VHD_E_INVALID,
			    "%s: only a differencing image has a parent", path);
	if (how.type == VHD_TYPE_RAW)
		return fail(VHD_E_INVALID,
			    "%s: a plain disk is made with truncate(1)", path);
	if (!opts->parent)
		return write_image(fs, path, opts->flags & VHD_CREATE_FORCE,
				   &how);
	how.type = VHD_TYPE_DIFFERENCING;
	return create_child(fs, path, &how, opts);
}
