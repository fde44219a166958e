/* SPDX-License-Identifier: BSD-3-Clause */
/* unfinished.c - carry on with merges that were interrupted.
 *
 * The ancestor of such a merge is called BASE@.merging-UUID, and so may layers
 * between be; what stands on the topmost is the merged layer, whose state the
 * result will have.  At the very end of a merge what stood on that may stand
 * on the ancestor already; but then it knows it by the path that the ancestor
 * is going to have. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/touched.h"
#include "job/jobs.h"
#include "tree/snapshot.h"

static bool
is_child(const struct vhd_tree *kin, const struct entry *e, size_t parent)
{
	return e->node.parent == parent &&
	       !(e->node.merging && !e->node.nchildren) &&
	       e - kin->entries != (ptrdiff_t)parent;
}

/* The image above one that is being merged into.  *ret is NULL when there is
 * none. */
static int
find_above(const struct entry **ret, const struct vhd_tree *kin, size_t below)
{
	const char *name = path_name(kin->entries[below].path);
	const struct entry *only = NULL, *linked = NULL;
	size_t children = 0, links = 0;

	for (size_t i = 0; i < kin->n; i++) {
		const struct entry *e = &kin->entries[i];

		if (!is_child(kin, e, below))
			continue;
		only = e;
		children++;
		if (e->parent_name && !strcmp(e->parent_name, name)) {
			linked = e;
			links++;
		}
	}
	if (children > 1 && links != 1)
		return fail(VHD_E_CHILDREN,
			    "%s: a merge into it is not finished, and several "
			    "images stand on it; try: vhdtool merge on the "
			    "one that is merged",
			    kin->entries[below].path);
	*ret = children > 1 ? linked : only;
	return 0;
}

static bool
is_merging(const struct vhd_tree *kin, size_t i)
{
	return i != SIZE_MAX && kin->entries[i].node.merging;
}

static int
merge_on(struct disk_place *d, const struct entry *merged, uint32_t layers,
	 const struct vhd_job_opts *job)
{
	struct chain_opts opts = disk_chain_opts(d, 0);
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	struct touched t;
	int err;

	o.into = layers;
	o.search = opts.search;
	o.nsearch = opts.nsearch;
	o.job = job;
	disk_let_go(d);
	err = touched_open(&t, d->fs, merged->path, merged->node.nchildren > 0,
			   &opts);
	if (!err) {
		err = job_merge(t.chain, &o);
		err = touched_close(&t, err, !err);
	}
	return err ? err : disk_hold(d);
}

/* The merge that has its ancestor at `below`; *ret is false when nothing can
 * be read through it any more. */
static int
finish_one(bool *ret, struct disk_place *d, const struct vhd_tree *kin,
	   size_t below, const struct vhd_job_opts *job)
{
	const struct entry *above = NULL;
	uint32_t layers = 0;
	int err = 0;

	do {
		err = find_above(&above, kin, below);
		layers++;
		if (above)
			below = (size_t)(above - kin->entries);
	} while (!err && above && above->node.merging);
	*ret = above != NULL;
	if (err || !above)
		return err;
	return merge_on(d, above, layers, job);
}

int
snapshot_finish_merges(size_t *ret_n, struct disk_place *d,
		       const struct vhd_job_opts *job)
{
	AUTO(tree_free) struct vhd_tree *kin = NULL;
	size_t n = 0, i = 0;
	int err = kin_scan(&kin, d, true);

	while (!err && i < kin->n) {
		bool finished = false;

		if (kin->entries[i].node.merging &&
		    !is_merging(kin, kin->entries[i].node.parent))
			err = finish_one(&finished, d, kin, i, job);
		i++;
		if (err || !finished)
			continue;
		n++;
		i = 0;
		tree_free(TAKE(kin));
		err = kin_scan(&kin, d, true);
	}
	*ret_n = n;
	return err;
}
