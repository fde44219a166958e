/* SPDX-License-Identifier: BSD-3-Clause */
/* merge.h - one merge, and what it does to names and links. */
#ifndef VHDI_MERGE_H
#define VHDI_MERGE_H
#include "chain/chain.h"
#include "job/job.h"

struct merge {
	struct chain *c;
	struct job *job;
	uint32_t layer, into; /* into moves up as layers between go away */
	bool at_parent;
	const char *const *search;
	size_t nsearch;
	uint64_t bytes;    /* to be moved */
	uint64_t added;    /* push_size.added of the merged layer */
	char *parent_path; /* where the ancestor was; for at_parent */
};

/* Is the merged layer empty, so that leaving it out changes nothing at its
 * parent's path, nor for what else stands there?  So it is after a merge that
 * was stopped before its last step.  Nobody may write to it meanwhile. */
bool merge_only_unlinks(const struct merge *m);

/* Rename the files whose states go away, children first linked to the new
 * names.  Done already after an interruption: nothing to do. */
int merge_hide_names(struct merge *m) MUST_CHECK;

/* Layer i, between the merged one and the ancestor, is empty: link its child
 * to the ancestor and remove it. */
int merge_skip_layer(struct merge *m, uint32_t i) MUST_CHECK;

/* The merged layer is empty: the ancestor takes its path, or goes back to its
 * own, and the images on top are linked to it. */
int merge_finish(struct merge *m) MUST_CHECK;

/* Everything in the directories of a merge that stands on a layer, but for
 * what is in the chain and the image at `merged`, is linked to the ancestor
 * under its path `parent`. */
int merge_link_children(struct merge *m, uint32_t layer, const char *merged,
			const char *parent) MUST_CHECK;

void merge_free(struct merge *m);

/* merge.c: the whole of one merge. */
int merge_carry_out(struct merge *m) MUST_CHECK;

/* merge_others.c: finish, and count, merges of the chain that were interrupted
 * and are no part of `asked`, whose layers are found again. */
int merge_finish_others(size_t *ret_n, struct merge *asked) MUST_CHECK;

/* ---- merge_place.c: merges that were stopped at their very end ---- */

/* Everything that stands on a layer; family_free_paths. */
int merge_children_of(char ***ret, size_t *ret_n, const struct merge *m,
		      uint32_t layer) MUST_CHECK;

/* Is the child of the hidden layer i in the chain linked to its hidden name?
 * Then it is what is merged into it. */
bool merge_knows_hidden(const struct chain *c, uint32_t i);

/* Is another image, at path, what was merged into hidden layer i, and all of
 * it has been moved? */
bool merge_was_merged(const struct chain *c, const char *path, uint32_t i);
bool merge_is_empty_child(const struct chain *c, const char *path);

/* Hidden layers into which an image outside of the chain was merged, and that
 * lack only its path, get that.  How many did. */
int merge_take_places(size_t *ret_n, struct merge *m) MUST_CHECK;
#endif
