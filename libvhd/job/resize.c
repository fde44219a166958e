/* SPDX-License-Identifier: BSD-3-Clause */
/* resize.c - change the size that the guest sees.
 *
 * The image knows how (image_resize.c); here is when it may be done. */
#include <stdlib.h>

#include "base/path.h"
#include "chain/family.h"
#include "job/job.h"
#include "job/jobs.h"

static int
check_children(const struct chain *c)
{
	const struct layer *l = &c->layers[0];
	AUTO_FREE char *dir = path_directory(l->path);
	const char *dirs[] = {dir};
	char **paths;
	size_t n;
	int err;

	if (!dir)
		return fail_nomem();
	err = family_children(&paths, &n, c->fs, dirs, 1, l->img->footer.uuid,
			      l->path);
	if (err)
		return err;
	if (n)
		err = fail(VHD_E_CHILDREN,
			   "%s: not resized, because %s stands on it; resize "
			   "that one",
			   l->path, paths[0]);
	family_free_paths(paths, n);
	return err;
}

static int
check_request(const struct job *job, const struct chain *c, uint64_t size,
	      uint32_t flags)
{
	const struct image *img = c->layers[0].img;
	int err = job_check_writable(job, c);

	if (!err)
		err = job_check_parent(c);
	if (err)
		return err;
	if (!size || size % SECTOR_SIZE)
		return fail(VHD_E_INVALID,
			    "%s: a size of %llu bytes; it must be a multiple "
			    "of 512 and not 0",
			    c->layers[0].path, (unsigned long long)size);
	if (size < c->size && !(flags & VHD_RESIZE_SHRINK))
		return fail(VHD_E_INVALID,
			    "%s: %llu bytes are fewer than its %llu; shrink "
			    "its file systems first, then try: vhdtool resize "
			    "--shrink",
			    c->layers[0].path, (unsigned long long)size,
			    (unsigned long long)c->size);
	if (img->io->block_device)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: an image on a block device cannot be resized",
			    c->layers[0].path);
	if (img->type == VHD_TYPE_RAW)
		return 0;
	if (image_is_sparse(img) && size > MAX_DISK_SIZE)
		return fail(VHD_E_TOOBIG,
			    "%s: %llu bytes asked for, at most %llu (2040 "
			    "GiB) are possible; try: vhdtool convert -O fixed",
			    c->layers[0].path, (unsigned long long)size,
			    (unsigned long long)MAX_DISK_SIZE);
	if (img->footer.saved_state)
		return fail(VHD_E_POLICY,
			    "%s: a machine was suspended on it; start and "
			    "shut it down first",
			    c->layers[0].path);
	return check_children(c);
}

static int
plan(struct chain *c, struct job *job, uint64_t size)
{
	struct image *img = c->layers[0].img;
	struct vhd_plan p = VHD_PLAN_INIT;
	int err = c->fs->ops->free_space(&p.free, c->fs, c->layers[0].path);

	if (err)
		return err;
	p.final_size = img->file_size;
	if (!image_is_sparse(img)) {
		p.final_size = image_length_for(img->type, size, 0, 0);
	} else if (size > c->size) {
		p.peak_extra = (size - c->size) / img->block_size * 4 +
			       2 * image_region_bytes(img);
		p.final_size += (size - c->size) / img->block_size * 4;
	}
	p.fits = p.free >= p.peak_extra;
	return job_plan(job, c->layers[0].path, &p);
}

static int
resize_locked(struct chain *c, struct job *job, uint64_t size, uint32_t flags)
{
	int err = check_request(job, c, size, flags);

	if (!err)
		err = plan(c, job, size);
	if (err || job_dry_run(job))
		return err;
	err = chain_flush(c);
	if (!err)
		err = chain_resize_layer(c, 0, size);
	if (!err)
		job_finish(job);
	return err;
}

int
job_resize(struct chain *c, uint64_t size, uint32_t flags,
	   const struct vhd_job_opts *opts)
{
	struct job job;
	int err;

	err = job_take(c);
	if (err)
		return err;
	job_start(&job, opts);
	err = resize_locked(c, &job, size, flags);
	job_leave(c);
	return err;
}
