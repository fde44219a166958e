/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshots.h - the snapshots of a disk: NAME of disk.vhd is the file
 * disk@NAME.vhd beside it.
 *
 * They are opened for as long as somebody has them open, and not before: an
 * open image cannot be merged or deleted.
 */
#ifndef VHDFUSE_SNAPSHOTS_H
#define VHDFUSE_SNAPSHOTS_H
#include "args.h"

#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>
#include <vhd.h>

/* One that somebody has asked for; it stays known until the end, under the
 * same index. */
struct snapshot {
	char *name;
	char *path;
	vhd_t *disk; /* while open */
	unsigned int users;
	uint64_t size; /* of the disk, when the file was as here */
	struct stat seen;
};

struct snapshots {
	const struct args *args;
	char *dir;  /* where they are; NULL: the disk can have none */
	char *stem; /* "disk@" */
	char *ending;
	pthread_mutex_t lock;
	struct snapshot **known;
	size_t count;
};

/* The functions return 0 or an errno value, negative. */
int snapshots_init(struct snapshots *ret, const struct args *args);
void snapshots_free(struct snapshots *all);

typedef int (*snapshot_fn)(const char *name, void *user);

/* Every name there is now; fn returns 0 to go on. */
int snapshots_list(struct snapshots *all, snapshot_fn fn, void *user);

int snapshots_find(size_t *ret, struct snapshots *all, const char *name);

/* The file's attributes, and the size of the disk in it. */
int snapshots_stat(struct stat *ret, uint64_t *ret_size, struct snapshots *all,
		   size_t index);

int snapshots_open(vhd_t **ret, struct snapshots *all, size_t index);
void snapshots_close(struct snapshots *all, size_t index);
#endif
