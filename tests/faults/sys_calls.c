/* SPDX-License-Identifier: BSD-3-Clause */
/* sys_calls.c - the system; the linker turns calls of X into calls of
 * __wrap_X, and __real_X is the function itself.  Names that end in 64 are
 * what the others become where files may be large. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "call_fault.h"

/* One that fails with -1. */
#define CALL(kind, type, name, params, args)                                   \
	type __real_##name params;                                             \
	type __wrap_##name params;                                             \
	type __wrap_##name params                                              \
	{                                                                      \
		return call_fails(kind, #name) ? -1 : __real_##name args;      \
	}

/* One that moves up to len bytes. */
#define TRANSFER(kind, name, params, args)                                     \
	ssize_t __real_##name params;                                          \
	ssize_t __wrap_##name params;                                          \
	ssize_t __wrap_##name params                                           \
	{                                                                      \
		return transfer_fails(kind, #name, &len) ? -1                  \
							 : __real_##name args; \
	}

/* NOLINTBEGIN(bugprone-reserved-identifier) */
CALL(CALL_OPEN, int, socket, (int domain, int type, int protocol),
     (domain, type, protocol))
CALL(CALL_OPEN, int, accept4,
     (int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags))
CALL(CALL_OPEN, int, pipe2, (int ret[2], int flags), (ret, flags))
CALL(CALL_FLUSH, int, fdatasync, (int fd), (fd))
CALL(CALL_FLUSH, int, fsync, (int fd), (fd))
CALL(CALL_SPACE, int, ftruncate64, (int fd, off_t size), (fd, size))
CALL(CALL_SPACE, int, fallocate64, (int fd, int mode, off_t at, off_t len),
     (fd, mode, at, len))
CALL(CALL_LOOK, int, stat64, (const char *path, struct stat *st), (path, st))
CALL(CALL_LOOK, int, lstat64, (const char *path, struct stat *st), (path, st))
CALL(CALL_LOOK, int, fstat64, (int fd, struct stat *st), (fd, st))
CALL(CALL_LOOK, off_t, lseek64, (int fd, off_t at, int whence),
     (fd, at, whence))
CALL(CALL_LOOK, int, statvfs64, (const char *path, struct statvfs *st),
     (path, st))
CALL(CALL_NAMES, int, rename, (const char *from, const char *to), (from, to))
CALL(CALL_NAMES, int, renameat2,
     (int a, const char *from, int b, const char *to, unsigned flags),
     (a, from, b, to, flags))
CALL(CALL_NAMES, int, link, (const char *from, const char *to), (from, to))
CALL(CALL_NAMES, int, unlink, (const char *path), (path))

TRANSFER(CALL_READ, pread64, (int fd, void *buf, size_t len, off_t at),
	 (fd, buf, len, at))
TRANSFER(CALL_READ, read, (int fd, void *buf, size_t len), (fd, buf, len))
TRANSFER(CALL_READ, recv, (int fd, void *buf, size_t len, int flags),
	 (fd, buf, len, flags))
TRANSFER(CALL_WRITE, pwrite64, (int fd, const void *buf, size_t len, off_t at),
	 (fd, buf, len, at))
TRANSFER(CALL_WRITE, write, (int fd, const void *buf, size_t len),
	 (fd, buf, len))
TRANSFER(CALL_WRITE, send, (int fd, const void *buf, size_t len, int flags),
	 (fd, buf, len, flags))
TRANSFER(CALL_WRITE, copy_file_range,
	 (int in, off_t *at, int out, off_t *to, size_t len, unsigned flags),
	 (in, at, out, to, len, flags))

ssize_t __real_pwritev64v2(int fd, const struct iovec *v, int n, off_t at,
			   int flags);
ssize_t __wrap_pwritev64v2(int fd, const struct iovec *v, int n, off_t at,
			   int flags);
ssize_t
__wrap_pwritev64v2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	struct iovec part = *v;

	if (transfer_fails(CALL_WRITE, "pwritev2", &part.iov_len))
		return -1;
	return n == 1 ? __real_pwritev64v2(fd, &part, 1, at, flags)
		      : __real_pwritev64v2(fd, v, n, at, flags);
}

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int
__wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	if (call_fails(CALL_OPEN, "open"))
		return -1;
	if (flags & O_CREAT) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return __real_open64(path, flags, mode);
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
DIR *
__wrap_opendir(const char *path)
{
	return call_fails(CALL_MEMORY, "opendir") ||
			       call_fails(CALL_OPEN, "opendir")
		       ? NULL
		       : __real_opendir(path);
}

struct dirent *__real_readdir64(DIR *stream);
struct dirent *__wrap_readdir64(DIR *stream);
struct dirent *
__wrap_readdir64(DIR *stream)
{
	return call_fails(CALL_LOOK, "readdir") ? NULL
						: __real_readdir64(stream);
}

FILE *__real_fopen64(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
FILE *
__wrap_fopen64(const char *path, const char *mode)
{
	return call_fails(CALL_MEMORY, "fopen") ? NULL
						: __real_fopen64(path, mode);
}

int __real_pthread_create(pthread_t *ret, const pthread_attr_t *attr,
			  void *(*run)(void *), void *user);
int __wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr,
			  void *(*run)(void *), void *user);
int
__wrap_pthread_create(pthread_t *ret, const pthread_attr_t *attr,
		      void *(*run)(void *), void *user)
{
	return call_fails(CALL_MEMORY, "pthread_create")
		       ? EAGAIN
		       : __real_pthread_create(ret, attr, run, user);
}
/* NOLINTEND(bugprone-reserved-identifier) */
