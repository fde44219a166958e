/* SPDX-License-Identifier: BSD-3-Clause */
/* scan.c - every image in some files and directories.
 *
 * Only footers and headers are read, and nothing is locked: this may look at
 * disks that are in use. */
#include "tree/scan.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/family.h"
#include "chain/names.h"
#include "format/footer.h"

void
entry_free(struct entry *e)
{
	free(e->path);
	free(e->name);
	free(e->message);
	free(e->parent_name);
}

void
tree_free(struct vhd_tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->n; i++)
		entry_free(&tree->entries[i]);
	free(tree->entries);
	free(tree);
}

static void
describe(struct entry *e, const struct peek *peek)
{
	const struct footer *f = &peek->found.footer;
	struct vhd_tree_node *node = &e->node;

	memcpy(node->uuid, f->uuid, 16);
	memcpy(node->parent_uuid, peek->found.hdr.parent_uuid, 16);
	node->type = (enum vhd_type)f->type;
	node->virtual_size = f->current_size;
	node->file_length = peek->found.file_size;
	node->actual_size = peek->actual_size;
	node->created = (int64_t)f->timestamp + VHD_EPOCH;
	node->hidden = footer_creator_is(f, "tap") && f->reserved[0];
	node->raw_parent = node->type == VHD_TYPE_DIFFERENCING &&
			   uuid_is_null(node->parent_uuid);
	e->id = peek->id;
}

/* What the parent was called, where that is known. */
static int
remember_parent(struct entry *e, const struct peek *peek)
{
	char text[MAX_PATH_TEXT];
	const char *last = text;

	if (e->node.type != VHD_TYPE_DIFFERENCING ||
	    !dynhdr_parent_name(text, sizeof(text), &peek->found.hdr))
		return 0;
	for (const char *c = text; *c; c++)
		if (*c == '/' || *c == '\\' || *c == ':')
			last = c + 1;
	e->parent_name = strdup(last);
	return e->parent_name ? 0 : fail_nomem();
}

/* peek is NULL when the file cannot be read; err and the failure of this
 * thread then say why. */
static int
fill(struct entry *ret, const char *path, const struct peek *peek, int err)
{
	struct entry e = {.path = strdup(path)};
	int failed = 0;

	if (peek) {
		describe(&e, peek);
		failed = remember_parent(&e, peek);
	} else {
		e.message = strdup(error_message());
	}
	e.node.err = err;
	if (failed || !e.path || (!peek && !e.message) ||
	    snapshot_name(&e.name, path)) {
		entry_free(&e);
		return fail_nomem();
	}
	e.node.path = e.path;
	e.node.name = e.name;
	e.node.parent_name = e.parent_name;
	e.node.message = e.message;
	e.node.merging = is_merging_path(path);
	*ret = e;
	return 0;
}

static int
add(struct vhd_tree *tree, const char *path, const struct peek *peek, int err)
{
	if (tree->n == tree->room) {
		size_t room = tree->room ? 2 * tree->room : 64;
		struct entry *more =
			realloc(tree->entries, room * sizeof(*more));

		if (!more)
			return fail_nomem();
		tree->entries = more;
		tree->room = room;
	}
	err = fill(&tree->entries[tree->n], path, peek, err);
	if (!err)
		tree->n++;
	return err;
}

/* Does the name say that it should be a VHD? */
static bool
claims_to_be_vhd(const char *path)
{
	static const char *const extensions[] = {".vhd", ".avhd", ".vud"};
	size_t n = strlen(path);

	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++) {
		size_t length = strlen(extensions[i]);

		if (n > length && !strcasecmp(path + n - length, extensions[i]))
			return true;
	}
	return false;
}

static int
visit(const char *path, const struct peek *peek, int err, void *user)
{
	if (err == VHD_E_NOMEM)
		return err;
	if (!peek && !claims_to_be_vhd(path))
		return 0;
	return add(user, path, peek, err);
}

static int
add_file(struct vhd_tree *tree, const struct fs *fs, const char *path)
{
	struct peek peek;
	int err = image_peek(&peek, fs, path, 0);

	if (err == VHD_E_NOMEM)
		return err;
	return add(tree, path, err ? NULL : &peek, err);
}

static int
add_path(struct vhd_tree *tree, const struct fs *fs, const char *path)
{
	AUTO_FREE char *resolved = NULL;
	struct fs_stat st;
	int err = fs->ops->resolve(&resolved, fs, path);

	if (!err)
		err = fs->ops->stat(&st, fs, resolved);
	if (err)
		return err;
	return st.directory ? family_walk(fs, resolved, visit, tree)
			    : add_file(tree, fs, resolved);
}

static int
by_path(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Sort, and leave out what was given twice. */
static void
tidy(struct vhd_tree *tree)
{
	size_t n = 0;

	if (tree->n)
		qsort(tree->entries, tree->n, sizeof(*tree->entries), by_path);
	for (size_t i = 0; i < tree->n; i++) {
		struct entry *e = &tree->entries[i];

		if (n && !strcmp(tree->entries[n - 1].path, e->path))
			entry_free(e);
		else
			tree->entries[n++] = *e;
	}
	tree->n = n;
}

int
tree_scan(struct vhd_tree **ret, const struct fs *fs, const char *const *paths,
	  size_t npaths)
{
	return tree_scan_for(ret, fs, NULL, paths, npaths);
}

int
tree_scan_for(struct vhd_tree **ret, const struct fs *fs, const char *favoured,
	      const char *const *paths, size_t npaths)
{
	AUTO(tree_free) struct vhd_tree *tree = calloc(1, sizeof(*tree));
	int err = tree ? 0 : fail_nomem();

	if (!err)
		tree->favoured = favoured;
	for (size_t i = 0; !err && i < npaths; i++)
		err = add_path(tree, fs, paths[i]);
	if (err)
		return err;
	tidy(tree);
	err = tree_link(tree);
	tree->favoured = NULL;
	if (err)
		return err;
	*ret = TAKE(tree);
	return 0;
}
