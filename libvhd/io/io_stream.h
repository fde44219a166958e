/* SPDX-License-Identifier: BSD-3-Clause */
/* io_stream.h - a pipe, a socket or a terminal as a store that can only be
 * read or written front to back.
 *
 * Each transfer must begin where the last one ended (VHD_E_UNSUPPORTED);
 * there is no size.  One thread at a time. */
#ifndef VHDI_IO_STREAM_H
#define VHDI_IO_STREAM_H
#include "io/io.h"

/* The caller keeps fd, and closes it after the store. */
int stream_new(struct io **ret, int fd, const char *name) MUST_CHECK;

/* Up to len bytes; fewer only at the end of the stream. */
int stream_read(size_t *ret_n, struct io *io, void *buf, size_t len) MUST_CHECK;
#endif
