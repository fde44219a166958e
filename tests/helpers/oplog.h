/* SPDX-License-Identifier: BSD-3-Clause */
/* oplog.h - a log of what was done to a file system.
 *
 * One record for each operation that succeeded: a struct oplog_record in the
 * byte order of the machine, a name, another name, and what was written.  A
 * record is there before the operation is answered for, so the size of the log
 * is a moment in time to whoever asked for it.  Read by tests/power/media.py.
 * Without oplog_open nothing is recorded; errors abort. */
#ifndef VHD_TEST_OPLOG_H
#define VHD_TEST_OPLOG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum oplog_kind {
	OPLOG_WRITE,
	OPLOG_ZERO,     /* a range became zero; the size stays */
	OPLOG_TRUNCATE, /* offset: the new size */
	OPLOG_SYNC,
	OPLOG_CREATE, /* the inode has a name */
	OPLOG_LINK,   /* and one more */
	OPLOG_RENAME,
	OPLOG_EXCHANGE,
	OPLOG_UNLINK,
	OPLOG_SYNC_DIR,
};

struct oplog_record {
	uint32_t kind, name_length, other_length, zero;
	uint64_t inode, offset, length;
};

/* Begin a new file; false when that fails. */
bool oplog_open(const char *path);

void oplog_file(enum oplog_kind kind, int fd, off_t offset, size_t length,
		const void *bytes);
void oplog_name_of(enum oplog_kind kind, int fd, const char *name);
void oplog_names(enum oplog_kind kind, const char *name, const char *other);
#endif
