/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops.c - requests of the kernel, answered from a view.
 *
 * Unless cache=on, files are opened for direct I/O: the kernel then keeps no
 * second copy of what is in the page cache of the image already, and the
 * disk and its partitions, which overlap, cannot disagree.  It also is what
 * lets several writes to one file run at the same time.
 *
 * Nothing is cached by the kernel about names and attributes, so that a disk
 * that grows, a new partition or a new snapshot shows at once.
 */
#include "ops.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_MOST   (1U << 20)
#define BACKGROUND     64U
#define CONGESTION     48U
#define PARALLEL_SINCE 38U /* minor version of the protocol */
#define NO_CACHE       0.0
#define CACHE_SECONDS  1.0

static struct ops_state *
state_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct view *
view_of(fuse_req_t req)
{
	return &state_of(req)->view;
}

static struct file *
file_of(const struct fuse_file_info *fi)
{
	return (struct file *)(uintptr_t)fi->fh;
}

static double
timeout(fuse_req_t req)
{
	return view_of(req)->args->cache ? CACHE_SECONDS : NO_CACHE;
}

/* ---- A buffer for each thread ---- */

static pthread_key_t buffer_key;
static pthread_once_t buffer_once = PTHREAD_ONCE_INIT;

static void
make_buffer_key(void)
{
	pthread_key_create(&buffer_key, free);
}

/* REQUEST_MOST bytes that stay this thread's until it ends. */
static void *
thread_buffer(void)
{
	void *buffer;

	pthread_once(&buffer_once, make_buffer_key);
	buffer = pthread_getspecific(buffer_key);
	if (buffer)
		return buffer;
	buffer = aligned_alloc(4096, REQUEST_MOST);
	if (buffer && pthread_setspecific(buffer_key, buffer)) {
		free(buffer);
		buffer = NULL;
	}
	return buffer;
}

/* ---- The session ---- */

static void
op_init(void *user, struct fuse_conn_info *conn)
{
	struct ops_state *state = user;

	conn->max_write = REQUEST_MOST;
	conn->max_background = BACKGROUND;
	conn->congestion_threshold = CONGESTION;
	/* The image's time changes with every write and says nothing about
	 * what the kernel has cached. */
	conn->want &= ~(unsigned int)FUSE_CAP_AUTO_INVAL_DATA;
	/* O_TRUNC then arrives as a change of the size, and is refused. */
	conn->want &= ~(unsigned int)FUSE_CAP_ATOMIC_O_TRUNC;
	state->parallel_writes = conn->proto_minor >= PARALLEL_SINCE;
	state->ready();
}

/* ---- Names and attributes ---- */

static void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param entry = {
		.attr_timeout = timeout(req),
		.entry_timeout = NO_CACHE,
	};
	uint64_t ino;
	int err = view_lookup(&ino, view_of(req), parent, name);

	if (!err)
		err = view_attr(&entry.attr, view_of(req), ino);
	if (err) {
		fuse_reply_err(req, -err);
		return;
	}
	entry.ino = ino;
	fuse_reply_entry(req, &entry);
}

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;
	int err = view_attr(&st, view_of(req), ino);

	(void)fi;
	if (err)
		fuse_reply_err(req, -err);
	else
		fuse_reply_attr(req, &st, timeout(req));
}

/* A disk keeps its size, its owner and its permissions.  A change of the
 * size to what it is already is fine. */
static void
op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
	   struct fuse_file_info *fi)
{
	struct stat st;
	int err = view_attr(&st, view_of(req), ino);

	(void)fi;
	if (!err && (to_set & ~FUSE_SET_ATTR_SIZE || !S_ISREG(st.st_mode) ||
		     attr->st_size != st.st_size))
		err = -EOPNOTSUPP;
	if (err)
		fuse_reply_err(req, -err);
	else
		fuse_reply_attr(req, &st, timeout(req));
}

/* ---- Names do not change here ---- */

static void
refuse_name(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent;
	(void)name;
	fuse_reply_err(req, EPERM);
}

static void
op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	 dev_t device)
{
	(void)mode;
	(void)device;
	refuse_name(req, parent, name);
}

static void
op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)mode;
	refuse_name(req, parent, name);
}

static void
op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
	  fuse_ino_t new_parent, const char *new_name, unsigned int flags)
{
	(void)new_parent;
	(void)new_name;
	(void)flags;
	refuse_name(req, parent, name);
}

/* ---- Directories ---- */

/* A directory as it was when it was opened, ready to be sent. */
struct listing {
	fuse_req_t req;
	char *bytes;
	size_t size;
};

static int
add_name(const char *name, uint64_t ino, mode_t type, void *user)
{
	struct listing *listing = user;
	struct stat st = {.st_ino = ino, .st_mode = type};
	size_t need = fuse_add_direntry(listing->req, NULL, 0, name, NULL, 0);
	char *more = realloc(listing->bytes, listing->size + need);

	if (!more)
		return -ENOMEM;
	listing->bytes = more;
	fuse_add_direntry(listing->req, more + listing->size, need, name, &st,
			  (off_t)(listing->size + need));
	listing->size += need;
	return 0;
}

static void
listing_free(struct listing *listing)
{
	free(listing->bytes);
	free(listing);
}

static void
op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	int err = -ENOMEM;

	if (listing) {
		listing->req = req;
		err = view_list(view_of(req), ino, add_name, listing);
	}
	if (err) {
		if (listing)
			listing_free(listing);
		fuse_reply_err(req, -err);
		return;
	}
	fi->fh = (uint64_t)(uintptr_t)listing;
	if (fuse_reply_open(req, fi) == -ENOENT) /* it was interrupted */
		listing_free(listing);
}

/* What is sent is a copy: as soon as the kernel has its answer, the directory
 * may be closed on another thread. */
static void
op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	   struct fuse_file_info *fi)
{
	const struct listing *listing = (struct listing *)(uintptr_t)fi->fh;
	char *buffer = thread_buffer();
	size_t left = 0;

	(void)ino;
	if (!buffer) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	if (offset >= 0 && (uint64_t)offset < listing->size)
		left = listing->size - (size_t)offset;
	if (left > size)
		left = size;
	if (left > REQUEST_MOST)
		left = REQUEST_MOST;
	if (left > 0)
		memcpy(buffer, listing->bytes + offset, left);
	fuse_reply_buf(req, buffer, left);
}

static void
op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	listing_free((struct listing *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

/* ---- Files ---- */

#if FUSE_VERSION < FUSE_MAKE_VERSION(3, 15)
/* The kernel's answer to an open: this libfuse has no name yet for the flag
 * that lets direct writes run at the same time. */
struct open_answer {
	uint64_t fh;
	uint32_t flags;
	uint32_t reserved;
};
#define ANSWER_DIRECT_IO       (1U << 0)
#define ANSWER_NO_FLUSH        (1U << 5)
#define ANSWER_PARALLEL_WRITES (1U << 6)

static int
reply_open_parallel(fuse_req_t req, const struct fuse_file_info *fi)
{
	struct open_answer answer = {
		.fh = fi->fh,
		.flags = ANSWER_DIRECT_IO | ANSWER_NO_FLUSH |
			 ANSWER_PARALLEL_WRITES,
	};

	return fuse_reply_buf(req, (const char *)&answer, sizeof(answer));
}
#else
static int
reply_open_parallel(fuse_req_t req, struct fuse_file_info *fi)
{
	fi->parallel_direct_writes = 1;
	return fuse_reply_open(req, fi);
}
#endif

static int
reply_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct ops_state *state = state_of(req);
	bool cache = state->view.args->cache;

	fi->noflush = 1;
	fi->direct_io = !cache;
	/* The file of a snapshot may be another one by now. */
	fi->keep_cache = cache && ino < INO_SNAPSHOT;
	if (!cache && state->parallel_writes)
		return reply_open_parallel(req, fi);
	return fuse_reply_open(req, fi);
}

static void
op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct view *view = view_of(req);
	struct file *file;
	int err = view_open(&file, view, ino, fi->flags);

	if (err) {
		fuse_reply_err(req, -err);
		return;
	}
	fi->fh = (uint64_t)(uintptr_t)file;
	if (reply_open(req, ino, fi) == -ENOENT) /* it was interrupted */
		view_close(view, ino, file);
}

static void
op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	view_close(view_of(req), ino, file_of(fi));
	fuse_reply_err(req, 0);
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
	struct fuse_file_info *fi)
{
	char *buffer = thread_buffer();
	ssize_t got = -ENOMEM;

	(void)ino;
	if (size > REQUEST_MOST)
		size = REQUEST_MOST;
	/* The kernel takes a short answer for the end of a cached file. */
	if (buffer)
		got = file_read(file_of(fi), buffer, size, (uint64_t)offset,
				!view_of(req)->args->cache);
	if (got < 0)
		fuse_reply_err(req, (int)-got);
	else
		fuse_reply_buf(req, buffer, (size_t)got);
}

static void
op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
	 off_t offset, struct fuse_file_info *fi)
{
	bool durable = (fi->flags & O_DSYNC) != 0; /* O_SYNC has it too */
	ssize_t put =
		file_write(file_of(fi), buf, size, (uint64_t)offset, durable);

	(void)ino;
	if (put < 0)
		fuse_reply_err(req, (int)-put);
	else
		fuse_reply_write(req, (size_t)put);
}

static void
op_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
	 struct fuse_file_info *fi)
{
	(void)ino;
	(void)datasync;
	fuse_reply_err(req, -file_flush(file_of(fi)));
}

static void
op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset,
	     off_t length, struct fuse_file_info *fi)
{
	(void)ino;
	fuse_reply_err(req, -file_allocate(file_of(fi), mode, (uint64_t)offset,
					   (uint64_t)length));
}

static void
op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence,
	 struct fuse_file_info *fi)
{
	uint64_t found;
	int err = file_seek(&found, file_of(fi), (uint64_t)offset, whence);

	(void)ino;
	if (err)
		fuse_reply_err(req, -err);
	else
		fuse_reply_lseek(req, (off_t)found);
}

const struct fuse_lowlevel_ops ops = {
	.init = op_init,
	.lookup = op_lookup,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = refuse_name,
	.rmdir = refuse_name,
	.rename = op_rename,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.open = op_open,
	.release = op_release,
	.read = op_read,
	.write = op_write,
	.fsync = op_fsync,
	.fallocate = op_fallocate,
	.lseek = op_lseek,
};
