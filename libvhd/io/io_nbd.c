/* SPDX-License-Identifier: BSD-3-Clause */
/* io_nbd.c - a store that an NBD server holds.
 *
 * One connection, on which libnbd lets one thread in at a time.  Requests are
 * cut to what every server takes. */
#include "io/io_nbd.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "base/arith.h"

bool
io_nbd_is_uri(const char *path)
{
	static const char *const schemes[] = {"nbd://", "nbds://",
					      "nbd+unix://", "nbds+unix://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (!strncmp(path, schemes[i], strlen(schemes[i])))
			return true;
	return false;
}

const struct fs *
io_nbd_fs_of(const char *path, const struct fs *files)
{
	return io_nbd_is_uri(path) ? &fs_nbd : files;
}

/* An export has no inode; the same URI is the same disk. */
static struct io_id
id_of(const char *uri)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (; *uri; uri++)
		hash = (hash ^ (uint8_t)*uri) * UINT64_C(0x100000001b3);
	return (struct io_id){.device = UINT64_MAX, .inode = hash};
}

/* ---- What is the same with and without libnbd -------------------------- */

static int
no_names(const char *path)
{
	return fail(VHD_E_UNSUPPORTED,
		    "%s: an NBD export is a disk, not a file that could be "
		    "named, linked or removed",
		    path);
}

static int
export_two_names(const struct fs *fs, const char *from, const char *to)
{
	(void)fs, (void)from;
	return no_names(to);
}

static int
export_one_name(const struct fs *fs, const char *path)
{
	(void)fs;
	return no_names(path);
}

static int
export_set_readonly(const struct fs *fs, const char *path, bool on)
{
	(void)fs, (void)on;
	return no_names(path);
}

static int
export_set_mtime(const struct fs *fs, const char *path,
		 const struct fs_stat *to)
{
	(void)fs, (void)to;
	return no_names(path);
}

static int
export_free_space(uint64_t *ret, const struct fs *fs, const char *path)
{
	(void)ret, (void)fs;
	return no_names(path);
}

static int
export_list(const struct fs *fs, const char *dir, fs_list_fn fn, void *user)
{
	(void)fs, (void)dir, (void)fn, (void)user;
	return 0;
}

static int
export_resolve(char **ret, const struct fs *fs, const char *path)
{
	char *copy = strdup(path);

	(void)fs;
	if (!copy)
		return fail_nomem();
	*ret = copy;
	return 0;
}

#if VHD_NBD
#include "io/nbd_calls.h"

#define MOST_BYTES (4u << 20)  /* moved by one request */
#define MOST_ZEROS (64u << 20) /* zeroed by one request */
#define MOST_TOLD  (1u << 30)  /* asked for at once by extent */

struct io_nbd {
	struct io io;
	struct nbd_handle *nbd;
	uint64_t size;
	bool can_zero, can_tell;
};

/* Set before the first store is made. */
static const struct nbd_calls *_Atomic lib;

static struct io_nbd *
nbd_of(struct io *io)
{
	return (struct io_nbd *)io;
}

static int
failed(const char *name, const char *what)
{
	const char *why = lib->get_error();
	int sys = lib->get_errno();

	if (sys)
		return fail_sys(sys, "%s: cannot %s", name, what);
	return fail(VHD_E_IO, "%s: cannot %s: %s", name, what,
		    why ? why : "the server did not say why");
}

static int
range_in(struct io *io, uint64_t offset, uint64_t length)
{
	if (range_ok(offset, length, nbd_of(io)->size))
		return 0;
	return fail(VHD_E_CORRUPT,
		    "%s: %" PRIu64 " bytes at offset %" PRIu64
		    " are past the end of the export, which has %" PRIu64
		    " bytes",
		    io->name, length, offset, nbd_of(io)->size);
}

static int
export_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	char *at = buf;
	int err = range_in(io, offset, len);

	while (!err && len) {
		size_t n = len < MOST_BYTES ? len : MOST_BYTES;

		if (lib->pread(nbd_of(io)->nbd, at, n, offset, 0) < 0)
			err = failed(io->name, "read");
		at += n;
		len -= n;
		offset += n;
	}
	return err;
}

static int
export_pwrite(struct io *io, const void *buf, size_t len, uint64_t offset)
{
	const char *at = buf;
	int err = range_in(io, offset, len);

	while (!err && len) {
		size_t n = len < MOST_BYTES ? len : MOST_BYTES;

		if (lib->pwrite(nbd_of(io)->nbd, at, n, offset, 0) < 0)
			err = failed(io->name, "write");
		at += n;
		len -= n;
		offset += n;
	}
	return err;
}

/* A server that cannot flush says that it has nothing to flush. */
static int
export_flush(struct io *io)
{
	struct nbd_handle *nbd = nbd_of(io)->nbd;

	if (!io->writable || lib->can_flush(nbd) == 0)
		return 0;
	return lib->flush(nbd, 0) < 0 ? failed(io->name, "flush") : 0;
}

static int
export_pwrite_durable(struct io *io, const void *buf, size_t len,
		      uint64_t offset)
{
	int err = export_pwrite(io, buf, len, offset);

	return err ? err : export_flush(io);
}

static int
export_size(uint64_t *ret, struct io *io)
{
	*ret = nbd_of(io)->size;
	return 0;
}

static int
export_truncate(struct io *io, uint64_t size)
{
	(void)size;
	return fail(VHD_E_UNSUPPORTED,
		    "%s: an NBD export cannot change its size", io->name);
}

static int
export_punch(struct io *io, uint64_t offset, uint64_t length)
{
	int err = range_in(io, offset, length);

	if (!err && !nbd_of(io)->can_zero)
		return VHD_E_UNSUPPORTED;
	while (!err && length) {
		uint64_t n = min_u64(length, MOST_ZEROS);

		if (lib->zero(nbd_of(io)->nbd, n, offset, 0) < 0)
			err = failed(io->name, "write zeros");
		length -= n;
		offset += n;
	}
	return err;
}

/* What the server tells of a range, as far as its first part goes. */
struct told {
	uint64_t length;
	bool zero, ended;
};

static int
add_told(void *user, const char *context, uint64_t offset, uint32_t *entries,
	 size_t n, int *error)
{
	struct told *t = user;

	(void)offset, (void)error;
	if (strcmp(context, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0)
		return 0;
	for (size_t i = 0; i + 1 < n && !t->ended; i += 2) {
		bool zero = entries[i + 1] & LIBNBD_STATE_ZERO;

		if (t->length && zero != t->zero) {
			t->ended = true;
			break;
		}
		t->zero = zero;
		t->length += entries[i];
	}
	return 0;
}

static int
export_extent(bool *ret_data, uint64_t *ret_end, struct io *io, uint64_t offset)
{
	struct io_nbd *n = nbd_of(io);
	uint64_t rest = n->size - min_u64(offset, n->size);
	struct told told = {0};
	nbd_extent_callback fn = {.callback = add_told, .user_data = &told};

	*ret_data = true;
	*ret_end = n->size;
	if (!n->can_tell || !rest)
		return 0;
	if (lib->block_status(n->nbd, min_u64(rest, MOST_TOLD), offset, fn, 0) <
	    0)
		return failed(io->name, "tell where data is");
	*ret_data = !told.zero;
	*ret_end = offset + min_u64(told.length, rest);
	if (!told.length) {
		*ret_data = true;
		*ret_end = n->size;
	}
	return 0;
}

static int
export_copy_range(struct io *to, uint64_t to_offset, struct io *from,
		  uint64_t from_offset, uint64_t length)
{
	(void)to, (void)to_offset, (void)from, (void)from_offset, (void)length;
	return VHD_E_UNSUPPORTED;
}

static void
export_readahead(struct io *io, uint64_t offset, uint64_t length)
{
	(void)io, (void)offset, (void)length;
}

/* Who else may use an export is for its server to say. */
static int
export_lock(struct io *io, enum io_lock mode)
{
	(void)io, (void)mode;
	return 0;
}

static int
export_close(struct io *io)
{
	(void)lib->shutdown(nbd_of(io)->nbd, 0);
	lib->close(nbd_of(io)->nbd);
	free(io->name);
	free(io);
	return 0;
}

static const struct io_ops export_ops = {
	.pread = export_pread,
	.pwrite = export_pwrite,
	.pwrite_durable = export_pwrite_durable,
	.flush = export_flush,
	.size = export_size,
	.actual_size = export_size,
	.truncate = export_truncate,
	.punch = export_punch,
	.extent = export_extent,
	.copy_range = export_copy_range,
	.readahead = export_readahead,
	.lock = export_lock,
	.close = export_close,
};

/* The URI was typed by the user, so it may name files of his. */
static struct nbd_handle *
connect_to(const char *uri)
{
	struct nbd_handle *nbd = lib->create();

	if (!nbd)
		return NULL;
	if (lib->set_uri_allow_local_file(nbd, true) == 0 &&
	    lib->add_meta_context(nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == 0 &&
	    lib->connect_uri(nbd, uri) == 0)
		return nbd;
	lib->close(nbd);
	return NULL;
}

static int
ask_server(struct io_nbd *n, bool write)
{
	int64_t size = lib->get_size(n->nbd);

	if (size < 0)
		return failed(n->io.name, "tell the size");
	if (write && lib->is_read_only(n->nbd) != 0)
		return fail(VHD_E_READONLY,
			    "%s: the server lets nobody write to this export",
			    n->io.name);
	n->size = (uint64_t)size;
	n->io.writable = write;
	n->can_zero = lib->can_zero(n->nbd) == 1;
	n->can_tell = lib->can_meta_context(
			      n->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
	return 0;
}

static int
export_open(struct io **ret, const struct fs *fs, const char *path,
	    unsigned flags)
{
	const struct nbd_calls *calls;
	int err = nbd_calls_load(&calls, path);
	struct io_nbd *n;
	char *name;

	(void)fs;
	if (err)
		return err;
	lib = calls;
	n = calloc(1, sizeof(*n));
	name = strdup(path);
	if (!n || !name) {
		free(n);
		free(name);
		return fail_nomem();
	}
	n->io.ops = &export_ops;
	n->io.name = name;
	n->io.block_device = true;
	n->io.id = id_of(path);
	n->nbd = connect_to(path);
	err = n->nbd ? ask_server(n, flags & FS_OPEN_WRITE)
		     : failed(path, "connect");
	if (!err) {
		*ret = &n->io;
		return 0;
	}
	lib->close(n->nbd);
	free(name);
	free(n);
	return err;
}
#else
static int
export_open(struct io **ret, const struct fs *fs, const char *path,
	    unsigned flags)
{
	(void)ret, (void)fs, (void)flags;
	return fail(VHD_E_UNSUPPORTED,
		    "%s: this libvhd was built without NBD; build it with "
		    "VHD_NBD=ON",
		    path);
}
#endif

static int
export_stat(struct fs_stat *ret, const struct fs *fs, const char *path)
{
	AUTO(io_close) struct io *io = NULL;
	struct fs_stat st = {
		.id = id_of(path), .links = 1, .block_device = true};
	int err = export_open(&io, fs, path, 0);

	if (!err)
		err = io->ops->size(&st.size, io);
	if (!err)
		*ret = st;
	return err;
}

static const struct fs_ops export_fs_ops = {
	.open = export_open,
	.stat = export_stat,
	.free_space = export_free_space,
	.rename = export_two_names,
	.exchange = export_two_names,
	.link = export_two_names,
	.unlink = export_one_name,
	.sync_dir = export_one_name,
	.list = export_list,
	.resolve = export_resolve,
	.copy_attributes = export_two_names,
	.set_readonly = export_set_readonly,
	.set_mtime = export_set_mtime,
};

const struct fs fs_nbd = {&export_fs_ops};
