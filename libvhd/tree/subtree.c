/* SPDX-License-Identifier: BSD-3-Clause */
/* subtree.c - delete a state together with all that stands on it. */
#include <string.h>

#include "chain/family.h"
#include "tree/delete.h"

/* In the order of a walk, a subtree lies together. */
static size_t
end_of_subtree(const struct vhd_tree *kin, size_t first)
{
	size_t end = first + 1;

	while (end < kin->n && kin->entries[end].node.parent != SIZE_MAX &&
	       kin->entries[end].node.parent >= first)
		end++;
	return end;
}

/* A leaf without a snapshot's name is somebody's live disk, unless it is
 * marked as read-only: that is what such a deletion does first. */
static bool
is_live(const struct disk_place *d, const struct entry *e)
{
	struct fs_stat st;

	return !e->node.nchildren && !e->name && !e->node.merging &&
	       (d->fs->ops->stat(&st, d->fs, e->path) != 0 || !st.readonly);
}

static int
check_member(const struct disk_place *d, const struct entry *e, bool named)
{
	bool live = !strcmp(e->path, d->path);

	if (live || (!named && is_live(d, e)))
		return fail(VHD_E_CHILDREN,
			    "%s: stands on that snapshot and is %s, so it is "
			    "not deleted with it",
			    e->path,
			    live ? "the live disk" : "a disk of its own");
	return 0;
}

/* What is in no directory that was searched must not stand on it. */
static int
check_members(const struct disk_place *d, const struct vhd_tree *kin,
	      size_t first, size_t end)
{
	bool dry = d->opts->job && d->opts->job->dry_run;
	int err = 0;

	for (size_t i = first; i < end && !err; i++)
		err = check_member(d, &kin->entries[i], i == first);
	for (size_t i = first; i < end && !err; i++) {
		const struct entry *e = &kin->entries[i];
		char **paths;
		size_t n;

		if (!dry)
			err = deletion_check_unused(d, e->path);
		if (!err)
			err = children_find(&paths, &n, d, e->path,
					    e->node.uuid);
		if (err)
			break;
		if (n != e->node.nchildren)
			err = fail(VHD_E_PARENT,
				   "%s: what stands on it cannot be told for "
				   "sure; try: vhdtool tree %s",
				   e->path, d->dirs[0]);
		family_free_paths(paths, n);
	}
	return err;
}

int
deletion_subtree(struct disk_place *d, const struct vhd_tree *kin,
		 const struct entry *e)
{
	size_t first = (size_t)(e - kin->entries);
	size_t end = end_of_subtree(kin, first);
	struct deletion x = {.d = d, .path = e->path};
	int err = check_members(d, kin, first, end);

	job_start(&x.job, d->opts->job);
	for (size_t i = end; i > first && !err; i--)
		deletion_tell(&x, VHD_STEP_REMOVE, kin->entries[i - 1].path, 0);
	if (!err)
		err = deletion_plan(&x);
	if (err || job_dry_run(&x.job))
		return err;
	for (size_t i = first; i < end; i++)
		(void)d->fs->ops->set_readonly(d->fs, kin->entries[i].path,
					       true);
	while (end > first && !err) {
		end--;
		x.path = kin->entries[end].path;
		x.uuid = kin->entries[end].node.uuid;
		err = deletion_remove_file(&x);
		if (!err)
			err = job_step(&x.job, 0);
	}
	return err;
}
