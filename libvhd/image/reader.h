/* SPDX-License-Identifier: BSD-3-Clause */
/* reader.h - read a file front to back in small pieces: few system calls, and
 * none for holes. */
#ifndef VHDI_READER_H
#define VHDI_READER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io.h"

#define READER_MAX   (128u << 10) /* in one piece */
#define READER_AHEAD (16u << 10)  /* read at least */

struct reader {
	struct io *io;
	uint64_t size; /* of the file */
	uint8_t *buf;  /* READER_MAX bytes; owned */
	uint64_t at;   /* what buf holds */
	size_t length;
	uint64_t run, end; /* [run, end) is all data or all hole */
	bool data;
};

int reader_init(struct reader *ret, struct io *io) MUST_CHECK;
void reader_free(struct reader *r);

/* length bytes, at most READER_MAX, inside the file.  *ret is valid until the
 * next call. */
int reader_get(const uint8_t **ret, struct reader *r, uint64_t offset,
	       size_t length) MUST_CHECK;

/* How many bytes from offset on, at most length, are in a hole?  0 where the
 * file system does not tell. */
uint64_t reader_skip(struct reader *r, uint64_t offset, uint64_t length);

/* Stops at the first byte that is not zero. */
int reader_is_zero(bool *ret, struct reader *r, uint64_t offset,
		   uint64_t length) MUST_CHECK;
#endif
