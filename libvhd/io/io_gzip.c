/* SPDX-License-Identifier: BSD-3-Clause */
/* io_gzip.c - compress what is written, front to back. */
#include "io/io_gzip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "io/io_sequential.h"

#define CHUNK       (256u << 10)
#define GZIP_FORMAT (15 + 16) /* largest window, gzip header */

struct gzip {
	struct io io; /* first: a struct io * is a struct gzip * */
	struct io *to;
	uint64_t position; /* bytes taken */
	uint64_t written;  /* bytes passed on */
	bool ended;
	z_stream z;
	uint8_t out[CHUNK];
};

static struct gzip *
gzip_of(struct io *io)
{
	return (struct gzip *)(void *)io;
}

/* Compress what the stream has been given. */
static int
squeeze(struct gzip *g, int how)
{
	int state = Z_OK;

	do {
		size_t n;
		int err;

		g->z.next_out = g->out;
		g->z.avail_out = CHUNK;
		state = deflate(&g->z, how);
		n = CHUNK - g->z.avail_out;
		if (state == Z_STREAM_ERROR)
			return fail(VHD_E_INVALID,
				    "%s: written to after its "
				    "end",
				    g->io.name);
		err = n ? g->to->ops->pwrite(g->to, g->out, n, g->written) : 0;
		if (err)
			return err;
		g->written += n;
	} while (g->z.avail_out == 0 ||
		 (how == Z_FINISH && state != Z_STREAM_END));
	return 0;
}

static int
gzip_pwrite(struct io *io, const void *buf, size_t len, uint64_t offset)
{
	struct gzip *g = gzip_of(io);
	const uint8_t *from = buf;
	int err = sequential_check(io, g->position, offset);

	while (!err && len) {
		size_t n = len < INT32_MAX ? len : INT32_MAX;

		g->z.next_in = (uint8_t *)(uintptr_t)from;
		g->z.avail_in = (unsigned)n;
		err = squeeze(g, Z_NO_FLUSH);
		from += n;
		len -= n;
		g->position += n;
	}
	return err;
}

static int
gzip_flush(struct io *io)
{
	struct gzip *g = gzip_of(io);
	int err = g->ended ? 0 : squeeze(g, Z_FINISH);

	g->ended = true;
	return err ? err : g->to->ops->flush(g->to);
}

static int
gzip_pread(struct io *io, void *buf, size_t len, uint64_t offset)
{
	(void)buf;
	(void)len;
	(void)offset;
	return fail(VHD_E_UNSUPPORTED, "%s: is written, not read", io->name);
}

static int
gzip_close(struct io *io)
{
	struct gzip *g = gzip_of(io);

	(void)deflateEnd(&g->z);
	free(g->io.name);
	free(g);
	return 0;
}

static const struct io_ops gzip_ops = {
	.pread = gzip_pread,
	.pwrite = gzip_pwrite,
	.flush = gzip_flush,
	.close = gzip_close,
	SEQUENTIAL_OPS,
};

int
gzip_new(struct io **ret, struct io *to)
{
	struct gzip *g = calloc(1, sizeof(*g));

	if (!g)
		return fail_nomem();
	g->io.ops = &gzip_ops;
	g->io.writable = true;
	g->io.name = strdup(to->name);
	g->to = to;
	if (!g->io.name ||
	    deflateInit2(&g->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_FORMAT,
			 MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(g->io.name);
		free(g);
		return fail_nomem();
	}
	*ret = &g->io;
	return 0;
}
