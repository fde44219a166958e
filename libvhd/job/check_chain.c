/* SPDX-License-Identifier: BSD-3-Clause */
/* check_chain.c - rules V100 to V111: the parents of an image, and how they
 * fit (format 13, 20.4).
 *
 * A parent is looked for as it is when the disk is opened, by UUID and within
 * the same policy; nothing else is read.  That an image is about to be written
 * to although others stand on it (V112) shows when it is opened, not in a
 * file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/chain.h"
#include "image/image.h"
#include "job/check.h"

struct seen {
	struct io_id id;
	uint8_t uuid[16];
};

struct walk {
	struct check_job *job;
	struct chain_opts opts;
	struct seen *seen; /* leaf first; owned */
	uint32_t depth;

	/* The image whose parent comes next. */
	char *path; /* absolute, links resolved; owned */
	struct checked child;
	struct findings findings; /* about its parent */
};

static void __attribute__((format(printf, 4, 5)))
tell(struct walk *w, enum check_rule rule, enum vhd_severity severity,
     const char *fmt, ...)
{
	uint64_t at = w->child.found.footer.data_offset +
		      offsetof(struct disk_dynhdr, parent_uuid);
	va_list args;

	va_start(args, fmt);
	findings_vadd(&w->findings, rule, severity, false, at, fmt, args);
	va_end(args);
}

static int
remember(struct walk *w)
{
	struct seen *more = realloc(w->seen, (w->depth + 1) * sizeof(*more));

	if (!more)
		return fail_nomem();
	w->seen = more;
	more[w->depth].id = w->child.stat.id;
	memcpy(more[w->depth].uuid, w->child.found.footer.uuid, 16);
	w->depth++;
	return 0;
}

/* ---- Finding the parent ------------------------------------------------- */

static int
open_child(struct image **ret, struct walk *w)
{
	const struct fs *fs = w->job->fs;
	struct io *io;
	int err = fs->ops->open(&io, fs, w->path, 0);

	return err ? err : image_open(ret, io, IMAGE_DAMAGED);
}

static int
is_about_the_file(int err)
{
	return err == VHD_E_FORMAT || err == VHD_E_CORRUPT ||
	       err == VHD_E_UNSUPPORTED;
}

static void
tell_refused(struct walk *w)
{
	if (uuid_is_null(w->child.found.hdr.parent_uuid))
		tell(w, V109, VHD_ERROR,
		     "the parent has no UUID, so it is a plain disk, which "
		     "must be allowed explicitly");
	else
		tell(w, V110, VHD_ERROR, "%s", error_message());
}

static void
tell_missing(struct walk *w, const struct located *found)
{
	char uuid[UUID_TEXT_SIZE];

	uuid_text(uuid, w->child.found.hdr.parent_uuid);
	if (found->status == VHD_PARENT_UUID_MISMATCH)
		tell(w, V101, VHD_ERROR,
		     "%.200s is not its parent, which has the UUID %s",
		     found->wrong ? found->wrong : "the file found", uuid);
	else
		tell(w, V100, VHD_ERROR,
		     "the parent with the UUID %s is neither in its directory "
		     "nor in one to search",
		     uuid);
}

/* ret->path is NULL when there is none; why is told. */
static int
locate(struct located *ret, struct walk *w)
{
	AUTO(image_close) struct image *img = NULL;
	int err = open_child(&img, w);

	*ret = (struct located){.path = NULL};
	if (is_about_the_file(err)) {
		tell(w, V100, VHD_ERROR, "the parent cannot be looked for: %s",
		     error_message());
		return 0;
	}
	if (err)
		return err;
	err = locate_parent(ret, w->job->fs, img, w->path, &w->opts);
	if (err == VHD_E_POLICY) {
		tell_refused(w);
		return 0;
	}
	if (!err && !ret->path)
		tell_missing(w, ret);
	return err;
}

/* ---- How it fits -------------------------------------------------------- */

/* *ret: the chain ends here. */
static void
loop_rules(bool *ret, struct walk *w, const char *path,
	   const struct fs_stat *parent)
{
	*ret = true;
	for (uint32_t i = 0; i < w->depth; i++) {
		if (io_id_equal(w->seen[i].id, parent->id)) {
			tell(w, V103, VHD_FATAL,
			     "the parent is %.200s, which stands on this "
			     "image",
			     path);
			return;
		}
	}
	if (w->depth >= w->opts.max_depth) {
		tell(w, V105, VHD_FATAL, "the chain is deeper than %u images",
		     w->opts.max_depth);
		return;
	}
	*ret = false;
}

static void
twin_rule(struct walk *w, const char *path, const struct checked *parent)
{
	for (uint32_t i = 0; parent->usable && i < w->depth; i++)
		if (uuid_equal(w->seen[i].uuid, parent->found.footer.uuid))
			tell(w, V104, VHD_ERROR,
			     "%.200s has the UUID of an image above it: one "
			     "is a copy of the other",
			     path);
}

/* Copying a file changes its time as well, so this says little. */
static void
time_rules(struct walk *w, const struct located *found,
	   const struct checked *parent)
{
	const struct found *child = &w->child.found;
	int64_t stored = (int64_t)child->hdr.parent_time + VHD_EPOCH;
	int64_t created = (int64_t)child->footer.timestamp + VHD_EPOCH;

	if (found->status == VHD_PARENT_TIME_DIFFERS)
		tell(w, V102, VHD_WARNING,
		     "the parent was changed at %" PRId64
		     ", the child says %" PRId64 " (Unix time)",
		     parent->stat.mtime, stored);
	else if (!child->hdr.parent_time && parent->stat.mtime > created)
		tell(w, V107, VHD_NOTE,
		     "the parent was written to or copied after this child "
		     "was made");
}

static void
size_rule(struct walk *w, const struct located *found,
	  const struct checked *parent)
{
	uint64_t mine = w->child.found.footer.current_size;
	uint64_t its = found->raw ? parent->stat.size
				  : parent->found.footer.current_size;

	if ((found->raw || parent->usable) && mine != its)
		tell(w, V106, VHD_WARNING,
		     "a disk of %" PRIu64 " bytes on a parent of %" PRIu64
		     "; Windows refuses it",
		     mine, its);
}

static int
place_rule(struct walk *w, const char *path)
{
	AUTO_FREE char *dir = path_directory(w->path);

	if (!dir)
		return fail_nomem();
	if (!path_is_below(path, dir))
		tell(w, V110, VHD_WARNING,
		     "the parent is outside the image's directory: %.200s",
		     path);
	return 0;
}

static void
state_rules(struct walk *w, const char *path, const struct checked *parent)
{
	if (parent->bad)
		tell(w, V108, VHD_ERROR,
		     "the parent %.150s is damaged: %" PRIu64
		     " errors, the first %s",
		     path, parent->bad, parent->first);
	if (parent->usable && parent->found.footer.saved_state == 1)
		tell(w, V111, VHD_WARNING, "the parent is in saved state");
}

/* Somebody who writes to a parent is told of; it is examined all the same. */
static int
examine_parent(struct checked *ret, struct walk *w, const char *path)
{
	int err = check_file(ret, w->job, path, false, true);

	if (err != VHD_E_BUSY)
		return err;
	tell(w, V111, VHD_WARNING, "the parent is being written to: %s",
	     error_message());
	return check_file(ret, w->job, path, false, false);
}

/* ---- The walk ----------------------------------------------------------- */

static int
judge(struct checked *ret, bool *ret_end, struct walk *w,
      const struct located *found)
{
	const struct fs *fs = w->job->fs;
	int err = fs->ops->stat(&ret->stat, fs, found->path);

	if (err)
		return err;
	loop_rules(ret_end, w, found->path, &ret->stat);
	if (*ret_end)
		return 0;
	if (!found->raw) {
		err = examine_parent(ret, w, found->path);
		if (err)
			return err;
		twin_rule(w, found->path, ret);
		state_rules(w, found->path, ret);
	}
	time_rules(w, found, ret);
	size_rule(w, found, ret);
	*ret_end = found->raw || !ret->usable;
	return place_rule(w, found->path);
}

/* One parent.  *ret_end: it was the last. */
static int
step(bool *ret_end, struct walk *w)
{
	struct located found;
	struct checked parent = {.usable = false};
	int err;

	*ret_end = true;
	err = remember(w);
	if (!err)
		err = locate(&found, w);
	if (err)
		return err;
	if (found.path)
		err = judge(&parent, ret_end, w, &found);
	if (!err && !*ret_end) {
		free(w->path);
		w->path = TAKE(found.path);
		w->child = parent;
	}
	located_free(&found);
	return err;
}

static bool
has_parent(const struct walk *w)
{
	return w->child.usable &&
	       w->child.found.footer.type == VHD_TYPE_DIFFERENCING;
}

static int
walk_down(struct walk *w)
{
	bool end = !has_parent(w);
	int err = 0;

	while (!err && !end) {
		err = findings_init(&w->findings, w->path);
		if (!err)
			err = step(&end, w);
		if (!err)
			err = findings_finish(&w->findings);
		if (!err)
			err = check_tell(w->job, &w->findings);
		findings_free(&w->findings);
		end |= !has_parent(w);
	}
	return err;
}

int
check_chain(struct check_job *job, const char *path, const struct checked *leaf)
{
	const struct vhd_open_opts *open = job->opts->open;
	struct walk w = {
		.job = job,
		.opts = {.flags = job->open_flags,
			 .max_depth = CHAIN_DEPTH_DEFAULT},
		.child = *leaf,
	};
	int err;

	if (job->open_flags & VHD_OPEN_NOPARENT)
		return 0;
	if (open) {
		w.opts.search = open->search;
		w.opts.nsearch = open->nsearch;
		if (open->max_depth)
			w.opts.max_depth = open->max_depth;
	}
	err = job->fs->ops->resolve(&w.path, job->fs, path);
	if (!err)
		err = walk_down(&w);
	free(w.seen);
	free(w.path);
	return err;
}
