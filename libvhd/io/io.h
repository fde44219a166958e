/* SPDX-License-Identifier: BSD-3-Clause */
/* io.h - the contract of a byte store, and of the place where stores live.
 *
 * These two tables are the only structs of functions in the library.  The
 * file system is the default; the tests put a crash recorder, a fault
 * injector and plain memory under the same seam.
 *
 * Every function returns 0 or a negative enum vhd_err with its sentence set,
 * and is safe to call from several threads at once, except close. */
#ifndef VHDI_IO_H
#define VHDI_IO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct io;
struct fs;

/* What a lock keeps away; the byte ranges are QEMU's, so that QEMU and we
 * exclude each other (docs/durability.md, "Locks"). */
enum io_lock {
	IO_LOCK_NONE,
	IO_LOCK_READ,  /* others may read, nobody may write */
	IO_LOCK_WRITE, /* the only writer; readers of it as a parent excluded */
};

struct io_ops {
	/* Move exactly len bytes.  Reading past the end is VHD_E_CORRUPT:
	 * whoever reads has checked the size before. */
	int (*pread)(struct io *io, void *buf, size_t len,
		     uint64_t offset) MUST_CHECK;
	int (*pwrite)(struct io *io, const void *buf, size_t len,
		      uint64_t offset) MUST_CHECK;
	/* The same, and durable when it returns.  If bytes could be written
	 * but not made durable, every flush from then on fails. */
	int (*pwrite_durable)(struct io *io, const void *buf, size_t len,
			      uint64_t offset) MUST_CHECK;

	/* Everything that completed before this call survives a power cut
	 * once it has returned 0. */
	int (*flush)(struct io *io) MUST_CHECK;

	int (*size)(uint64_t *ret, struct io *io) MUST_CHECK;
	/* Bytes that the file system has set aside for it. */
	int (*actual_size)(uint64_t *ret, struct io *io);
	int (*truncate)(struct io *io, uint64_t size) MUST_CHECK;

	/* Make a range read as zero and give its space back; the size stays.
	 * VHD_E_UNSUPPORTED where the file system cannot. */
	int (*punch)(struct io *io, uint64_t offset, uint64_t length);

	/* Is offset inside data or a hole, and where does that end (at most
	 * the size)?  Everything is data where the system cannot tell. */
	int (*extent)(bool *ret_data, uint64_t *ret_end, struct io *io,
		      uint64_t offset);

	/* Copy between two stores of the same kind, sharing extents where
	 * the file system can.  VHD_E_UNSUPPORTED: use pread and pwrite. */
	int (*copy_range)(struct io *to, uint64_t to_offset, struct io *from,
			  uint64_t from_offset, uint64_t length) MUST_CHECK;

	/* Ask the system to read a range ahead.  Advice only. */
	void (*readahead)(struct io *io, uint64_t offset, uint64_t length);

	/* Bring a range that was written nearer to the disk, and wait for
	 * that, so that the next flush has less to do.  If it fails, that
	 * flush does.  NULL where it would do nothing. */
	void (*write_out)(struct io *io, uint64_t offset, uint64_t length);

	/* Take, change or give up the lock.  VHD_E_BUSY names the holder. */
	int (*lock)(struct io *io, enum io_lock mode);

	/* Frees io, always. */
	int (*close)(struct io *io);
};

/* What identifies a file however it is reached. */
struct io_id {
	uint64_t device;
	uint64_t inode;
};

static inline bool
io_id_equal(struct io_id a, struct io_id b)
{
	return a.device == b.device && a.inode == b.inode;
}

struct io {
	const struct io_ops *ops;
	char *name;        /* for messages; owned */
	struct io_id id;   /* set at open, then constant */
	bool writable;     /* set at open, then constant */
	bool block_device; /* fixed size, no punch that is sure to zero */
};

enum fs_open_flags {
	FS_OPEN_WRITE = 1 << 0,
	FS_OPEN_CREATE = 1 << 1,   /* exclusively: fails if it exists */
	FS_OPEN_NOFOLLOW = 1 << 2, /* the last part must not be a symlink */
};

/* What stat tells. */
struct fs_stat {
	struct io_id id;
	uint64_t size;
	int64_t mtime;
	uint32_t mtime_ns;
	uint64_t links;
	bool regular;
	bool directory;
	bool block_device;
	bool readonly; /* marked as such; it may be opened all the same */
};

typedef int (*fs_list_fn)(const char *name, void *user);

struct fs_ops {
	int (*open)(struct io **ret, const struct fs *fs, const char *path,
		    unsigned flags) MUST_CHECK;
	int (*stat)(struct fs_stat *ret, const struct fs *fs,
		    const char *path) MUST_CHECK;
	int (*free_space)(uint64_t *ret, const struct fs *fs, const char *path);
	/* Atomic.  rename replaces its target, link does not. */
	int (*rename)(const struct fs *fs, const char *from,
		      const char *to) MUST_CHECK;
	int (*exchange)(const struct fs *fs, const char *a,
			const char *b) MUST_CHECK;
	int (*link)(const struct fs *fs, const char *from,
		    const char *to) MUST_CHECK;
	int (*unlink)(const struct fs *fs, const char *path);
	/* Make the names in the directory of path durable. */
	int (*sync_dir)(const struct fs *fs, const char *path);
	/* Names in a directory, in no order.  A non-zero result of fn ends
	 * the walk and is returned. */
	int (*list)(const struct fs *fs, const char *dir, fs_list_fn fn,
		    void *user);
	/* The path with every symbolic link resolved, to be freed. */
	int (*resolve)(char **ret, const struct fs *fs,
		       const char *path) MUST_CHECK;
	/* Give to the owner, mode, times, ACL, attributes and label of from,
	 * as far as the caller may. */
	int (*copy_attributes)(const struct fs *fs, const char *from,
			       const char *to);
	int (*set_readonly)(const struct fs *fs, const char *path, bool on);
	/* Put the time of the last change back to what `to` says. */
	int (*set_mtime)(const struct fs *fs, const char *path,
			 const struct fs_stat *to);
};

struct fs {
	const struct fs_ops *ops;
};

extern const struct fs fs_posix;

static inline int
io_close(struct io *io)
{
	return io ? io->ops->close(io) : 0;
}
DEFINE_CLEANUP(struct io, io_close);

/* io_util.c: written once on top of the tables. */

/* Write zeros, by punching where that works. */
int io_write_zeros(struct io *io, uint64_t offset, uint64_t length) MUST_CHECK;

/* Copy, by copy_range where that works. */
int io_copy(struct io *to, uint64_t to_offset, struct io *from,
	    uint64_t from_offset, uint64_t length) MUST_CHECK;

/* Unlink, durably. */
int fs_remove(const struct fs *fs, const char *path) MUST_CHECK;

/* Make the name of a file that others made durable, before something is done
 * that relies on it: they may have been killed (P14).  Who may not open the
 * directory cannot do anything about it. */
int fs_sync_name(const struct fs *fs, const char *path) MUST_CHECK;

/* The same for all names in a directory. */
int fs_sync_names(const struct fs *fs, const char *dir) MUST_CHECK;
#endif
