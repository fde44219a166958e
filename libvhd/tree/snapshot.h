/* SPDX-License-Identifier: BSD-3-Clause */
/* snapshot.h - named points in time of one disk (vhd.h, "Snapshots").
 *
 * disk.vhd is always the live disk; taking NAME turns its file into
 * disk@NAME.vhd and puts an empty child at disk.vhd.  Every step is made
 * durable before the next; what a crash leaves between two of them is
 * recognised by what is there (settle.c). */
#ifndef VHDI_SNAPSHOT_H
#define VHDI_SNAPSHOT_H
#include <vhd.h>

#include "base/error.h"
#include "chain/chain.h"
#include "job/job.h"

/* One disk and the places around it. */
struct disk_place {
	const struct fs *fs;
	const struct vhd_snapshot_opts *opts;
	char *path; /* of the live disk, links resolved */
	char *dir;
};
int disk_place_init(struct disk_place *ret, const struct fs *fs,
		    const char *disk,
		    const struct vhd_snapshot_opts *opts) MUST_CHECK;
void disk_place_free(struct disk_place *d);

/* The file of a snapshot, by its name, or, in a tree that others made, by
 * file name or UUID.  To be freed. */
int snapshot_find(char **ret, const struct disk_place *d,
		  const char *name) MUST_CHECK;

/* The path that a new snapshot would get; VHD_E_EXISTS, VHD_E_INVALID. */
int snapshot_new_path(char **ret, const struct disk_place *d,
		      const char *name) MUST_CHECK;

/* An empty child of parent at a temporary path beside `path`, linked as it
 * must be at `path`.  To be freed. */
int snapshot_child(char **ret_temp, const struct fs *fs, const char *path,
		   const char *parent_path,
		   const struct image *parent) MUST_CHECK;

/* settle.c: finish or undo what an interrupted command left. */
int snapshot_settle(const struct disk_place *d) MUST_CHECK;

/* Every child of the image with this UUID; family_free_paths. */
int snapshot_children(char ***ret, size_t *ret_n, const struct disk_place *d,
		      const char *path,
		      const uint8_t uuid[static 16]) MUST_CHECK;

int snapshot_create(const struct disk_place *d, const char *name) MUST_CHECK;
int snapshot_create_live(struct chain *c, const char *name) MUST_CHECK;
int snapshot_revert(const struct disk_place *d, const char *name,
		    const char *keep) MUST_CHECK;
int snapshot_rename(const struct disk_place *d, const char *name,
		    const char *new_name) MUST_CHECK;
int snapshot_clone(const struct disk_place *d, const char *name,
		   const char *path) MUST_CHECK;
int snapshot_delete(const struct disk_place *d, const char *name) MUST_CHECK;
#endif
