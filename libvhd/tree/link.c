/* SPDX-License-Identifier: BSD-3-Clause */
/* link.c - who stands on whom, and in which order that is told.
 *
 * A child stands on the parent in its own directory, so that the copy of a
 * whole tree is a tree, and there on the one whose name it has stored.  Of
 * several files with one UUID one counts: what a child stands on, else that
 * with the shortest path.  The others are duplicates.  First come the trees
 * with a root, then what hangs on an orphan, on a duplicate or in a loop, then
 * files that cannot be read. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "tree/scan.h"

struct linker {
	struct vhd_tree *tree;
	size_t *bucket; /* first entry of each hash */
	size_t mask;
	size_t *order; /* places of the entries, as they are to be told */
	size_t norder;
	size_t *stack; /* room for all */
};

static struct entry *
at(const struct linker *l, size_t i)
{
	return &l->tree->entries[i];
}

/* UUIDs are random, but those of a hostile file need not be; the worst of it
 * is a slow scan. */
static size_t
hash(const struct linker *l, const uint8_t uuid[static 16])
{
	uint32_t h = 2166136261u;

	for (int i = 0; i < 16; i++)
		h = (h ^ uuid[i]) * 16777619u;
	return h & l->mask;
}

static int
prepare(struct linker *l)
{
	size_t n = l->tree->n, buckets = 64;

	while (buckets < 2 * n)
		buckets *= 2;
	l->mask = buckets - 1;
	l->bucket = malloc(buckets * sizeof(*l->bucket));
	l->order = malloc((n + 1) * sizeof(*l->order));
	l->stack = malloc((n + 1) * sizeof(*l->stack));
	if (!l->bucket || !l->order || !l->stack)
		return fail_nomem();
	for (size_t i = 0; i < buckets; i++)
		l->bucket[i] = NONE;
	return 0;
}

static bool
is_known(const struct entry *e)
{
	return !e->node.err && !uuid_is_null(e->node.uuid);
}

/* Entries of one bucket are in the order of their paths. */
static void
fill_buckets(struct linker *l)
{
	for (size_t i = l->tree->n; i-- > 0;) {
		struct entry *e = at(l, i);
		size_t *first = &l->bucket[hash(l, e->node.uuid)];

		e->parent = e->first_child = e->next_sibling = NONE;
		e->same = NONE;
		if (!is_known(e))
			continue;
		e->same = *first;
		*first = i;
	}
}

static bool
same_directory(const char *a, const char *b)
{
	size_t n = (size_t)(path_name(a) - a);

	return n == (size_t)(path_name(b) - b) && !memcmp(a, b, n);
}

static bool
is_called(const char *path, const char *name)
{
	return name && !strcmp(path_name(path), name);
}

/* Does a count rather than b, for a child (NULL: for anyone)? */
static bool
counts_before(const struct entry *a, const struct entry *b,
	      const struct entry *child)
{
	if (child && same_directory(a->path, child->path) !=
			     same_directory(b->path, child->path))
		return same_directory(a->path, child->path);
	if (child && is_called(a->path, child->parent_name) !=
			     is_called(b->path, child->parent_name))
		return is_called(a->path, child->parent_name);
	if (a->claim != b->claim)
		return a->claim > b->claim;
	return strlen(a->path) < strlen(b->path);
}

/* The file with this UUID that counts; NONE. */
static size_t
find(const struct linker *l, const uint8_t uuid[static 16],
     const struct entry *child)
{
	size_t best = NONE;

	if (uuid_is_null(uuid))
		return NONE;
	for (size_t i = l->bucket[hash(l, uuid)]; i != NONE; i = at(l, i)->same)
		if (uuid_equal(at(l, i)->node.uuid, uuid) &&
		    (best == NONE ||
		     counts_before(at(l, i), at(l, best), child)))
			best = i;
	return best;
}

/* Is another file with this UUID in its place? */
static bool
is_secondary(const struct linker *l, size_t i)
{
	return is_known(at(l, i)) && find(l, at(l, i)->node.uuid, NULL) != i;
}

static size_t
find_parent(const struct linker *l, const struct entry *e)
{
	return e->node.err || e->node.type != VHD_TYPE_DIFFERENCING
		       ? NONE
		       : find(l, e->node.parent_uuid, e);
}

static void
claim_chain(struct linker *l, size_t i)
{
	for (size_t n = 0; i != NONE && n < l->tree->n; n++) {
		at(l, i)->claim = CLAIM_FAVOURED;
		i = find_parent(l, at(l, i));
	}
}

static void
make_claims(struct linker *l)
{
	for (size_t i = 0; i < l->tree->n; i++)
		at(l, i)->parent = find_parent(l, at(l, i));
	for (size_t i = 0; i < l->tree->n; i++) {
		if (at(l, i)->parent != NONE)
			at(l, at(l, i)->parent)->claim = CLAIM_CHILD;
		at(l, i)->parent = NONE;
	}
	for (size_t i = 0; l->tree->favoured && i < l->tree->n; i++)
		if (!strcmp(at(l, i)->path, l->tree->favoured))
			claim_chain(l, i);
}

static void
mark_duplicates(struct linker *l)
{
	for (size_t i = 0; i < l->tree->n; i++)
		if (is_secondary(l, i)) {
			size_t first = find(l, at(l, i)->node.uuid, NULL);

			at(l, i)->node.duplicate = true;
			at(l, first)->node.duplicate = true;
		}
}

static void
find_parents(struct linker *l)
{
	for (size_t i = 0; i < l->tree->n; i++) {
		struct entry *e = at(l, i);
		size_t parent;

		if (e->node.err || e->node.type != VHD_TYPE_DIFFERENCING)
			continue;
		parent = find_parent(l, e);
		e->node.orphan = parent == NONE && !e->node.raw_parent;
		if (parent != NONE &&
		    (!is_secondary(l, i) || is_secondary(l, parent)))
			e->parent = parent;
	}
}

/* Older first; then by path. */
static int
by_age(const void *a, const void *b)
{
	const struct entry *const *x = a, *const *y = b;

	if ((*x)->node.created != (*y)->node.created)
		return (*x)->node.created < (*y)->node.created ? -1 : 1;
	return strcmp((*x)->path, (*y)->path);
}

static int
list_children(struct linker *l)
{
	size_t n = l->tree->n;
	AUTO_FREE struct entry **sorted = malloc((n + 1) * sizeof(*sorted));

	if (!sorted)
		return fail_nomem();
	for (size_t i = 0; i < n; i++)
		sorted[i] = at(l, i);
	qsort(sorted, n, sizeof(struct entry *), by_age);
	for (size_t i = n; i-- > 0;) {
		struct entry *e = sorted[i];

		if (e->parent == NONE)
			continue;
		e->next_sibling = at(l, e->parent)->first_child;
		at(l, e->parent)->first_child = (size_t)(e - l->tree->entries);
		at(l, e->parent)->node.nchildren++;
	}
	return 0;
}

/* ---- Order ------------------------------------------------------------- */

/* A subtree, depth first; the stack holds siblings that wait. */
static void
tell(struct linker *l, size_t root)
{
	size_t depth = 0;

	l->stack[depth++] = root;
	while (depth) {
		size_t i = l->stack[--depth];
		struct entry *e = at(l, i);

		e->linked = true;
		l->order[l->norder++] = i;
		if (i != root && e->next_sibling != NONE)
			l->stack[depth++] = e->next_sibling;
		if (e->first_child != NONE)
			l->stack[depth++] = e->first_child;
	}
}

/* What is left hangs on a loop.  No honest tool makes one. */
static int
tell_loops(struct linker *l)
{
	for (size_t i = 0; i < l->tree->n; i++) {
		struct entry *e = at(l, i);

		if (e->linked)
			continue;
		e->message = strdup("its parents form a loop");
		if (!e->message)
			return fail_nomem();
		e->node.message = e->message;
		e->node.err = VHD_E_CORRUPT;
		e->node.nchildren = 0;
		e->parent = NONE;
		l->order[l->norder++] = i;
	}
	return 0;
}

static int
tell_all(struct linker *l)
{
	size_t n = l->tree->n;

	for (size_t i = 0; i < n; i++)
		if (at(l, i)->parent == NONE && !at(l, i)->node.orphan &&
		    !at(l, i)->node.err && !is_secondary(l, i))
			tell(l, i);
	for (size_t i = 0; i < n; i++)
		if (at(l, i)->parent == NONE && !at(l, i)->node.err &&
		    !at(l, i)->linked)
			tell(l, i);
	for (size_t i = 0; i < n; i++)
		if (at(l, i)->node.err) {
			at(l, i)->linked = true;
			l->order[l->norder++] = i;
		}
	return tell_loops(l);
}

/* Put the entries in their order, with the places of parents to match. */
static int
arrange(struct linker *l)
{
	size_t n = l->tree->n;
	AUTO_FREE struct entry *sorted = malloc((n + 1) * sizeof(*sorted));
	AUTO_FREE size_t *place = malloc((n + 1) * sizeof(*place));

	if (!sorted || !place)
		return fail_nomem();
	for (size_t i = 0; i < n; i++)
		place[l->order[i]] = i;
	for (size_t i = 0; i < n; i++) {
		struct entry *e = &sorted[i];

		*e = *at(l, l->order[i]);
		e->node.parent =
			e->parent == NONE ? SIZE_MAX : place[e->parent];
		e->node.live = !e->node.err && !e->node.nchildren;
	}
	if (n)
		memcpy(l->tree->entries, sorted, n * sizeof(*sorted));
	return 0;
}

int
tree_link(struct vhd_tree *tree)
{
	struct linker l = {.tree = tree};
	int err = prepare(&l);

	if (!err) {
		fill_buckets(&l);
		make_claims(&l);
		mark_duplicates(&l);
		find_parents(&l);
		err = list_children(&l);
	}
	if (!err)
		err = tell_all(&l);
	if (!err)
		err = arrange(&l);
	free(l.bucket);
	free(l.order);
	free(l.stack);
	return err;
}
