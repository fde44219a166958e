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
#include "control/client.h"
#include "control/server.h"
#include "info.h"
#include "io/holder.h"
#include "job/check.h"
#include "job/jobs.h"
#include "tree/relink.h"
#include "tree/scan.h"
#include "tree/snapshot.h"

/* Copy a struct that begins with its size.  Fields that the caller does not
 * know are zero; fields that we do not know must be. */
static int
copy_opts(void *to, size_t to_size, const void *from)
{
	const unsigned char *bytes = from;
	size_t size;

	memset(to, 0, to_size);
	if (!from) {
		memcpy(to, &to_size, sizeof(to_size));
		return 0;
	}
	memcpy(&size, from, sizeof(size));
	if (size < sizeof(size) || size > 4096)
		return fail(VHD_E_INVALID,
			    "an options struct was not started with its "
			    "_INIT macro (its size is %zu)",
			    size);
	for (size_t i = to_size; i < size; i++)
		if (bytes[i])
			return fail(VHD_E_INVALID,
				    "an option that this version of libvhd "
				    "does not know is set");
	memcpy(to, from, size < to_size ? size : to_size);
	return 0;
}

#define COPY(to, from) copy_opts(&(to), sizeof(to), from)

/* Hand out a result of which the caller may know only the first part. */
static void
give(void *ret, const void *from, size_t size)
{
	size_t known;

	memcpy(&known, ret, sizeof(known));
	if (known > size)
		known = size;
	memcpy((char *)ret + sizeof(known), (const char *)from + sizeof(known),
	       known - sizeof(known));
}

static int
need(const void *argument, const char *name)
{
	if (argument)
		return 0;
	return fail(VHD_E_INVALID, "the argument %s is NULL", name);
}

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

static int
chain_opts_from(struct chain_opts *ret, const struct vhd_open_opts *opts)
{
	struct vhd_open_opts o;
	int err = COPY(o, opts);

	if (!err && (o.flags & VHD_OPEN_DAMAGED) && (o.flags & VHD_OPEN_RDWR))
		err = fail(VHD_E_INVALID,
			   "a disk cannot be opened for writing and as "
			   "damaged; repair it first");
	*ret = (struct chain_opts){.flags = o.flags,
				   .max_depth = o.max_depth,
				   .search = o.search,
				   .nsearch = o.search ? o.nsearch : 0};
	return err;
}

int
vhd_open(vhd_t **ret, const char *path, const struct vhd_open_opts *opts)
{
	AUTO_FREE vhd_t *vhd = NULL;
	struct chain_opts o;
	int err = need(ret, "ret");

	if (!err)
		err = need(path, "path");
	if (!err)
		err = chain_opts_from(&o, opts);
	if (err)
		return err;
	vhd = calloc(1, sizeof(*vhd));
	if (!vhd)
		return fail_nomem();
	pthread_mutex_init(&vhd->info_lock, NULL);
	err = chain_open(&vhd->chain, &fs_posix, path, &o);
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
		give(ret, &info, sizeof(info));
	return err;
}

int
vhd_get_holder(struct vhd_holder *ret, const char *path)
{
	struct vhd_holder holder = VHD_HOLDER_INIT;
	int err = holder_find(&holder, path);

	if (!err)
		give(ret, &holder, sizeof(holder));
	return err;
}

/* ---- Jobs ---- */

/* The options of a job, or NULL. */
static int
job_opts_from(const struct vhd_job_opts **ret, struct vhd_job_opts *room,
	      const struct vhd_job_opts *opts)
{
	*ret = opts ? room : NULL;
	return opts ? copy_opts(room, sizeof(*room), opts) : 0;
}

int
vhd_create(const char *path, const struct vhd_create_opts *opts)
{
	struct vhd_create_opts o;
	int err = COPY(o, opts);

	if (!err)
		err = need(path, "path");
	return err ? err : job_create(&fs_posix, path, &o);
}

int
vhd_check(struct vhd_check_result *ret, const char *path,
	  const struct vhd_check_opts *opts)
{
	struct vhd_check_result result = VHD_CHECK_RESULT_INIT;
	struct vhd_check_opts o;
	int err = COPY(o, opts);

	if (!err)
		err = need(path, "path");
	if (!err)
		err = job_check(&result, &fs_posix, path, &o);
	if (!err && ret)
		give(ret, &result, sizeof(result));
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
		give(ret, &m, sizeof(m));
	return err;
}

int
vhd_compare(uint64_t *ret_offset, vhd_t *a, vhd_t *b,
	    const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = job_opts_from(&o, &room, job);

	return err ? err : job_compare(ret_offset, a->chain, b->chain, o);
}

int
vhd_convert(vhd_t *src, const char *path, const struct vhd_convert_opts *opts)
{
	struct vhd_convert_opts o;
	int err = COPY(o, opts);

	return err ? err : job_convert(src->chain, path, &o);
}

int
vhd_convert_to_fd(vhd_t *src, int fd, const struct vhd_convert_opts *opts)
{
	struct vhd_convert_opts o;
	int err = COPY(o, opts);

	return err ? err : job_convert_to_fd(src->chain, fd, &o);
}

int
vhd_convert_from_fd(int fd, const char *path,
		    const struct vhd_convert_opts *opts)
{
	struct vhd_convert_opts o;
	int err = COPY(o, opts);

	return err ? err : job_convert_from_fd(&fs_posix, fd, path, &o);
}

int
vhd_merge(vhd_t *vhd, const struct vhd_merge_opts *opts)
{
	struct vhd_merge_opts o;
	int err = COPY(o, opts);

	return err ? err : job_merge(vhd->chain, &o);
}

int
vhd_compact(vhd_t *vhd, enum vhd_compact_mode mode,
	    const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = job_opts_from(&o, &room, job);

	return err ? err : job_compact(vhd->chain, mode, o);
}

int
vhd_resize(vhd_t *vhd, uint64_t virtual_size, uint32_t flags,
	   const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = job_opts_from(&o, &room, job);

	return err ? err : job_resize(vhd->chain, virtual_size, flags, o);
}

int
vhd_rebase(vhd_t *vhd, const char *parent, uint32_t flags,
	   const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = job_opts_from(&o, &room, job);

	if (!err)
		err = need(parent, "parent");
	return err ? err : job_rebase(vhd->chain, parent, flags, o);
}

/* ---- Trees ---- */

int
vhd_relink(const char *path, const char *const *search, size_t nsearch,
	   bool dry_run, vhd_relinked_fn fn, void *user)
{
	int err = need(path, "path");

	return err ? err
		   : tree_relink(&fs_posix, path, search, search ? nsearch : 0,
				 dry_run, fn, user);
}

int
vhd_tree_scan(vhd_tree_t **ret, const char *const *paths, size_t npaths)
{
	int err = need(ret, "ret");

	if (!err)
		err = need(paths, "paths");
	return err ? err : tree_scan(ret, &fs_posix, paths, npaths);
}

void
vhd_tree_free(vhd_tree_t *tree)
{
	tree_free(tree);
}

size_t
vhd_tree_count(const vhd_tree_t *tree)
{
	return tree ? tree->n : 0;
}

const struct vhd_tree_node *
vhd_tree_get(const vhd_tree_t *tree, size_t index)
{
	return tree && index < tree->n ? &tree->entries[index].node : NULL;
}

/* ---- Snapshots ---- */

/* A disk with the options of one call. */
struct call {
	struct vhd_snapshot_opts opts;
	struct vhd_job_opts job;
	struct disk_place place;
};

static int
call_init(struct call *ret, const char *disk, const char *name,
	  const struct vhd_snapshot_opts *opts)
{
	int err = COPY(ret->opts, opts);

	if (!err)
		err = need(disk, "disk");
	if (!err)
		err = need(name, "name");
	if (!err)
		err = job_opts_from(&ret->opts.job, &ret->job, ret->opts.job);
	if (!ret->opts.search)
		ret->opts.nsearch = 0;
	return err ? err
		   : disk_place_init(&ret->place, &fs_posix, disk, &ret->opts);
}

int
vhd_snapshot_create(const char *disk, const char *name,
		    const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = snapshot_create(&call.place, name);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_live(vhd_t *vhd, const char *name)
{
	int err = need(name, "name");

	return err ? err : snapshot_create_live(vhd->chain, name);
}

int
vhd_snapshot_revert(const char *disk, const char *name, const char *keep,
		    const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = snapshot_revert(&call.place, name, keep);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_delete(const char *disk, const char *name,
		    const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = snapshot_delete(&call.place, name);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_rename(const char *disk, const char *name, const char *new_name,
		    const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = need(new_name, "new_name");
	if (!err)
		err = snapshot_rename(&call.place, name, new_name);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_clone(const char *disk, const char *name, const char *path,
		   const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = call_init(&call, disk, name, opts);

	if (err)
		return err;
	err = need(path, "path");
	if (!err)
		err = snapshot_clone(&call.place, name, path);
	disk_place_free(&call.place);
	return err;
}

int
vhd_snapshot_tree(vhd_tree_t **ret, const char *disk,
		  const struct vhd_snapshot_opts *opts)
{
	struct call call;
	int err = need(ret, "ret");

	if (!err)
		err = call_init(&call, disk, "", opts);
	if (err)
		return err;
	err = kin_scan(ret, &call.place, false);
	disk_place_free(&call.place);
	return err;
}

/* ---- Control ---- */

int
vhd_control_start(vhd_control_t **ret, vhd_t *vhd,
		  const struct vhd_control_opts *opts)
{
	struct vhd_control_opts o;
	struct control *c;
	int err = COPY(o, opts);

	if (!err)
		err = control_start(&c, vhd->chain, &o);
	if (!err)
		*ret = (vhd_control_t *)c;
	return err;
}

void
vhd_control_stop(vhd_control_t *control)
{
	control_stop((struct control *)control);
}

int
vhd_control_call(char **ret_json, const char *disk, const char *command,
		 const char *arguments, const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = job_opts_from(&o, &room, job);

	if (!err)
		err = need(disk, "disk");
	if (!err)
		err = need(command, "command");
	return err ? err : client_call(ret_json, disk, command, arguments, o);
}
