/* SPDX-License-Identifier: BSD-3-Clause */
/* locate.c - where could the parent of an image be?
 *
 * What an image says about its parent is a hostile string, so a path in it is
 * only a hint where to look: the UUID decides, and nothing is opened outside
 * the child's directory and the directories that the caller has named, as
 * they are once all links are resolved.  Files are opened without following a
 * link in their last part.  In this order (format 13.5):
 *
 *	1  relative paths from the locators, from the child's directory
 *	2  the last part of the stored name, in the child's directory
 *	3  absolute and climbing paths, where their directory is allowed
 *	4  any image in the child's directory
 *	5  in each search directory: the stored names, then any image
 *
 * A name that is not there as spelled is looked for in other case too. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/chain.h"
#include "chain/family.h"

#define FOUND_IT 1 /* ends a walk; no error code is positive */

struct hunt {
	const struct fs *fs;
	struct image *img;
	const char *child; /* its path */
	const uint8_t *uuid;
	bool raw;      /* a plain disk will do: there is no UUID */
	char *dir;     /* of the child, resolved */
	char **search; /* resolved */
	size_t nsearch;
	struct peek peek; /* of the file found */
	struct located result;
	char *refused;       /* a file that is there, outside of all that */
	struct error unread; /* why a file that may be it was not seen */
	char *twin; /* another one like that found; nobody knows which */
};

/* ---- Single files ------------------------------------------------------ */

static int
keep_path(char **ret, const char *path)
{
	if (*ret)
		return 0;
	*ret = strdup(path);
	return *ret ? 0 : fail_nomem();
}

/* Another file may be it: only if none is, this is why. */
static int
passed_over(struct hunt *h, int err)
{
	if (err == VHD_E_NOMEM)
		return err;
	if (family_unread(err) && !h->unread.code)
		error_save(&h->unread);
	return 0;
}

static bool
is_done(const struct hunt *h)
{
	return h->result.path != NULL;
}

static int
try_raw(struct hunt *h, const char *path)
{
	struct fs_stat st;
	int err = h->fs->ops->stat(&st, h->fs, path);

	if (err || !st.regular)
		return 0;
	h->result.raw = true;
	return keep_path(&h->result.path, path);
}

/* path is resolved, and in an allowed directory. */
static int
try_file(struct hunt *h, const char *path)
{
	struct peek peek;
	int err;

	if (h->raw)
		return try_raw(h, path);
	/* What the image names is not replaced by a copy found elsewhere. */
	err = image_peek(&peek, h->fs, path, 0);
	if (err)
		return family_unread(err);
	if (peek.block_device)
		return 0;
	if (!uuid_equal(peek.found.footer.uuid, h->uuid)) {
		/* A child may be called like its parent elsewhere. */
		if (!strcmp(path, h->child))
			return 0;
		return keep_path(&h->result.wrong, path);
	}
	h->peek = peek;
	return keep_path(&h->result.path, path);
}

/* A resolved directory that may be looked in. */
static bool
dir_allowed(const struct hunt *h, const char *dir)
{
	if (!strcmp(dir, h->dir) || path_is_below(dir, h->dir))
		return true;
	for (size_t i = 0; i < h->nsearch; i++)
		if (!strcmp(dir, h->search[i]))
			return true;
	return false;
}

static int
try_resolved(struct hunt *h, const char *path)
{
	AUTO_FREE char *dir = path_directory(path);

	if (!dir)
		return fail_nomem();
	if (dir_allowed(h, dir))
		return try_file(h, path);
	return keep_path(&h->refused, path);
}

/* ---- Names in other case ----------------------------------------------- */

struct fold {
	struct hunt *h;
	const char *dir;
	const char *name;
};

static int
try_folded(const char *name, void *user)
{
	struct fold *fold = user;
	AUTO_FREE char *path = NULL, *resolved = NULL;
	int err;

	if (strcasecmp(name, fold->name) != 0)
		return 0;
	path = path_join(fold->dir, name);
	if (!path)
		return fail_nomem();
	if (fold->h->fs->ops->resolve(&resolved, fold->h->fs, path))
		return 0;
	err = try_resolved(fold->h, resolved);
	return !err && is_done(fold->h) ? FOUND_IT : err;
}

/* Is there something like path but for the case of its last part? */
static int
try_other_case(struct hunt *h, const char *path)
{
	AUTO_FREE char *dir = path_directory(path), *resolved = NULL;
	struct fold fold = {.h = h, .name = path_name(path)};
	int err;

	if (!dir)
		return fail_nomem();
	if (h->fs->ops->resolve(&resolved, h->fs, dir) ||
	    !dir_allowed(h, resolved))
		return 0;
	fold.dir = resolved;
	err = h->fs->ops->list(h->fs, resolved, try_folded, &fold);
	return err == FOUND_IT ? 0 : err;
}

/* ---- Stored names ------------------------------------------------------ */

static int
try_name(struct hunt *h, const char *dir, const char *name)
{
	AUTO_FREE char *path = NULL, *resolved = NULL;
	int err;

	if (is_done(h) || !name[0])
		return 0;
	path = path_join(dir, name);
	if (!path)
		return fail_nomem();
	err = h->fs->ops->resolve(&resolved, h->fs, path);
	if (!err)
		return try_resolved(h, resolved);
	return err == VHD_E_NOMEM ? err : try_other_case(h, path);
}

/* Paths of other systems, "C:/x" and "//host/x", lead nowhere here. */
static bool
is_foreign(const char *path)
{
	return path_is_absolute(path) && (path[0] != '/' || path[1] == '/');
}

static const char *
last_part(const char *path)
{
	const char *last = path;

	for (const char *p = path; *p; p++)
		if (*p == '/' || *p == '\\' || *p == ':')
			last = p + 1;
	return last;
}

static bool
can_leave(const char *path)
{
	return path_is_absolute(path) || path_escapes(path);
}

static int
locator_path(char ret[static MAX_PATH_TEXT], struct hunt *h, unsigned index)
{
	int err = image_locator(ret, MAX_PATH_TEXT, h->img, index, true);

	return err ? passed_over(h, err) : 0;
}

/* Paths out of the locators, those that stay in the child's directory, or the
 * others. */
static int
try_locators(struct hunt *h, bool leaving)
{
	char path[MAX_PATH_TEXT];
	int err = 0;

	for (unsigned i = 0; i < MAX_LOCATORS && !err; i++) {
		err = locator_path(path, h, i);
		if (!err && !is_foreign(path) && can_leave(path) == leaving)
			err = try_name(h, h->dir, path);
	}
	return err;
}

static bool
stored_name(char ret[static MAX_PATH_TEXT], const struct hunt *h)
{
	return dynhdr_parent_name(ret, MAX_PATH_TEXT, &h->img->hdr) && ret[0];
}

/* The names alone, in one directory. */
static int
try_names_in(struct hunt *h, const char *dir)
{
	char path[MAX_PATH_TEXT];
	int err = 0;

	if (stored_name(path, h))
		err = try_name(h, dir, last_part(path));
	for (unsigned i = 0; i < MAX_LOCATORS && !err; i++) {
		err = locator_path(path, h, i);
		if (!err)
			err = try_name(h, dir, last_part(path));
	}
	return err;
}

/* ---- Whole directories ------------------------------------------------- */

/* Of two copies nobody knows which it is. */
static int
match(const char *path, const struct peek *peek, int err, void *user)
{
	struct hunt *h = user;

	if (!peek)
		return passed_over(h, err);
	if (!uuid_equal(peek->found.footer.uuid, h->uuid) ||
	    (is_done(h) && io_id_equal(peek->id, h->peek.id)))
		return 0;
	if (is_done(h))
		return keep_path(&h->twin, path);
	h->peek = *peek;
	return keep_path(&h->result.path, path);
}

static int
try_directory(struct hunt *h, const char *dir)
{
	int err;

	if (is_done(h) || h->raw)
		return 0;
	err = family_walk(h->fs, dir, match, h);
	return err ? passed_over(h, err) : 0;
}

static int
try_search(struct hunt *h)
{
	int err = 0;

	for (size_t i = 0; i < h->nsearch && !err; i++) {
		if (!strcmp(h->search[i], h->dir))
			continue;
		err = try_names_in(h, h->search[i]);
		if (!err)
			err = try_directory(h, h->search[i]);
	}
	return err;
}

/* ---- The whole hunt ---------------------------------------------------- */

/* Search directories that are not there are passed over. */
static int
prepare(struct hunt *h, const char *child_path, const struct chain_opts *opts)
{
	h->dir = path_directory(child_path);
	h->search = calloc(opts->nsearch + 1, sizeof(*h->search));
	if (!h->dir || !h->search)
		return fail_nomem();
	for (size_t i = 0; i < opts->nsearch; i++) {
		int err = h->fs->ops->resolve(&h->search[h->nsearch], h->fs,
					      opts->search[i]);

		if (err == VHD_E_NOMEM)
			return err;
		if (!err)
			h->nsearch++;
	}
	return 0;
}

static int
search_all(struct hunt *h)
{
	int err = try_locators(h, false);

	if (!err)
		err = try_names_in(h, h->dir);
	if (!err)
		err = try_locators(h, true);
	if (!err)
		err = try_directory(h, h->dir);
	return err ? err : try_search(h);
}

/* Some writers stored the time of the parent's file, one the time in its
 * footer; 0 says nothing (format 13.3). */
static bool
time_fits(const struct hunt *h)
{
	uint32_t time = h->img->hdr.parent_time;
	struct fs_stat st;

	if (!time || h->result.raw || time == h->peek.found.footer.timestamp)
		return true;
	return h->fs->ops->stat(&st, h->fs, h->result.path) ||
	       st.mtime - VHD_EPOCH == (int64_t)time;
}

static int
leads_to_result(bool *ret, const struct hunt *h, const char *path)
{
	AUTO_FREE char *joined = path_join(h->dir, path), *resolved = NULL;
	int err;

	if (!joined)
		return fail_nomem();
	err = h->fs->ops->resolve(&resolved, h->fs, joined);
	*ret = !err && !strcmp(resolved, h->result.path);
	return err == VHD_E_NOMEM ? err : 0;
}

/* Does a locator lead to what was found? */
static int
found_by_path(bool *ret, struct hunt *h)
{
	char path[MAX_PATH_TEXT];
	bool it = false;
	int err = 0;

	for (unsigned i = 0; i < MAX_LOCATORS && !err && !it; i++) {
		err = locator_path(path, h, i);
		if (!err && path[0] && !is_foreign(path))
			err = leads_to_result(&it, h, path);
	}
	*ret = it;
	return err;
}

static int
refuse(const struct hunt *h, const char *child_path)
{
	AUTO_FREE char *dir = path_directory(h->refused);

	return fail(
		VHD_E_POLICY,
		"%s: its parent should be %.150s, and that directory was "
		"not allowed; if you trust this image, try: --search %.150s",
		child_path, h->refused, dir ? dir : "DIR");
}

static int
refuse_twins(const struct hunt *h, const char *child_path)
{
	return fail(VHD_E_PARENT,
		    "%.100s: its parent may be %.100s or %.100s, which have "
		    "the same UUID; move one of them away, or try: vhdtool "
		    "rebase --unsafe --parent FILE",
		    child_path, h->result.path, h->twin);
}

static int
conclude(struct hunt *h, const char *child_path)
{
	struct located *l = &h->result;
	int err = 0;

	if (h->twin)
		return refuse_twins(h, child_path);
	if (l->path)
		err = found_by_path(&l->by_path, h);
	if (err)
		return err;
	if (l->path)
		l->status =
			time_fits(h) ? VHD_PARENT_OK : VHD_PARENT_TIME_DIFFERS;
	else if (l->wrong)
		l->status = VHD_PARENT_UUID_MISMATCH;
	else if (h->refused)
		return refuse(h, child_path);
	else if (h->unread.code)
		return error_restore(&h->unread);
	else
		l->status = VHD_PARENT_MISSING;
	return 0;
}

static void
free_hunt(struct hunt *h)
{
	for (size_t i = 0; i < h->nsearch; i++)
		free(h->search[i]);
	free(h->search);
	free(h->dir);
	free(h->refused);
	free(h->twin);
}

int
locate_parent(struct located *ret, const struct fs *fs, struct image *img,
	      const char *child_path, const struct chain_opts *opts)
{
	struct hunt h = {.fs = fs,
			 .img = img,
			 .child = child_path,
			 .uuid = img->hdr.parent_uuid};
	int err;

	h.raw = uuid_is_null(h.uuid);
	if (h.raw && !(opts->flags & VHD_OPEN_RAW_PARENT))
		return fail(
			VHD_E_POLICY,
			"%s: its parent has no UUID, so that it cannot be "
			"told from any other file; if you trust this image, "
			"try: --raw-parent",
			child_path);
	err = prepare(&h, child_path, opts);
	if (!err)
		err = search_all(&h);
	if (!err)
		err = conclude(&h, child_path);
	if (err)
		located_free(&h.result);
	else
		*ret = h.result;
	free_hunt(&h);
	return err;
}

void
located_free(struct located *l)
{
	free(l->path);
	free(l->wrong);
	*l = (struct located){0};
}
