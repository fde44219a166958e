/* SPDX-License-Identifier: BSD-3-Clause */
/* mem_names.h - which names the files of one memory file system have. */
#ifndef VHDI_MEM_NAMES_H
#define VHDI_MEM_NAMES_H
#include "io/mem_node.h"

struct mem_name {
	char *path; /* as mem_path makes it */
	struct mem_node *node;
};

struct mem_fs {
	struct fs fs; /* first: a struct fs * is a struct mem_fs * */
	struct mem_volume volume;
	pthread_mutex_t lock; /* around all that follows */
	struct mem_name *names;
	size_t n, room;
	uint64_t next_inode;
};

/* A struct fs is constant to its users; what is behind it is not. */
static inline struct mem_fs *
mem_fs_of(const struct fs *fs)
{
	return (struct mem_fs *)(uintptr_t)fs;
}

/* All of these with the lock held. */
struct mem_name *mem_names_find(struct mem_fs *fs, const char *path);

/* Takes over path and one use of node, also on failure. */
int mem_names_add(struct mem_fs *fs, char *path,
		  struct mem_node *node) MUST_CHECK;
void mem_names_remove(struct mem_fs *fs, struct mem_name *name);

/* A new file with that content; takes over path, also on failure. */
int mem_names_make(struct mem_fs *fs, struct mem_data *data,
		   char *path) MUST_CHECK;

extern const struct fs_ops mem_fs_ops;
#endif
