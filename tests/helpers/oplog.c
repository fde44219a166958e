/* SPDX-License-Identifier: BSD-3-Clause */
/* oplog.c - write the log; each record by one call. */
#include "oplog.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int out = -1;

bool
oplog_open(const char *path)
{
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC,
		   0644);
	return out >= 0;
}

static struct iovec
part(const void *bytes, size_t length)
{
	return (struct iovec){.iov_base = (void *)(uintptr_t)bytes,
			      .iov_len = length};
}

static void
put(struct oplog_record *r, const char *name, const char *other,
    const void *bytes)
{
	struct iovec parts[4];
	ssize_t all = sizeof(*r);

	if (out < 0)
		return;
	r->name_length = name ? (uint32_t)strlen(name) : 0;
	r->other_length = other ? (uint32_t)strlen(other) : 0;
	parts[0] = part(r, sizeof(*r));
	parts[1] = part(name, r->name_length);
	parts[2] = part(other, r->other_length);
	parts[3] = part(bytes, bytes ? (size_t)r->length : 0);
	for (int i = 1; i < 4; i++)
		all += (ssize_t)parts[i].iov_len;
	if (writev(out, parts, 4) != all)
		abort();
}

static uint64_t
inode_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		abort();
	return st.st_ino;
}

void
oplog_file(enum oplog_kind kind, int fd, off_t offset, size_t length,
	   const void *bytes)
{
	struct oplog_record r = {
		.kind = kind,
		.inode = inode_of(fd),
		.offset = (uint64_t)offset,
		.length = length,
	};

	put(&r, NULL, NULL, bytes);
}

void
oplog_name_of(enum oplog_kind kind, int fd, const char *name)
{
	struct oplog_record r = {.kind = kind, .inode = inode_of(fd)};

	put(&r, name, NULL, NULL);
}

void
oplog_names(enum oplog_kind kind, const char *name, const char *other)
{
	struct oplog_record r = {.kind = kind};

	put(&r, name, other, NULL);
}
