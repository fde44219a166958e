/* SPDX-License-Identifier: BSD-3-Clause */
/* passfs.c - a directory as a file system that lacks what it is not told to
 * have: hard links, exchanging two names, punching holes.  FAT, exFAT and many
 * network file systems are like that.
 *
 *	passfs [--link] [--exchange] [--punch] SOURCE MOUNTPOINT
 *
 * Stays in the foreground; whoever unmounts it ends it. */
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct {
	const char *source;
	bool has_link, has_exchange, has_punch;
} pass;

struct place {
	char path[PATH_MAX];
};

static const char *
real(struct place *p, const char *path)
{
	(void)snprintf(p->path, sizeof(p->path), "%s%s", pass.source, path);
	return p->path;
}

static int
result(long n)
{
	return n < 0 ? -errno : (int)n;
}

static void *
on_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	(void)conn;
	config->use_ino = 1;
	config->hard_remove = 1;
	config->entry_timeout = 0;
	config->attr_timeout = 0;
	config->negative_timeout = 0;
	return NULL;
}

/* ---- Names ---- */

static int
on_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	struct place p;

	return result(fi ? fstat((int)fi->fh, st) : lstat(real(&p, path), st));
}

static int
on_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t offset,
	   struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	struct place p;
	DIR *dir = opendir(real(&p, path));

	(void)offset;
	(void)fi;
	(void)flags;
	if (!dir)
		return -errno;
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		if (fill(buf, e->d_name, NULL, 0, 0))
			break;
	(void)closedir(dir);
	return 0;
}

static int
on_unlink(const char *path)
{
	struct place p;

	return result(unlink(real(&p, path)));
}

static int
on_rename(const char *from, const char *to, unsigned flags)
{
	struct place a, b;

	if ((flags & RENAME_EXCHANGE) && !pass.has_exchange)
		return -EINVAL;
	return result(renameat2(AT_FDCWD, real(&a, from), AT_FDCWD,
				real(&b, to), flags));
}

static int
on_link(const char *from, const char *to)
{
	struct place a, b;

	if (!pass.has_link)
		return -EPERM;
	return result(link(real(&a, from), real(&b, to)));
}

static int
on_fsyncdir(const char *path, int only_data, struct fuse_file_info *fi)
{
	struct place p;
	int fd = open(real(&p, path), O_RDONLY | O_DIRECTORY);
	int err;

	(void)only_data;
	(void)fi;
	if (fd < 0)
		return -errno;
	err = result(fsync(fd));
	(void)close(fd);
	return err;
}

/* ---- Attributes ---- */

static int
on_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	struct place p;

	(void)fi;
	return result(chmod(real(&p, path), mode));
}

static int
on_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	struct place p;

	(void)fi;
	return result(lchown(real(&p, path), uid, gid));
}

static int
on_utimens(const char *path, const struct timespec times[2],
	   struct fuse_file_info *fi)
{
	struct place p;

	(void)fi;
	return result(utimensat(AT_FDCWD, real(&p, path), times,
				AT_SYMLINK_NOFOLLOW));
}

static int
on_statfs(const char *path, struct statvfs *st)
{
	struct place p;

	return result(statvfs(real(&p, path), st));
}

/* ---- Content ---- */

static int
on_open(const char *path, struct fuse_file_info *fi)
{
	struct place p;
	int fd = open(real(&p, path), fi->flags & ~O_NOFOLLOW);

	if (fd < 0)
		return -errno;
	fi->fh = (uint64_t)fd;
	return 0;
}

static int
on_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	struct place p;
	int fd = open(real(&p, path), fi->flags | O_CREAT, mode);

	if (fd < 0)
		return -errno;
	fi->fh = (uint64_t)fd;
	return 0;
}

static int
on_read(const char *path, char *buf, size_t size, off_t offset,
	struct fuse_file_info *fi)
{
	(void)path;
	return result(pread((int)fi->fh, buf, size, offset));
}

static int
on_write(const char *path, const char *buf, size_t size, off_t offset,
	 struct fuse_file_info *fi)
{
	(void)path;
	return result(pwrite((int)fi->fh, buf, size, offset));
}

static int
on_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	struct place p;

	return result(fi ? ftruncate((int)fi->fh, size)
			 : truncate(real(&p, path), size));
}

static int
on_fallocate(const char *path, int mode, off_t offset, off_t length,
	     struct fuse_file_info *fi)
{
	(void)path;
	if (!pass.has_punch)
		return -EOPNOTSUPP;
	return result(fallocate((int)fi->fh, mode, offset, length));
}

static int
on_fsync(const char *path, int only_data, struct fuse_file_info *fi)
{
	(void)path;
	return result(only_data ? fdatasync((int)fi->fh) : fsync((int)fi->fh));
}

static int
on_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	return result(close((int)fi->fh));
}

static const struct fuse_operations operations = {
	.init = on_init,
	.getattr = on_getattr,
	.readdir = on_readdir,
	.unlink = on_unlink,
	.rename = on_rename,
	.link = on_link,
	.fsyncdir = on_fsyncdir,
	.chmod = on_chmod,
	.chown = on_chown,
	.utimens = on_utimens,
	.statfs = on_statfs,
	.open = on_open,
	.create = on_create,
	.read = on_read,
	.write = on_write,
	.truncate = on_truncate,
	.fallocate = on_fallocate,
	.fsync = on_fsync,
	.release = on_release,
};

/* What the file system has is taken off the arguments. */
static bool
has(int *argc, char **argv, const char *option)
{
	if (*argc < 2 || strcmp(argv[1], option) != 0)
		return false;
	memmove(argv + 1, argv + 2, (size_t)(*argc - 1) * sizeof(*argv));
	(*argc)--;
	return true;
}

int
main(int argc, char **argv)
{
	char foreground[] = "-f", one_thread[] = "-s";
	char *fuse_argv[] = {argv[0], foreground, one_thread, NULL, NULL};

	pass.has_link = has(&argc, argv, "--link");
	pass.has_exchange = has(&argc, argv, "--exchange");
	pass.has_punch = has(&argc, argv, "--punch");
	if (argc != 3) {
		(void)fprintf(stderr, "usage: passfs [--link] [--exchange] "
				      "[--punch] SOURCE MOUNTPOINT\n");
		return 2;
	}
	pass.source = realpath(argv[1], NULL);
	if (!pass.source) {
		perror(argv[1]);
		return 1;
	}
	fuse_argv[3] = argv[2];
	umask(0);
	return fuse_main(4, fuse_argv, &operations, NULL);
}
