/* SPDX-License-Identifier: BSD-3-Clause */
/* kin.c - the images of the tree that one disk belongs to.
 *
 * Looked for in the disk's directory and those that the caller named; where
 * the root found there stands on an image elsewhere, to which its links lead
 * under the usual policy, in the directory of that as well. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/names.h"
#include "image/image_peek.h"
#include "tree/snapshot.h"

static int
add_dir(struct disk_place *d, const char *path)
{
	char **more = realloc(d->dirs, (d->ndirs + 1) * sizeof(*more));

	if (!more)
		return fail_nomem();
	d->dirs = more;
	more[d->ndirs] = path_directory(path);
	if (!more[d->ndirs])
		return fail_nomem();
	d->ndirs++;
	return 0;
}

static bool
is_known_dir(const struct disk_place *d, const char *path)
{
	AUTO_FREE char *dir = path_directory(path);

	for (size_t i = 0; dir && i < d->ndirs; i++)
		if (!strcmp(d->dirs[i], dir))
			return true;
	return false;
}

/* Where is the parent of an image that no directory looked at so far has?
 * *ret is left alone when nobody knows. */
static int
locate(char **ret, const struct disk_place *d, const char *path)
{
	struct chain_opts opts = disk_chain_opts(d, 0);
	AUTO(image_close) struct image *img = NULL;
	struct located found;
	struct io *io;
	int err = d->fs->ops->open(&io, d->fs, path, FS_OPEN_NOFOLLOW);

	if (!err)
		err = image_open(&img, io, 0);
	if (!err)
		err = locate_parent(&found, d->fs, img, path, &opts);
	if (err)
		return err == VHD_E_NOMEM ? err : 0;
	if (!found.raw)
		*ret = TAKE(found.path);
	located_free(&found);
	return 0;
}

const struct entry *
kin_at(const struct vhd_tree *kin, const char *path)
{
	for (size_t i = 0; i < kin->n; i++)
		if (!strcmp(kin->entries[i].path, path))
			return &kin->entries[i];
	return NULL;
}

bool
kin_has_children(const struct vhd_tree *kin, const char *path)
{
	const struct entry *e = kin_at(kin, path);

	return e && e->node.nchildren;
}

static const struct entry *
root_of(const struct vhd_tree *tree, const struct entry *e)
{
	while (e->node.parent != SIZE_MAX)
		e = &tree->entries[e->node.parent];
	return e;
}

/* One more directory to look at?  *ret is false when there is none. */
static int
climb(bool *ret, struct disk_place *d, const struct entry *root)
{
	AUTO_FREE char *parent = NULL;
	int err = 0;

	*ret = false;
	if (!root->node.orphan)
		return 0;
	err = locate(&parent, d, root->path);
	if (err || !parent || is_known_dir(d, parent))
		return err;
	*ret = true;
	return add_dir(d, parent);
}

/* Deleting a root makes a tree for each of its children, so the disk's name
 * on a snapshot beside it counts as well. */
bool
kin_is_by_name(const struct entry *e, const struct disk_place *d)
{
	bool named = e->name || e->node.merging;
	AUTO_FREE char *disk = named ? disk_path(e->path) : NULL;

	return !strcmp(e->path, d->path) || (disk && !strcmp(disk, d->path));
}

static int
fail_unreadable(const struct entry *e)
{
	bool named = strstr(e->message, e->path);

	return fail(e->node.err,
		    "%s%s%s; until that is mended or moved away nobody knows "
		    "what it stands on",
		    named ? "" : e->path, named ? "" : ": ", e->message);
}

/* What cannot be read may stand on anything. */
static int
check_readable(const struct vhd_tree *tree, const struct disk_place *d)
{
	for (size_t i = 0; i < tree->n; i++) {
		const struct entry *e = &tree->entries[i];

		if (e->node.err && kin_is_by_name(e, d))
			return fail_unreadable(e);
	}
	return 0;
}

/* Leave only trees with something of ours; each lies together. */
static void
keep_ours(struct vhd_tree *tree, const struct disk_place *d)
{
	size_t kept = 0;

	for (size_t root = 0, end; root < tree->n; root = end) {
		bool ours = kin_is_by_name(&tree->entries[root], d);

		end = root + 1;
		while (end < tree->n &&
		       tree->entries[end].node.parent != SIZE_MAX)
			ours |= kin_is_by_name(&tree->entries[end++], d);
		for (size_t i = root; i < end; i++) {
			struct entry *e = &tree->entries[i];

			if (e->node.parent != SIZE_MAX)
				e->node.parent -= root - kept;
			if (!ours)
				entry_free(e);
		}
		if (!ours)
			continue;
		memmove(tree->entries + kept, tree->entries + root,
			(end - root) * sizeof(*tree->entries));
		kept += end - root;
	}
	tree->n = kept;
}

int
kin_scan(struct vhd_tree **ret, struct disk_place *d, bool all)
{
	AUTO(tree_free) struct vhd_tree *tree = NULL;
	bool again = true;
	int err = 0;

	while (again && !err) {
		const struct entry *live;

		tree_free(TAKE(tree));
		again = false;
		err = tree_scan_for(&tree, d->fs, d->path,
				    (const char *const *)d->dirs, d->ndirs);
		live = err ? NULL : kin_at(tree, d->path);
		if (live && !live->node.err)
			err = climb(&again, d, root_of(tree, live));
	}
	if (!err && all)
		err = check_readable(tree, d);
	if (err)
		return err;
	keep_ours(tree, d);
	*ret = TAKE(tree);
	return 0;
}

/* ---- Find ---- */

/* disk@NAME.vhd in whatever directory. */
static bool
is_snapshot_called(const struct entry *e, const struct disk_place *d,
		   const char *name)
{
	AUTO_FREE char *disk = disk_path(path_name(e->path));

	return e->name && disk && !strcmp(e->name, name) &&
	       !strcmp(disk, path_name(d->path));
}

static bool
is_wanted(const struct entry *e, const struct disk_place *d, const char *name)
{
	uint8_t uuid[16];

	return is_snapshot_called(e, d, name) ||
	       !strcmp(path_name(e->path), name) ||
	       (uuid_read(uuid, name) && uuid_equal(uuid, e->node.uuid));
}

static int
check_found(const struct entry *e, const struct disk_place *d)
{
	if (!strcmp(e->path, d->path))
		return fail(VHD_E_INVALID,
			    "%s: is the live disk, not a snapshot", e->path);
	if (e->node.merging)
		return fail(VHD_E_POLICY,
			    "%s: a merge into it is not finished, so its state "
			    "is gone; try: vhdtool snapshot list %s",
			    e->path, d->path);
	return 0;
}

/* A file that cannot be read is in no tree. */
static int
fail_not_found(const struct disk_place *d, const char *name)
{
	AUTO_FREE char *path = snapshot_path(d->path, name);
	struct peek peek;
	int err;

	if (!path)
		return fail_nomem();
	if (snapshot_name_valid(name)) {
		err = image_peek(&peek, d->fs, path, 0);
		if (err && err != VHD_E_NOTFOUND)
			return err;
	}
	return fail(VHD_E_NOTFOUND,
		    "%s: has no snapshot \"%s\"; try: vhdtool snapshot list "
		    "%s",
		    d->path, name, d->path);
}

static int
find_wanted(const struct entry **ret, const struct vhd_tree *kin,
	    const struct disk_place *d, const char *name)
{
	for (size_t i = 0; i < kin->n; i++) {
		const struct entry *e = &kin->entries[i];

		if (!is_wanted(e, d, name))
			continue;
		if (*ret)
			return fail(VHD_E_INVALID,
				    "\"%s\": %s and %s both answer to that; "
				    "give the UUID",
				    name, (*ret)->path, e->path);
		*ret = e;
	}
	return 0;
}

/* A deletion that was interrupted may have adopted it (rename.c). */
static int
find_adopted(const struct entry **ret, const struct vhd_tree *kin,
	     const struct disk_place *d, const char *name)
{
	AUTO_FREE char *adopted = snapshot_adopted_name(name);

	return adopted ? find_wanted(ret, kin, d, adopted) : fail_nomem();
}

int
kin_find(const struct entry **ret, const struct vhd_tree *kin,
	 const struct disk_place *d, const char *name)
{
	const struct entry *found = NULL;
	int err = find_wanted(&found, kin, d, name);

	if (!err && !found)
		err = find_adopted(&found, kin, d, name);
	if (!err && !found)
		err = fail_not_found(d, name);
	if (!err)
		err = check_found(found, d);
	if (!err)
		*ret = found;
	return err;
}
