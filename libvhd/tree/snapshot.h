/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.h - named points in time of one disk (vhd.h, "Snapshots").
 *
 * disk.vhd is always the live disk; taking NAME turns its file into
 * disk@NAME.vhd and puts an empty child at disk.vhd.  Every step is made
 * durable before the next; what a crash leaves between two of them is
 * recognised by what is there (settle.c).
 *
 * Whatever changes a tree at rest holds the writer's lock of the live disk,
 * and that of every file it changes or whose name goes: so commands wait for
 * no one and never meet half-way. */
#ifndef VHDI_SNAPSHOT_H
#define VHDI_SNAPSHOT_H
#include <vhd.h>

#include "base/error.h"
#include "chain/chain.h"
#include "job/job.h"
#include "tree/scan.h"

/* ---- place.c: one disk and the places around it ---- */

struct disk_place {
	const struct fs *fs;
	const struct vhd_snapshot_opts *opts;
	char *path;  /* of the live disk, links resolved */
	char **dirs; /* where its tree may be, resolved; its own first */
	size_t ndirs;
	struct io *held; /* the live disk, while it is locked by us */
	bool has_merges; /* snapshot_settle found some that are not finished */
};

int disk_place_init(struct disk_place *ret, const struct fs *fs,
		    const char *disk,
		    const struct vhd_snapshot_opts *opts) MUST_CHECK;
void disk_place_free(struct disk_place *d);

/* Lock the live disk: VHD_E_BUSY says by whom it is used.  Letting go of what
 * is not held is fine. */
int disk_hold(struct disk_place *d) MUST_CHECK;
void disk_let_go(struct disk_place *d);

/* How chains of this tree are opened. */
struct chain_opts disk_chain_opts(const struct disk_place *d, uint32_t flags);
uint32_t disk_max_depth(const struct disk_place *d);

/* The path of a snapshot, whether it is there or not; VHD_E_INVALID. */
int disk_snapshot_path(char **ret, const char *disk,
		       const char *name) MUST_CHECK;

/* The path that a new snapshot would get, in the directory of `beside`;
 * VHD_E_EXISTS, VHD_E_INVALID. */
int snapshot_new_path(char **ret, const struct fs *fs, const char *disk,
		      const char *beside, const char *name) MUST_CHECK;

/* ---- kin.c: the images of one tree ---- */

/* The tree of the disk, and those that deletions have cut from it; directories
 * in which its parents were found are added to d.  Fails, with `all`, when the
 * disk or a snapshot of it cannot be read. */
int kin_scan(struct vhd_tree **ret, struct disk_place *d, bool all) MUST_CHECK;

/* The snapshot called so, or, in a tree that others made, the image with that
 * file name or UUID. */
int kin_find(const struct entry **ret, const struct vhd_tree *kin,
	     const struct disk_place *d, const char *name) MUST_CHECK;

const struct entry *kin_at(const struct vhd_tree *kin, const char *path);

/* Does its name say that it is a snapshot of the disk, or the disk itself? */
bool kin_is_by_name(const struct entry *e, const struct disk_place *d);

/* Does anything stand on the image at path, as far as is known? */
bool kin_has_children(const struct vhd_tree *kin, const char *path);

/* ---- children.c ---- */

/* Every image that, when opened, would stand on the one at path;
 * family_free_paths.  VHD_E_PARENT when that cannot be told because several
 * files have the same UUID. */
int children_find(char ***ret, size_t *ret_n, const struct disk_place *d,
		  const char *path, const uint8_t uuid[static 16]) MUST_CHECK;

/* ---- child.c ---- */

/* An empty child of parent at a temporary path, linked as it must be at
 * `path`; and the temporary path.  To be freed. */
int snapshot_child(char **ret_temp, const struct fs *fs, const char *path,
		   const char *parent_path,
		   const struct image *parent) MUST_CHECK;
char *snapshot_temp(const char *path);

/* One more name of a file while it is given another. */
char *snapshot_rename_mark(const char *path);

/* ---- settle.c ---- */

/* Finish or undo what an interrupted command left.  The disk is held. */
int snapshot_settle(struct disk_place *d) MUST_CHECK;

/* Open a disk, settled before that if it is to be written to. */
int tree_open(struct chain **ret, const struct fs *fs, const char *path,
	      const struct chain_opts *opts) MUST_CHECK;

/* two_names.c: the part of that which is about files with two names; with the
 * mark of a renaming, and with that of a merge at path. */
int settle_rename(const struct disk_place *d) MUST_CHECK;
int settle_merge_name(const struct disk_place *d, const char *path,
		      const struct fs_stat *st) MUST_CHECK;

/* ---- unfinished.c ---- */

/* Hold the disk and settle it; then carry on with every merge in its tree that
 * was interrupted, and count them. */
int snapshot_begin(size_t *ret_finished, struct disk_place *d) MUST_CHECK;

/* The same for a command that should not take long: only those are finished of
 * which all data has been moved. */
int snapshot_begin_quick(struct disk_place *d) MUST_CHECK;

/* Those of an open disk, whose chain is taken. */
int snapshot_finish_live(size_t *ret_finished, struct chain *c,
			 const struct vhd_merge_opts *opts) MUST_CHECK;

/* ---- The commands ---- */

int snapshot_create(struct disk_place *d, const char *name) MUST_CHECK;
int snapshot_create_live(struct chain *c, const char *name) MUST_CHECK;
int snapshot_revert(struct disk_place *d, const char *name,
		    const char *keep) MUST_CHECK;
int snapshot_rename(struct disk_place *d, const char *name,
		    const char *new_name) MUST_CHECK;
/* Give an image that others made the name of a snapshot; *ret, to be freed, is
 * its new path, or NULL when it can have none.  The name comes from that of
 * its file; to be freed, NULL when out of memory. */
int snapshot_adopt(char **ret, struct disk_place *d,
		   const char *path) MUST_CHECK;
char *snapshot_adopted_name(const char *file);
int snapshot_clone(struct disk_place *d, const char *name,
		   const char *path) MUST_CHECK;
int snapshot_delete(struct disk_place *d, const char *name) MUST_CHECK;
/* The same for a disk that is open, and has guests. */
int snapshot_delete_live(struct chain *c, const char *name,
			 const struct vhd_snapshot_opts *opts) MUST_CHECK;
#endif
