/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scan.c - the images in some places.
 *
 * The tree of a file is looked for in the file's directory.
 */
#include "scan.h"

#include "memory.h"
#include "name.h"
#include "out.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <vhd.h>

/* What was asked for, and what is therefore looked at. */
struct places {
	char **named; /* files, links resolved */
	size_t nnamed;
	bool all;            /* a directory was named */
	const char **places; /* for the library */
	size_t nplaces;
	char **directories; /* of the files */
};

static void
places_free(struct places *p)
{
	for (size_t i = 0; i < p->nnamed; i++) {
		free(p->named[i]);
		free(p->directories[i]);
	}
	free(p->named);
	free(p->directories);
	free(p->places);
}

static char *
directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash > path ? (size_t)(slash - path) : 1;

	return must(strndup(path, length));
}

/* What does not exist is left to the library, which says so. */
static void
add_place(struct places *p, const char *path)
{
	char *resolved = realpath(path, NULL);
	struct stat st;

	p->places[p->nplaces++] = path;
	if (!resolved || stat(resolved, &st) != 0 || S_ISDIR(st.st_mode)) {
		p->all = true;
		free(resolved);
		return;
	}
	p->named[p->nnamed] = resolved;
	p->directories[p->nnamed] = directory_of(resolved);
	p->places[p->nplaces++] = p->directories[p->nnamed];
	p->nnamed++;
}

static bool
is_named(const struct places *p, const char *path)
{
	for (size_t i = 0; i < p->nnamed; i++) {
		if (strcmp(p->named[i], path) == 0)
			return true;
	}
	return false;
}

static json_t *
describe(const struct vhd_tree_node *node, const struct vhd_tree_node *parent,
	 uint64_t depth)
{
	json_t *object = out_object();
	bool child = node->type == VHD_TYPE_DIFFERENCING;

	out_text(object, "filename", node->path);
	out_text(object, "error", node->err ? node->message : NULL);
	if (node->err)
		return object;
	out_text(object, "name", node->name);
	out_text(object, "type", name_of_type(node->type));
	out_uuid(object, "uuid", node->uuid);
	out_uuid(object, "parent-uuid", child ? node->parent_uuid : NULL);
	out_text(object, "parent-name", node->parent_name);
	out_text(object, "parent", parent ? parent->path : NULL);
	out_number(object, "depth", depth);
	out_number(object, "virtual-size", node->virtual_size);
	out_number(object, "file-length", node->file_length);
	out_number(object, "actual-size", node->actual_size);
	out_time(object, "created", node->created);
	/* The end of a branch is a disk, unless it has a snapshot's name. */
	out_bool(object, "live", node->live && !node->name);
	out_bool(object, "orphan", node->orphan);
	out_bool(object, "duplicate", node->duplicate);
	out_bool(object, "merging", node->merging);
	out_bool(object, "hidden", node->hidden);
	out_bool(object, "raw-parent", node->raw_parent);
	return object;
}

/* A tree is shown when any of its images was asked for. */
static json_t *
describe_trees(const vhd_tree_t *tree, const struct places *p)
{
	size_t count = vhd_tree_count(tree);
	uint64_t *depth = must(calloc(count + 1, sizeof(*depth)));
	size_t *root = must(calloc(count + 1, sizeof(*root)));
	bool *shown = must(calloc(count + 1, sizeof(*shown)));
	json_t *list = out_array();

	for (size_t i = 0; i < count; i++) {
		const struct vhd_tree_node *node = vhd_tree_get(tree, i);
		bool is_root = node->parent == SIZE_MAX;

		depth[i] = is_root ? 0 : depth[node->parent] + 1;
		root[i] = is_root ? i : root[node->parent];
		if (p->all || is_named(p, node->path))
			shown[root[i]] = true;
	}
	for (size_t i = 0; i < count; i++) {
		const struct vhd_tree_node *node = vhd_tree_get(tree, i);
		const struct vhd_tree_node *parent = NULL;

		if (node->parent != SIZE_MAX)
			parent = vhd_tree_get(tree, node->parent);
		if (shown[root[i]])
			out_append(list, describe(node, parent, depth[i]));
	}
	free(depth);
	free(root);
	free(shown);
	return list;
}

static const char *
trouble_of(const json_t *image)
{
	if (get_bool(image, "merging"))
		return "being merged";
	if (get_bool(image, "orphan"))
		return "parent not found";
	if (get_bool(image, "duplicate"))
		return "same UUID as another file";
	return get_bool(image, "raw-parent") ? "on a raw disk" : "";
}

/* "live, parent not found: base.vhd" */
char *
scan_remark(const json_t *image)
{
	bool live = get_bool(image, "live");
	const char *words = trouble_of(image);
	const char *wanted =
		get_bool(image, "orphan") ? get_text(image, "parent-name") : "";
	char *text;

	if (asprintf(&text, "%s%s%s%s%s", live ? "live" : "",
		     live && *words ? ", " : "", words, *wanted ? ": " : "",
		     wanted) < 0)
		text = NULL;
	return must(text);
}

char *
scan_created(const json_t *image)
{
	const char *created = get_text(image, "created");
	char *text;

	if (asprintf(&text, "%.10s %.5s", created,
		     *created ? created + 11 : "") < 0)
		text = NULL;
	return must(text);
}

const char *
scan_why_unread(const json_t *image)
{
	const char *why = get_text(image, "error");
	const char *path = get_text(image, "filename");
	size_t n = strlen(path);

	return strncmp(why, path, n) == 0 && strncmp(why + n, ": ", 2) == 0
		       ? why + n + 2
		       : why;
}

int
scan_images(json_t **ret, const struct words *paths)
{
	size_t n = paths->count;
	struct places p = {
		.named = must(calloc(n, sizeof(*p.named))),
		.directories = must(calloc(n, sizeof(*p.directories))),
		.places = must(calloc(2 * n, sizeof(*p.places))),
	};
	vhd_tree_t *tree;
	int err;

	for (size_t i = 0; i < n; i++)
		add_place(&p, paths->items[i]);
	err = vhd_tree_scan(&tree, p.places, p.nplaces);
	if (!err) {
		*ret = describe_trees(tree, &p);
		vhd_tree_free(tree);
	}
	places_free(&p);
	return err;
}
