/* SPDX-License-Identifier: BSD-3-Clause */
/* api.c - the door: one function for each line of vhd.h.
 *
 * Arguments are checked here, once, and options are copied so that those of a
 * program built against an older header are complete. */
#include <stdlib.h>
#include <string.h>

#include <vhd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "chain/chain.h"
#include "door.h"
#include "info.h"
#include "io/holder.h"
#include "io/io_nbd.h"
#include "job/check.h"
#include "job/jobs.h"
#include "tree/snapshot.h"

/* ---- Errors ---- */

const char *
vhd_last_message(void)
{
	return error_message();
}

const char *
vhd_err_name(int err)
{
	return error_name(err);
}

int
vhd_errno(void)
{
	struct error last;

	error_save(&last);
	return last.sys ? last.sys : error_errno_of(last.code);
}

/* ---- Open and close ---- */

/* What is read in another way than it is stored cannot be written. */
#define FOR_SALVAGE                                                            \
	(VHD_OPEN_DAMAGED | VHD_OPEN_IGNORE_BITMAP | VHD_OPEN_SIZE_CHS)

static int
chain_opts_from(struct chain_opts *ret, const struct vhd_open_opts *opts)
{
	struct vhd_open_opts o;
	int err = COPY_OPTS(o, opts);

	if (!err && (o.flags & FOR_SALVAGE) && (o.flags & VHD_OPEN_RDWR))
		err = fail(VHD_E_INVALID,
			   "a disk cannot be opened for writing and as "
			   "damaged, without its bitmaps or with another "
			   "size; repair it, or copy what can be read");
	*ret = (struct chain_opts){.flags = o.flags,
				   .max_depth = o.max_depth,
				   .search = o.search,
				   .nsearch = o.search ? o.nsearch : 0};
	return err;
}

/* Where a disk is that the caller named. */
static int
place_of(const struct fs **ret, const char *path, uint32_t flags)
{
	*ret = io_nbd_fs_of(path, &fs_posix);
	if (*ret == &fs_posix || flags & VHD_OPEN_RAW)
		return 0;
	return fail(VHD_E_UNSUPPORTED,
		    "%s: an NBD server shows a plain disk, not a VHD file; "
		    "name the format (-f raw)",
		    path);
}

int
vhd_open(vhd_t **ret, const char *path, const struct vhd_open_opts *opts)
{
	AUTO_FREE vhd_t *vhd = NULL;
	const struct fs *fs;
	struct chain_opts o;
	int err = door_need(ret, "ret");

	if (!err)
		err = door_need(path, "path");
	if (!err)
		err = chain_opts_from(&o, opts);
	if (!err)
		err = place_of(&fs, path, o.flags);
	if (err)
		return err;
	vhd = calloc(1, sizeof(*vhd));
	if (!vhd)
		return fail_nomem();
	pthread_mutex_init(&vhd->info_lock, NULL);
	err = tree_open(&vhd->chain, fs, path, &o);
	if (err)
		return err;
	*ret = TAKE(vhd);
	return 0;
}

int
vhd_close(vhd_t *vhd)
{
	int err;

	if (!vhd)
		return 0;
	info_free(vhd);
	err = chain_close(vhd->chain);
	pthread_mutex_destroy(&vhd->info_lock);
	free(vhd);
	return err;
}

/* ---- Read and write ---- */

int
vhd_pread(vhd_t *vhd, void *buf, size_t len, uint64_t offset)
{
	return chain_pread(vhd->chain, buf, len, offset);
}

int
vhd_pwrite(vhd_t *vhd, const void *buf, size_t len, uint64_t offset,
	   uint32_t flags)
{
	return chain_pwrite(vhd->chain, buf, len, offset, flags);
}

int
vhd_zero(vhd_t *vhd, uint64_t offset, uint64_t len, uint32_t flags)
{
	return chain_zero(vhd->chain, offset, len, flags);
}

int
vhd_discard(vhd_t *vhd, uint64_t offset, uint64_t len, uint32_t flags)
{
	return chain_discard(vhd->chain, offset, len, flags);
}

int
vhd_flush(vhd_t *vhd)
{
	return chain_flush(vhd->chain);
}

int
vhd_cache(vhd_t *vhd, uint64_t offset, uint64_t len)
{
	if (!range_ok(offset, len, vhd->chain->size))
		return fail(VHD_E_RANGE, "%llu bytes at %llu asked for",
			    (unsigned long long)len,
			    (unsigned long long)offset);
	chain_readahead(vhd->chain, offset, len);
	return 0;
}

int
vhd_extents(vhd_t *vhd, uint64_t offset, uint64_t len, vhd_extent_fn fn,
	    void *user)
{
	return chain_extents(vhd->chain, offset, len, fn, user);
}

/* ---- Look at a disk ---- */

uint64_t
vhd_size(const vhd_t *vhd)
{
	return vhd->chain->size;
}

uint32_t
vhd_depth(const vhd_t *vhd)
{
	return vhd->chain->depth;
}

int
vhd_get_info(struct vhd_info *ret, vhd_t *vhd, uint32_t layer)
{
	struct vhd_info info = VHD_INFO_INIT;
	int err;

	/* While the gate of a window is held the layers stay as they are. */
	gate_share(&vhd->chain->gate, 0);
	if (layer >= vhd->chain->depth)
		err = fail(VHD_E_INVALID,
			   "layer %u asked for, the chain has %u", layer,
			   vhd->chain->depth);
	else
		err = info_fill(&info, vhd, layer);
	gate_unshare(&vhd->chain->gate, 0);
	if (!err)
		door_give(ret, &info, sizeof(info));
	return err;
}

int
vhd_get_holder(struct vhd_holder *ret, const char *path)
{
	struct vhd_holder holder = VHD_HOLDER_INIT;
	int err = holder_find(&holder, path);

	if (!err)
		door_give(ret, &holder, sizeof(holder));
	return err;
}

/* ---- Jobs ---- */

int
vhd_create(const char *path, const struct vhd_create_opts *opts)
{
	struct vhd_create_opts o;
	int err = COPY_OPTS(o, opts);

	if (!err)
		err = door_need(path, "path");
	return err ? err : job_create(&fs_posix, path, &o);
}

int
vhd_check(struct vhd_check_result *ret, const char *path,
	  const struct vhd_check_opts *opts)
{
	struct vhd_check_result result = VHD_CHECK_RESULT_INIT;
	struct vhd_check_opts o;
	int err = COPY_OPTS(o, opts);

	if (!err)
		err = door_need(path, "path");
	if (!err)
		err = job_check(&result, &fs_posix, path, &o);
	if (!err && ret)
		door_give(ret, &result, sizeof(result));
	return err;
}

int
vhd_undo(const char *path, const char *undo)
{
	return job_undo(&fs_posix, path, undo);
}

int
vhd_measure(struct vhd_measure *ret, vhd_t *vhd)
{
	struct vhd_measure m = VHD_MEASURE_INIT;
	int err = job_measure(&m, vhd->chain);

	if (!err)
		door_give(ret, &m, sizeof(m));
	return err;
}

int
vhd_compare(uint64_t *ret_offset, vhd_t *a, vhd_t *b,
	    const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = door_job_opts(&o, &room, job);

	return err ? err : job_compare(ret_offset, a->chain, b->chain, o);
}

int
vhd_convert(vhd_t *src, const char *path, const struct vhd_convert_opts *opts)
{
	struct vhd_convert_opts o;
	int err = COPY_OPTS(o, opts);

	return err ? err
		   : job_convert(src->chain, io_nbd_fs_of(path, &fs_posix),
				 path, &o);
}

int
vhd_convert_to_fd(vhd_t *src, int fd, const struct vhd_convert_opts *opts)
{
	struct vhd_convert_opts o;
	int err = COPY_OPTS(o, opts);

	return err ? err : job_convert_to_fd(src->chain, fd, &o);
}

int
vhd_convert_from_fd(int fd, const char *path,
		    const struct vhd_convert_opts *opts)
{
	struct vhd_convert_opts o;
	int err = COPY_OPTS(o, opts);

	return err ? err
		   : job_convert_from_fd(io_nbd_fs_of(path, &fs_posix), fd,
					 path, &o);
}

int
vhd_merge(vhd_t *vhd, const struct vhd_merge_opts *opts)
{
	struct vhd_merge_opts o;
	int err = COPY_OPTS(o, opts);

	return err ? err : job_merge(vhd->chain, &o);
}

int
vhd_compact(vhd_t *vhd, enum vhd_compact_mode mode,
	    const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = door_job_opts(&o, &room, job);

	return err ? err : job_compact(vhd->chain, mode, o);
}

int
vhd_resize(vhd_t *vhd, uint64_t virtual_size, uint32_t flags,
	   const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = door_job_opts(&o, &room, job);

	return err ? err : job_resize(vhd->chain, virtual_size, flags, o);
}

int
vhd_rebase(vhd_t *vhd, const char *parent, uint32_t flags,
	   const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = door_job_opts(&o, &room, job);

	if (!err)
		err = door_need(parent, "parent");
	return err ? err : job_rebase(vhd->chain, parent, flags, o);
}
