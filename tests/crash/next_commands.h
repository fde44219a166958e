/* SPDX-License-Identifier: BSD-3-Clause */
/* next_commands.h - a small tree of disks, and what may be asked for there.
 *
 * The state "a" of a disk, the disk, a clone which stands on one of these or on
 * an image in another directory, and that image. */
#ifndef VHD_CRASH_NEXT_COMMANDS_H
#define VHD_CRASH_NEXT_COMMANDS_H
#include "chain/chain.h"
#include "tree/snapshot.h"

#define NEXT_DISK  "/vm/disk.vhd"
#define NEXT_STATE "/vm/disk@a.vhd"
#define NEXT_CLONE "/vm/clone.vhd"
#define NEXT_OTHER "/vm/base/other.vhd"
#define NEXT_CHILD "/vm/child.vhd"
#define NEXT_FAR   "/far/clone.vhd"
#define NEXT_FAR_T "/far/clone@t.vhd"
#define NEXT_SIZE  (16u << 10)
#define NEXT_BLOCK 4096u

/* One of the functions. */
struct command {
	const char *name; /* NULL ends the list */
	int (*of_disk)(struct disk_place *d);
	int (*of_chain)(struct chain *c);
	const char *path; /* of the chain's leaf, or of another disk */
	const char *search;
	int (*alone)(const struct fs *fs);
	bool changes_disk; /* what is at its path, or the path */
};
extern const struct command next_commands[];

/* A new image at NEXT_OTHER, and a child of that. */
extern const struct command next_make_other, next_make_child;

/* A disk in another directory, which becomes its own state "t"; and what
 * changes the state "a", on which it stood, if nothing does there. */
extern const struct command next_revert_far, next_delete_searching,
	next_merge_searching;

int next_run(const struct command *command, const struct fs *fs);
#endif
