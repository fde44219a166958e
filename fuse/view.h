/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view.h - what a mount shows: which files there are, how large they are, and
 * opening them.
 *
 * Files are known by number, as in FUSE.  The partition table belongs to the
 * guest and may change at any time; it is read again whenever somebody looks,
 * but a partition that is open stays what it is until it is closed.  The
 * functions return 0 or an errno value, negative, on any thread.
 */
#ifndef VHDFUSE_VIEW_H
#define VHDFUSE_VIEW_H
#include "args.h"
#include "file.h"
#include "partition.h"
#include "snapshots.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <vhd.h>

enum ino {
	INO_ROOT = 1, /* as FUSE wants it */
	INO_DISK = 2,
	INO_SNAPSHOTS = 3,
	INO_PARTITION = 0x1000, /* plus its number */
	INO_SNAPSHOT = 0x10000, /* plus its index */
};

struct slot {
	uint64_t start;
	uint64_t length; /* 0: there is none */
	unsigned int users;
};

struct view {
	const struct args *args;
	vhd_t *disk;
	bool single;     /* the mount point itself is the disk */
	uint64_t frozen; /* bytes that the parents take */
	struct timespec begun;
	struct snapshots snapshots;
	pthread_mutex_t lock;
	struct slot partitions[PARTITION_LAST + 1];
	const char *note;   /* what was said about the table last */
	struct file *files; /* that are open */
};

int view_init(struct view *ret, const struct args *args, vhd_t *disk,
	      bool single);
void view_free(struct view *view);

int view_lookup(uint64_t *ret, struct view *view, uint64_t parent,
		const char *name);
int view_attr(struct stat *ret, struct view *view, uint64_t ino);

/* fn returns 0 to go on. */
typedef int (*view_fn)(const char *name, uint64_t ino, mode_t type, void *user);
int view_list(struct view *view, uint64_t ino, view_fn fn, void *user);

/* flags as in open(2).  The caller owns *ret until view_close(). */
int view_open(struct file **ret, struct view *view, uint64_t ino, int flags);
void view_close(struct view *view, uint64_t ino, struct file *file);
#endif
