/* SPDX-License-Identifier: BSD-3-Clause */
/* io_stream.c - a file descriptor that can only be used front to back. */
#include "io/io_stream.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/io_sequential.h"

struct stream {
	struct io io; /* first: a struct io * is a struct stream * */
	int fd;
	uint64_t position;
};

static struct stream *
stream_of(struct io *io)
{
	return (struct stream *)(void *)io;
}

/* After a short transfer that is no failure: go on, or wait until we can.  An
 * errno otherwise. */
static int
retry(const struct stream *s, short events)
{
	struct pollfd pfd = {.fd = s->fd, .events = events};

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		return errno;
	while (poll(&pfd, 1, -1) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

int
stream_read(size_t *ret_n, struct io *io, void *buf, size_t len)
{
	struct stream *s = stream_of(io);
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(s->fd, (char *)buf + done, len - done);
		int sys = n < 0 ? retry(s, POLLIN) : 0;

		if (sys)
			return fail_sys(sys, "%s: cannot read", io->name);
		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
	}
	s->position += done;
	*ret_n = done;
	return 0;
}

static int
stream_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	size_t n;
	int err = sequential_check(io, stream_of(io)->position, offset);

	if (!err)
		err = stream_read(&n, io, buf, len);
	if (!err && n < len)
		err = fail(VHD_E_CORRUPT, "%s: ended after %" PRIu64 " bytes",
			   io->name, stream_of(io)->position);
	return err;
}

static int
stream_pwrite(struct io *io, const void *buf, size_t len, uint64_t offset)
{
	struct stream *s = stream_of(io);
	size_t done = 0;
	int err = sequential_check(io, stream_of(io)->position, offset);

	while (!err && done < len) {
		ssize_t n = write(s->fd, (const char *)buf + done, len - done);
		int sys = n < 0 ? retry(s, POLLOUT) : 0;

		if (sys)
			err = fail_sys(sys, "%s: cannot write", io->name);
		if (n > 0) {
			done += (size_t)n;
			s->position += (uint64_t)n;
		}
	}
	return err;
}

/* A pipe has nothing to flush; a file at its end does. */
static int
stream_flush(struct io *io)
{
	while (fdatasync(stream_of(io)->fd) < 0) {
		if (errno == EINTR)
			continue;
		if (errno == EINVAL || errno == EROFS || errno == ENOTSUP)
			break;
		return fail_sys(errno, "%s: cannot flush", io->name);
	}
	return 0;
}

static int
stream_close(struct io *io)
{
	free(io->name);
	free(io);
	return 0;
}

static const struct io_ops stream_ops = {
	.pread = stream_pread,
	.pwrite = stream_pwrite,
	.flush = stream_flush,
	.close = stream_close,
	SEQUENTIAL_OPS,
};

int
stream_new(struct io **ret, int fd, const char *name)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return fail_nomem();
	s->fd = fd;
	s->io.ops = &stream_ops;
	s->io.writable = true;
	s->io.name = strdup(name);
	if (!s->io.name) {
		free(s);
		return fail_nomem();
	}
	*ret = &s->io;
	return 0;
}
