/* SPDX-License-Identifier: BSD-3-Clause */
/* io_file.h - what the files of this floor share about a store that is a file
 * descriptor. */
#ifndef VHDI_IO_FILE_H
#define VHDI_IO_FILE_H
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "io/io.h"

struct io_file {
	struct io io; /* first: a struct io * is a struct io_file * */
	int fd;
	_Atomic bool no_dsync;     /* the system lacks RWF_DSYNC */
	_Atomic bool lost;         /* see io_file_lose */
	pthread_mutex_t lock_lock; /* around held and the locks themselves */
	enum io_lock held;         /* [lock_lock] */
};

static inline struct io_file *
io_file_of(struct io *io)
{
	return (struct io_file *)(void *)io;
}

/* What identifies the file behind st; a block device is the same through
 * whatever node it is opened. */
struct io_id io_file_id(const struct stat *st);

/* A store over fd, which it takes over, also on failure. */
int io_file_new(struct io **ret, int fd, const struct stat *st,
		const char *name, bool writable) MUST_CHECK;

/* The system tells an error of writing back once to each descriptor, and it
 * has just told it to something that is not a flush: so that no flush misses
 * it, all of them fail from now on (D8). */
void io_file_lose(struct io *io);

/* io_file_space.c */
int io_file_actual_size(uint64_t *ret, struct io *io);
int io_file_punch(struct io *io, uint64_t offset, uint64_t length);
int io_file_extent(bool *ret_data, uint64_t *ret_end, struct io *io,
		   uint64_t offset);
int io_file_copy_range(struct io *to, uint64_t to_offset, struct io *from,
		       uint64_t from_offset, uint64_t length);
void io_file_readahead(struct io *io, uint64_t offset, uint64_t length);
void io_file_write_out(struct io *io, uint64_t offset, uint64_t length);

/* io_lock.c */
int io_file_lock(struct io *io, enum io_lock mode);

/* io_file.c: reading past the end. */
int io_file_past_end(struct io *io, uint64_t offset, uint64_t length)
	__attribute__((cold));

/* fs_attr.c */
int fs_posix_copy_attributes(const struct fs *fs, const char *from,
			     const char *to);
int fs_posix_set_readonly(const struct fs *fs, const char *path, bool on);
int fs_posix_set_mtime(const struct fs *fs, const char *path,
		       const struct fs_stat *to);
#endif
