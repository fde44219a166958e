/* SPDX-License-Identifier: BSD-3-Clause */
/* io_fault.h - a file system over another one that fails when told to.
 *
 * Operations are counted from 1 since the last fault_arm.  The usual loop:
 *	for (n = 1;; n++) {
 *		fault_arm(fs, &(struct fault){.at = n, .what = FAULT_EIO});
 *		... work; then look at what is left below ...
 *		if (!fault_fired(fs))
 *			break;
 *	} */
#ifndef VHD_TEST_IO_FAULT_H
#define VHD_TEST_IO_FAULT_H
#include "io/io.h"

enum fault_kind {
	FAULT_READ = 1 << 0,
	FAULT_WRITE = 1 << 1, /* pwrite and pwrite_durable */
	FAULT_FLUSH = 1 << 2,
	FAULT_SIZE = 1 << 3, /* size, actual_size, extent */
	FAULT_TRUNCATE = 1 << 4,
	FAULT_PUNCH = 1 << 5,
	FAULT_COPY = 1 << 6,
	FAULT_LOCK = 1 << 7,
	FAULT_CLOSE = 1 << 8, /* closes all the same */
	FAULT_OPEN = 1 << 9,
	FAULT_LOOK = 1 << 10,  /* stat, list, resolve, free_space */
	FAULT_NAMES = 1 << 11, /* rename, exchange, link, unlink */
	FAULT_SYNC_DIR = 1 << 12,
	FAULT_ATTRIBUTES = 1 << 13,
	FAULT_ALL = 0, /* every kind */
};

enum fault_what {
	FAULT_EIO,    /* nothing happens */
	FAULT_ENOSPC, /* likewise */
	FAULT_EINTR,  /* likewise */
	FAULT_SHORT,  /* half of a transfer, in whole sectors; else FAULT_EIO */
};

struct fault {
	uint64_t at;    /* 0: never */
	unsigned kinds; /* enum fault_kind, what is counted; 0: all */
	enum fault_what what;
	bool sticky; /* every later one of these kinds fails too */
};

/* Called before every operation that is counted, with the name of its file.
 * It may arm a fault, which may strike this one. */
typedef void (*fault_hook)(struct fs *fs, enum fault_kind kind,
			   const char *name, void *user);
void fault_set_hook(struct fs *fs, fault_hook hook, void *user);

/* below is not taken over. */
int fault_fs_new(struct fs **ret, const struct fs *below) MUST_CHECK;
void fault_fs_free(struct fs *fs);
DEFINE_CLEANUP(struct fs, fault_fs_free);

void fault_arm(struct fs *fs, const struct fault *fault);

/* Like a file system on which files have one name each. */
void fault_refuse_links(struct fs *fs);

/* Since the last fault_arm: operations of its kinds, and has one failed? */
uint64_t fault_count(const struct fs *fs);
bool fault_fired(const struct fs *fs);

/* The first that did, for a person; "" if none. */
const char *fault_hit(const struct fs *fs);
#endif
