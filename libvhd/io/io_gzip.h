/* SPDX-License-Identifier: BSD-3-Clause */
/* io_gzip.h - a store that compresses what is written to it, front to back,
 * and passes it on to another store.
 *
 * The same bytes give the same file: no time and no name are stored.  One
 * thread at a time. */
#ifndef VHDI_IO_GZIP_H
#define VHDI_IO_GZIP_H
#include "io/io.h"

/* to is written from its start; it stays the caller's.  Only pwrite, flush and
 * close work.  The file is complete after a flush, which must be the last that
 * happens to it; close alone gives it up. */
int gzip_new(struct io **ret, struct io *to) MUST_CHECK;
#endif
