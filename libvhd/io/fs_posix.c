/* SPDX-License-Identifier: BSD-3-Clause */
/* fs_posix.c - the file system of the machine.
 *
 * Only regular files and block devices are opened; whatever else a name may
 * lead to could hang or act when it is opened, or is no place for an image.
 * Names are used as given: policy about them is decided above. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/path.h"
#include "io/io_file.h"

static int
refuse_kind(const char *path, mode_t mode)
{
	const char *kind = S_ISDIR(mode)    ? "a directory"
			   : S_ISFIFO(mode) ? "a pipe"
			   : S_ISCHR(mode)  ? "a character device"
			   : S_ISSOCK(mode) ? "a socket"
					    : "neither a file nor a device";

	return fail(VHD_E_INVALID,
		    "%s: is %s; an image is a regular file or a block device",
		    path, kind);
}

static int
open_failed(int sys, const char *path, unsigned flags)
{
	struct stat st;

	if (sys == EEXIST)
		return fail_sys(sys, "%s: exists already", path);
	if (sys == ELOOP && (flags & FS_OPEN_NOFOLLOW))
		return fail(VHD_E_POLICY,
			    "%s: is a symbolic link, and none is followed here",
			    path);
	if ((sys == EISDIR || sys == ENXIO) && stat(path, &st) == 0 &&
	    !S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return refuse_kind(path, st.st_mode);
	if (flags & FS_OPEN_CREATE)
		return fail_sys(sys, "%s: cannot create", path);
	return fail_sys(sys, "%s: cannot open for %s", path,
			flags & FS_OPEN_WRITE ? "writing" : "reading");
}

/* Where a program was started without stdin, stdout or stderr, a file would
 * take its place, and the next message go into it. */
static int
leave_standard(int fd)
{
	int higher, sys;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd;
	higher = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	sys = errno;
	close(fd);
	errno = sys;
	return higher;
}

static int
posix_open(struct io **ret, const struct fs *fs, const char *path,
	   unsigned flags)
{
	bool writable = flags & (FS_OPEN_WRITE | FS_OPEN_CREATE);
	int mode = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	struct stat st;
	int fd;

	(void)fs;
	mode |= writable ? O_RDWR : O_RDONLY;
	mode |= flags & FS_OPEN_CREATE ? O_CREAT | O_EXCL : 0;
	mode |= flags & FS_OPEN_NOFOLLOW ? O_NOFOLLOW : 0;
	do
		fd = open(path, mode, 0644);
	while (fd < 0 && errno == EINTR);
	fd = leave_standard(fd);
	if (fd < 0)
		return open_failed(errno, path, flags);
	if (fstat(fd, &st) < 0 || fcntl(fd, F_SETFL, 0) < 0) {
		int sys = errno;

		close(fd);
		return fail_sys(sys, "%s: cannot examine", path);
	}
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
		close(fd);
		return refuse_kind(path, st.st_mode);
	}
	return io_file_new(ret, fd, &st, path, writable);
}

static int
posix_stat(struct fs_stat *ret, const struct fs *fs, const char *path)
{
	struct stat st;

	(void)fs;
	if (stat(path, &st) < 0)
		return fail_sys(errno, "%s: cannot examine", path);
	*ret = (struct fs_stat){
		.id = io_file_id(&st),
		.size = (uint64_t)st.st_size,
		.mtime = st.st_mtime,
		.mtime_ns = (uint32_t)st.st_mtim.tv_nsec,
		.links = st.st_nlink,
		.regular = S_ISREG(st.st_mode),
		.directory = S_ISDIR(st.st_mode),
		.block_device = S_ISBLK(st.st_mode),
		.readonly = !(st.st_mode & 0222),
	};
	return 0;
}

static int
posix_free_space(uint64_t *ret, const struct fs *fs, const char *path)
{
	AUTO_FREE char *dir = path_directory(path);
	struct statvfs st;

	(void)fs;
	if (!dir)
		return fail_nomem();
	if (statvfs(path, &st) < 0 &&
	    (errno != ENOENT || statvfs(dir, &st) < 0))
		return fail_sys(errno, "%s: cannot tell the free space", path);
	*ret = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

static int
posix_rename(const struct fs *fs, const char *from, const char *to)
{
	(void)fs;
	if (rename(from, to) < 0)
		return fail_sys(errno, "%s: cannot rename to %s", from, to);
	return 0;
}

static int
posix_exchange(const struct fs *fs, const char *a, const char *b)
{
	(void)fs;
	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: the file system cannot exchange two names", a);
	return fail_sys(errno, "%s: cannot exchange with %s", a, b);
}

static int
posix_link(const struct fs *fs, const char *from, const char *to)
{
	(void)fs;
	if (link(from, to) == 0)
		return 0;
	if (errno == EEXIST)
		return fail_sys(errno, "%s: exists already", to);
	if (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS ||
	    errno == EMLINK)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: the file system gives it no second name %s",
			    from, to);
	return fail_sys(errno, "%s: cannot give it the name %s", from, to);
}

static int
posix_unlink(const struct fs *fs, const char *path)
{
	(void)fs;
	if (unlink(path) < 0)
		return fail_sys(errno, "%s: cannot delete", path);
	return 0;
}

/* Some network file systems have no flush for directories: their names are
 * durable when the call that changed them returns. */
static int
posix_sync_dir(const struct fs *fs, const char *path)
{
	AUTO_FREE char *dir = path_directory(path);
	int fd, sys = 0;

	(void)fs;
	if (!dir)
		return fail_nomem();
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_sys(errno, "%s: cannot open the directory", dir);
	while (!sys && fsync(fd) < 0) {
		if (errno == EINVAL)
			break;
		sys = errno == EINTR ? 0 : errno;
	}
	close(fd);
	if (sys)
		return fail_sys(sys, "%s: cannot flush the directory", dir);
	return 0;
}

static int
posix_list(const struct fs *fs, const char *dir, fs_list_fn fn, void *user)
{
	struct dirent *entry;
	DIR *stream = opendir(dir);
	int result = 0;

	(void)fs;
	if (!stream)
		return fail_sys(errno, "%s: cannot list the directory", dir);
	while (!result) {
		errno = 0;
		entry = readdir(stream);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			result = fn(entry->d_name, user);
	}
	if (!result && errno)
		result = fail_sys(errno, "%s: cannot list the directory", dir);
	(void)closedir(stream);
	return result;
}

static int
posix_resolve(char **ret, const struct fs *fs, const char *path)
{
	char *resolved = realpath(path, NULL);

	(void)fs;
	if (!resolved)
		return fail_sys(errno, "%s: cannot find", path);
	*ret = resolved;
	return 0;
}

static const struct fs_ops posix_ops = {
	.open = posix_open,
	.stat = posix_stat,
	.free_space = posix_free_space,
	.rename = posix_rename,
	.exchange = posix_exchange,
	.link = posix_link,
	.unlink = posix_unlink,
	.sync_dir = posix_sync_dir,
	.list = posix_list,
	.resolve = posix_resolve,
	.copy_attributes = fs_posix_copy_attributes,
	.set_readonly = fs_posix_set_readonly,
	.set_mtime = fs_posix_set_mtime,
};

const struct fs fs_posix = {&posix_ops};
