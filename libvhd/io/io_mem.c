/* SPDX-License-Identifier: BSD-3-Clause */
/* io_mem.c - a byte store in memory. */
#include "io/io_mem.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/arith.h"
#include "io/mem_node.h"

struct mem_io {
	struct io io; /* first: a struct io * is a struct mem_io * */
	struct mem_node *node;
	enum io_lock held; /* [node->lock] */
};

static struct mem_node *
node_of(struct io *io)
{
	return ((struct mem_io *)(void *)io)->node;
}

int
mem_node_new(struct mem_node **ret, struct mem_volume *volume, uint64_t inode,
	     struct mem_data *data)
{
	struct mem_node *node = calloc(1, sizeof(*node));

	if (!node)
		return fail_nomem();
	node->volume = volume;
	atomic_init(&node->users, 1);
	node->inode = inode;
	pthread_rwlock_init(&node->lock, NULL);
	node->data = mem_data_share(data);
	node->mtime = volume->now;
	volume->pages += mem_data_pages(data);
	*ret = node;
	return 0;
}

void
mem_node_unuse(struct mem_node *node)
{
	if (atomic_fetch_sub(&node->users, 1) != 1)
		return;
	node->volume->pages -= mem_data_pages(node->data);
	mem_data_free(node->data);
	pthread_rwlock_destroy(&node->lock);
	free(node);
}

struct mem_data *
mem_node_data(struct mem_node *node)
{
	struct mem_data *data;

	pthread_rwlock_rdlock(&node->lock);
	data = mem_data_share(node->data);
	pthread_rwlock_unlock(&node->lock);
	return data;
}

void
mem_node_replace(struct mem_node *node, struct mem_data *data)
{
	pthread_rwlock_wrlock(&node->lock);
	node->volume->pages += mem_data_pages(data);
	node->volume->pages -= mem_data_pages(node->data);
	mem_data_free(node->data);
	node->data = mem_data_share(data);
	node->mtime = node->volume->now;
	pthread_rwlock_unlock(&node->lock);
}

/* Locks the node for a change that may add pages, and keeps it locked. */
static void
begin_change(uint64_t *ret_pages, struct mem_node *node)
{
	pthread_rwlock_wrlock(&node->lock);
	*ret_pages = mem_data_pages(node->data);
}

static void
end_change(struct mem_node *node, uint64_t pages_before)
{
	node->volume->pages += mem_data_pages(node->data) - pages_before;
	node->mtime = node->volume->now;
	pthread_rwlock_unlock(&node->lock);
}

static int
check_room(struct io *io, const struct mem_node *node, uint64_t offset,
	   uint64_t length)
{
	uint64_t need;

	if (!range_ok(offset, length, INT64_MAX))
		return fail(VHD_E_RANGE,
			    "%s: offset %" PRIu64
			    " is larger than any file can be",
			    io->name, offset);
	need = mem_data_missing(node->data, offset, length);
	if (need && node->volume->pages + need > node->volume->limit)
		return fail_sys(ENOSPC, "%s: cannot write at offset %" PRIu64,
				io->name, offset);
	return 0;
}

static int
check_writable(const struct io *io)
{
	if (io->writable)
		return 0;
	return fail_sys(EBADF, "%s: opened for reading only", io->name);
}

static int
past_end(struct io *io, uint64_t offset, uint64_t length, uint64_t size)
{
	return fail(VHD_E_CORRUPT,
		    "%s: %" PRIu64 " bytes at offset %" PRIu64
		    " are past the end of the file, which has %" PRIu64
		    " bytes; it was cut short",
		    io->name, length, offset, size);
}

static int
mem_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	struct mem_node *node = node_of(io);
	int err = 0;

	pthread_rwlock_rdlock(&node->lock);
	if (range_ok(offset, len, mem_data_size(node->data)))
		mem_data_read(node->data, buf, len, offset);
	else
		err = past_end(io, offset, len, mem_data_size(node->data));
	pthread_rwlock_unlock(&node->lock);
	return err;
}

static int
mem_pwrite(struct io *io, const void *buf, size_t len, uint64_t offset)
{
	struct mem_node *node = node_of(io);
	uint64_t pages;
	int err;

	err = check_writable(io);
	if (err)
		return err;
	begin_change(&pages, node);
	err = check_room(io, node, offset, len);
	if (!err)
		err = mem_data_write(&node->data, buf, len, offset);
	end_change(node, pages);
	return err;
}

static int
mem_flush(struct io *io)
{
	(void)io;
	return 0;
}

static int
mem_size(uint64_t *ret, struct io *io)
{
	struct mem_node *node = node_of(io);

	pthread_rwlock_rdlock(&node->lock);
	*ret = mem_data_size(node->data);
	pthread_rwlock_unlock(&node->lock);
	return 0;
}

static int
mem_actual_size(uint64_t *ret, struct io *io)
{
	struct mem_node *node = node_of(io);

	pthread_rwlock_rdlock(&node->lock);
	*ret = mem_data_pages(node->data) * MEM_PAGE;
	pthread_rwlock_unlock(&node->lock);
	return 0;
}

static int
mem_truncate(struct io *io, uint64_t size)
{
	struct mem_node *node = node_of(io);
	uint64_t pages;
	int err;

	err = check_writable(io);
	if (err)
		return err;
	begin_change(&pages, node);
	err = check_room(io, node, size, 0);
	if (!err)
		err = mem_data_resize(&node->data, size);
	end_change(node, pages);
	return err;
}

static int
mem_punch(struct io *io, uint64_t offset, uint64_t length)
{
	struct mem_node *node = node_of(io);
	uint64_t pages;
	int err;

	err = check_writable(io);
	if (err)
		return err;
	begin_change(&pages, node);
	if (range_ok(offset, length, INT64_MAX))
		err = mem_data_punch(&node->data, offset, length);
	end_change(node, pages);
	return err;
}

static int
mem_extent(bool *ret_data, uint64_t *ret_end, struct io *io, uint64_t offset)
{
	struct mem_node *node = node_of(io);
	int err = 0;

	pthread_rwlock_rdlock(&node->lock);
	if (offset < mem_data_size(node->data))
		mem_data_extent(ret_data, ret_end, node->data, offset);
	else
		err = past_end(io, offset, 1, mem_data_size(node->data));
	pthread_rwlock_unlock(&node->lock);
	return err;
}

static int
mem_copy_range(struct io *to, uint64_t to_offset, struct io *from,
	       uint64_t from_offset, uint64_t length)
{
	(void)to_offset;
	(void)from_offset;
	(void)length;
	return fail(VHD_E_UNSUPPORTED, "%s: memory shares nothing with %s",
		    to->name, from->name);
}

static void
mem_readahead(struct io *io, uint64_t offset, uint64_t length)
{
	(void)io;
	(void)offset;
	(void)length;
}

/* The same rules as io_lock.h. */
static bool
may_lock(const struct mem_node *node, const struct mem_io *self,
	 enum io_lock mode)
{
	unsigned others = node->readers - (self->held == IO_LOCK_READ);
	bool written = node->writer && node->writer != &self->io;

	if (mode == IO_LOCK_WRITE)
		return !others && !written;
	return mode == IO_LOCK_NONE || !written;
}

static int
mem_lock(struct io *io, enum io_lock mode)
{
	struct mem_io *self = (struct mem_io *)(void *)io;
	struct mem_node *node = self->node;
	int err = 0;

	pthread_rwlock_wrlock(&node->lock);
	if (may_lock(node, self, mode)) {
		node->readers -= self->held == IO_LOCK_READ;
		node->readers += mode == IO_LOCK_READ;
		if (self->held == IO_LOCK_WRITE)
			node->writer = NULL;
		if (mode == IO_LOCK_WRITE)
			node->writer = io;
		self->held = mode;
	} else {
		err = fail(VHD_E_BUSY, "%s: in use for %s by another store",
			   io->name, node->writer ? "writing" : "reading");
	}
	pthread_rwlock_unlock(&node->lock);
	return err;
}

static int
mem_close(struct io *io)
{
	int err = mem_lock(io, IO_LOCK_NONE);

	mem_node_unuse(node_of(io));
	free(io->name);
	free(io);
	return err;
}

static const struct io_ops mem_ops = {
	.pread = mem_pread,
	.pwrite = mem_pwrite,
	.pwrite_durable = mem_pwrite,
	.flush = mem_flush,
	.size = mem_size,
	.actual_size = mem_actual_size,
	.truncate = mem_truncate,
	.punch = mem_punch,
	.extent = mem_extent,
	.copy_range = mem_copy_range,
	.readahead = mem_readahead,
	.lock = mem_lock,
	.close = mem_close,
};

int
mem_io_new(struct io **ret, struct mem_node *node, const char *name,
	   uint64_t device, bool writable)
{
	struct mem_io *self = calloc(1, sizeof(*self));
	char *copy = strdup(name);

	if (!self || !copy) {
		free(self);
		free(copy);
		mem_node_unuse(node);
		return fail_nomem();
	}
	self->io.ops = &mem_ops;
	self->io.name = copy;
	self->io.id = (struct io_id){device, node->inode};
	self->io.writable = writable;
	self->node = node;
	*ret = &self->io;
	return 0;
}

int
mem_io_get_data(struct mem_data **ret, struct io *io)
{
	if (io->ops != &mem_ops)
		return fail(VHD_E_INVALID, "%s: is not in memory", io->name);
	*ret = mem_node_data(node_of(io));
	return 0;
}
