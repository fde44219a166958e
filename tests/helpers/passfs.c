/* SPDX-License-Identifier: BSD-3-Clause */
/* passfs.c - the files of one directory as a file system that lacks what it
 * is not told to have: hard links, exchanging two names, punching holes.  FAT,
 * exFAT and many network file systems are like that.
 *
 *	passfs [--link] [--exchange] [--punch] [--log LOG] SOURCE MOUNTPOINT
 *
 * Whatever changes a file or a name, or makes that durable, is written to LOG
 * before it is answered for (oplog.h).  After SIGUSR1 it is a disk that has
 * failed: it can be read, but whatever writes to it gets EIO.  Stays in the
 * foreground; whoever unmounts it ends it. */
#define FUSE_USE_VERSION 31
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "oplog.h"

/* A file that the kernel knows; its number is the address of this. */
struct node {
	struct node *next;
	ino_t inode;
	int fd; /* O_PATH */
	uint64_t lookups;
};

static struct {
	int dir;
	struct node *nodes;
	bool has_link, has_exchange, has_punch;
} pass;

static volatile sig_atomic_t failed;

static void
on_usr1(int number)
{
	(void)number;
	failed = 1;
}

static bool
refuses(fuse_req_t req)
{
	if (failed)
		(void)fuse_reply_err(req, EIO);
	return failed;
}

static void
reply(fuse_req_t req, long n)
{
	(void)fuse_reply_err(req, n < 0 ? errno : 0);
}

/* ---- Nodes ---- */

static int
fd_of(fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID ? pass.dir
				   : ((struct node *)(uintptr_t)ino)->fd;
}

/* A way to the file that works without a name. */
struct way {
	char path[32];
};

static const char *
way_to(struct way *w, fuse_ino_t ino)
{
	(void)snprintf(w->path, sizeof(w->path), "/proc/self/fd/%d",
		       fd_of(ino));
	return w->path;
}

static struct node *
node_of(int fd, ino_t inode)
{
	struct node *node = pass.nodes;

	while (node && node->inode != inode)
		node = node->next;
	if (node) {
		(void)close(fd);
		return node;
	}
	node = malloc(sizeof(*node));
	if (!node)
		abort();
	*node = (struct node){pass.nodes, inode, fd, 0};
	pass.nodes = node;
	return node;
}

static int
find(struct fuse_entry_param *ret, const char *name)
{
	int fd = openat(pass.dir, name, O_PATH | O_NOFOLLOW);
	struct node *node;

	*ret = (struct fuse_entry_param){0};
	if (fd < 0 || fstat(fd, &ret->attr) < 0)
		return -1;
	node = node_of(fd, ret->attr.st_ino);
	node->lookups++;
	ret->ino = (uintptr_t)node;
	return 0;
}

static void
reply_entry(fuse_req_t req, const char *name)
{
	struct fuse_entry_param entry;

	if (find(&entry, name) < 0)
		reply(req, -1);
	else
		(void)fuse_reply_entry(req, &entry);
}

static void
on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent;
	reply_entry(req, name);
}

static void
on_forget(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	struct node *node = (struct node *)(uintptr_t)ino;
	struct node **at = &pass.nodes;

	fuse_reply_none(req);
	if (ino == FUSE_ROOT_ID)
		return;
	node->lookups -= lookups;
	if (node->lookups)
		return;
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	(void)close(node->fd);
	free(node);
}

/* ---- Names ---- */

static void
on_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	int n = unlinkat(pass.dir, name, 0);

	(void)parent;
	if (!n)
		oplog_names(OPLOG_UNLINK, name, NULL);
	reply(req, n);
}

static void
on_rename(fuse_req_t req, fuse_ino_t parent, const char *from,
	  fuse_ino_t to_parent, const char *to, unsigned flags)
{
	bool exchange = flags & RENAME_EXCHANGE;
	int n;

	(void)parent;
	(void)to_parent;
	if (exchange && !pass.has_exchange) {
		(void)fuse_reply_err(req, EINVAL);
		return;
	}
	n = renameat2(pass.dir, from, pass.dir, to, flags);
	if (!n)
		oplog_names(exchange ? OPLOG_EXCHANGE : OPLOG_RENAME, from, to);
	reply(req, n);
}

static void
on_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct way w;

	(void)parent;
	if (!pass.has_link) {
		(void)fuse_reply_err(req, EPERM);
	} else if (linkat(AT_FDCWD, way_to(&w, ino), pass.dir, name,
			  AT_SYMLINK_FOLLOW) < 0) {
		reply(req, -1);
	} else {
		oplog_name_of(OPLOG_LINK, fd_of(ino), name);
		reply_entry(req, name);
	}
}

static void
on_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct way w;
	DIR *dir = opendir(way_to(&w, ino));

	if (!dir) {
		reply(req, -1);
		return;
	}
	fi->fh = (uint64_t)(uintptr_t)dir;
	(void)fuse_reply_open(req, fi);
}

static DIR *
dir_of(const struct fuse_file_info *fi)
{
	return (DIR *)(uintptr_t)fi->fh;
}

static void
on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	   struct fuse_file_info *fi)
{
	char buf[4096];
	size_t room = size < sizeof(buf) ? size : sizeof(buf), used = 0;

	(void)ino;
	seekdir(dir_of(fi), offset);
	for (struct dirent *e = readdir(dir_of(fi)); e;
	     e = readdir(dir_of(fi))) {
		struct stat st = {.st_ino = e->d_ino,
				  .st_mode = (mode_t)e->d_type << 12};
		size_t n = fuse_add_direntry(req, buf + used, room - used,
					     e->d_name, &st, e->d_off);

		if (n > room - used)
			break;
		used += n;
	}
	(void)fuse_reply_buf(req, buf, used);
}

static void
on_fsyncdir(fuse_req_t req, fuse_ino_t ino, int only_data,
	    struct fuse_file_info *fi)
{
	int n;

	(void)ino;
	(void)only_data;
	if (refuses(req))
		return;
	n = fsync(dirfd(dir_of(fi)));
	if (!n)
		oplog_names(OPLOG_SYNC_DIR, NULL, NULL);
	reply(req, n);
}

static void
on_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	reply(req, closedir(dir_of(fi)));
}

/* ---- Attributes ---- */

static void
on_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	if (fstat(fd_of(ino), &st) < 0)
		reply(req, -1);
	else
		(void)fuse_reply_attr(req, &st, 0);
}

static int
set_size(fuse_ino_t ino, off_t size)
{
	struct way w;
	int fd = open(way_to(&w, ino), O_WRONLY);
	int n = fd < 0 ? -1 : ftruncate(fd, size);

	if (!n)
		oplog_file(OPLOG_TRUNCATE, fd, size, 0, NULL);
	if (fd >= 0)
		(void)close(fd);
	return n;
}

static int
set_times(fuse_ino_t ino, const struct stat *st, int set)
{
	struct timespec times[2] = {st->st_atim, st->st_mtim};
	struct way w;

	if (!(set & FUSE_SET_ATTR_ATIME))
		times[0].tv_nsec = UTIME_OMIT;
	if (!(set & FUSE_SET_ATTR_MTIME))
		times[1].tv_nsec = UTIME_OMIT;
	if (set & FUSE_SET_ATTR_ATIME_NOW)
		times[0].tv_nsec = UTIME_NOW;
	if (set & FUSE_SET_ATTR_MTIME_NOW)
		times[1].tv_nsec = UTIME_NOW;
	return utimensat(AT_FDCWD, way_to(&w, ino), times, 0);
}

static void
on_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int set,
	   struct fuse_file_info *fi)
{
	uid_t uid = set & FUSE_SET_ATTR_UID ? st->st_uid : (uid_t)-1;
	gid_t gid = set & FUSE_SET_ATTR_GID ? st->st_gid : (gid_t)-1;
	struct way w;
	int n = 0;

	if (set & FUSE_SET_ATTR_MODE)
		n = chmod(way_to(&w, ino), st->st_mode);
	if (!n && set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID))
		n = chown(way_to(&w, ino), uid, gid);
	if (!n && set & FUSE_SET_ATTR_SIZE)
		n = set_size(ino, st->st_size);
	if (!n && set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME))
		n = set_times(ino, st, set);
	if (n)
		reply(req, n);
	else
		on_getattr(req, ino, fi);
}

static void
on_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs st;

	if (fstatvfs(fd_of(ino), &st) < 0)
		reply(req, -1);
	else
		(void)fuse_reply_statfs(req, &st);
}

/* ---- Content ---- */

static void
on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct way w;
	int fd = open(way_to(&w, ino), fi->flags & ~O_NOFOLLOW);

	if (fd < 0) {
		reply(req, -1);
		return;
	}
	fi->fh = (uint64_t)fd;
	(void)fuse_reply_open(req, fi);
}

static void
on_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	  struct fuse_file_info *fi)
{
	int fd = openat(pass.dir, name, fi->flags | O_CREAT, mode);
	struct fuse_entry_param entry;

	(void)parent;
	if (fd < 0 || find(&entry, name) < 0) {
		reply(req, -1);
		return;
	}
	oplog_name_of(OPLOG_CREATE, fd, name);
	fi->fh = (uint64_t)fd;
	(void)fuse_reply_create(req, &entry, fi);
}

static void
on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	struct fuse_file_info *fi)
{
	struct fuse_bufvec buf = FUSE_BUFVEC_INIT(size);

	(void)ino;
	buf.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
	buf.buf[0].fd = (int)fi->fh;
	buf.buf[0].pos = offset;
	(void)fuse_reply_data(req, &buf, 0);
}

static void
on_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
	 off_t offset, struct fuse_file_info *fi)
{
	ssize_t n;

	(void)ino;
	if (refuses(req))
		return;
	n = pwrite((int)fi->fh, buf, size, offset);
	if (n < 0) {
		reply(req, n);
		return;
	}
	/* What is to be durable at once is followed by an fsync. */
	oplog_file(OPLOG_WRITE, (int)fi->fh, offset, (size_t)n, buf);
	(void)fuse_reply_write(req, (size_t)n);
}

static void
on_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
	     off_t length, struct fuse_file_info *fi)
{
	const int zeroes = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
	int n;

	(void)ino;
	if (refuses(req))
		return;
	if (!pass.has_punch || !(mode & FALLOC_FL_KEEP_SIZE) ||
	    !(mode & zeroes)) {
		(void)fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	n = fallocate((int)fi->fh, mode, offset, length);
	if (!n)
		oplog_file(OPLOG_ZERO, (int)fi->fh, offset, (size_t)length,
			   NULL);
	reply(req, n);
}

static void
on_fsync(fuse_req_t req, fuse_ino_t ino, int only_data,
	 struct fuse_file_info *fi)
{
	int n;

	(void)ino;
	if (refuses(req))
		return;
	n = only_data ? fdatasync((int)fi->fh) : fsync((int)fi->fh);
	if (!n)
		oplog_file(OPLOG_SYNC, (int)fi->fh, 0, 0, NULL);
	reply(req, n);
}

static void
on_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	reply(req, close((int)fi->fh));
}

static const struct fuse_lowlevel_ops operations = {
	.lookup = on_lookup,
	.forget = on_forget,
	.unlink = on_unlink,
	.rename = on_rename,
	.link = on_link,
	.opendir = on_opendir,
	.readdir = on_readdir,
	.fsyncdir = on_fsyncdir,
	.releasedir = on_releasedir,
	.getattr = on_getattr,
	.setattr = on_setattr,
	.statfs = on_statfs,
	.open = on_open,
	.create = on_create,
	.read = on_read,
	.write = on_write,
	.fallocate = on_fallocate,
	.fsync = on_fsync,
	.release = on_release,
};

/* ---- Start ---- */

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

static bool
logs(int *argc, char **argv)
{
	return !has(argc, argv, "--log") ||
	       (*argc > 1 && oplog_open(argv[1]) && has(argc, argv, argv[1]));
}

static int
serve(char *program, const char *mountpoint)
{
	struct fuse_args args = FUSE_ARGS_INIT(1, &program);
	struct fuse_session *session =
		fuse_session_new(&args, &operations, sizeof(operations), NULL);

	if (!session || fuse_set_signal_handlers(session) != 0 ||
	    fuse_session_mount(session, mountpoint) != 0)
		return 1;
	(void)fuse_session_loop(session);
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	fuse_session_destroy(session);
	return 0;
}

int
main(int argc, char **argv)
{
	pass.has_link = has(&argc, argv, "--link");
	pass.has_exchange = has(&argc, argv, "--exchange");
	pass.has_punch = has(&argc, argv, "--punch");
	if (!logs(&argc, argv) || argc != 3) {
		(void)fprintf(stderr,
			      "usage: passfs [--link] [--exchange] [--punch] "
			      "[--log LOG] SOURCE MOUNTPOINT\n");
		return 2;
	}
	pass.dir = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (pass.dir < 0) {
		perror(argv[1]);
		return 1;
	}
	umask(0);
	(void)sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_usr1},
			NULL);
	return serve(argv[0], argv[2]);
}
