/* SPDX-License-Identifier: BSD-3-Clause */
/* io_mem.h - a file system in memory, for fuzzers and fast tests.
 *
 * Paths are like those of a machine whose current directory is the root;
 * every directory exists, and there are no symbolic links.  Everything is
 * durable at once.  Safe to use from several threads. */
#ifndef VHDI_IO_MEM_H
#define VHDI_IO_MEM_H
#include "io/io.h"
#include "io/mem_data.h"

int mem_fs_new(struct fs **ret) MUST_CHECK;

/* Every store must be closed.  Accepts NULL. */
void mem_fs_free(struct fs *fs);
DEFINE_CLEANUP(struct fs, mem_fs_free);

/* What files may take together, in bytes; and the clock that they are
 * stamped from (2001-09-09 at first, and it stands still). */
void mem_fs_set_limit(struct fs *fs, uint64_t bytes);
void mem_fs_set_time(struct fs *fs, int64_t now);

/* Make or replace the file path; its content is a copy of bytes, or is shared
 * with data, or with that of a file under another name. */
int mem_fs_put(struct fs *fs, const char *path, const void *bytes,
	       size_t len) MUST_CHECK;
int mem_fs_put_data(struct fs *fs, const char *path,
		    struct mem_data *data) MUST_CHECK;

/* The content as it is now; to be freed with mem_data_free. */
int mem_fs_get_data(struct mem_data **ret, struct fs *fs,
		    const char *path) MUST_CHECK;
int mem_io_get_data(struct mem_data **ret, struct io *io) MUST_CHECK;

/* The path of every file, in no order. */
int mem_fs_each(const struct fs *fs, fs_list_fn fn, void *user);

/* "a//b/../c" to "/a/c"; to be freed.  NULL: out of memory. */
char *mem_path(const char *path);
#endif
