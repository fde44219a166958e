/* SPDX-License-Identifier: BSD-3-Clause */
/* mem_node.h - a file in memory, apart from its names: what the two halves of
 * the memory file system share. */
#ifndef VHDI_MEM_NODE_H
#define VHDI_MEM_NODE_H
#include <pthread.h>
#include <stdatomic.h>

#include "io/io_mem.h"

/* What all files of one file system share. */
struct mem_volume {
	_Atomic uint64_t pages; /* in use */
	_Atomic uint64_t limit; /* of pages */
	_Atomic int64_t now;
};

struct mem_node {
	struct mem_volume *volume;
	_Atomic uint32_t users; /* names and open stores */
	uint64_t inode;
	pthread_rwlock_t lock; /* around all that follows */
	struct mem_data *data;
	_Atomic int64_t mtime;
	bool readonly;
	unsigned readers;  /* locked IO_LOCK_READ */
	struct io *writer; /* locked IO_LOCK_WRITE; or NULL */
};

int mem_node_new(struct mem_node **ret, struct mem_volume *volume,
		 uint64_t inode, struct mem_data *data) MUST_CHECK;
void mem_node_unuse(struct mem_node *node);
struct mem_data *mem_node_data(struct mem_node *node);
void mem_node_replace(struct mem_node *node, struct mem_data *data);

/* Takes over one use of node, also on failure. */
int mem_io_new(struct io **ret, struct mem_node *node, const char *name,
	       uint64_t device, bool writable) MUST_CHECK;
#endif
