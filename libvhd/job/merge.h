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

void merge_free(struct merge *m);
#endif
