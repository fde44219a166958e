/* SPDX-License-Identifier: BSD-3-Clause */
/* io_sequential.h - what stores have in common that can only be used front to
 * back: most of the table is refused. */
#ifndef VHDI_IO_SEQUENTIAL_H
#define VHDI_IO_SEQUENTIAL_H
#include "io/io.h"

/* Does a transfer at offset go on where the last one ended? */
int sequential_check(const struct io *io, uint64_t position,
		     uint64_t offset) MUST_CHECK;

int sequential_pwrite_durable(struct io *io, const void *buf, size_t len,
			      uint64_t offset);
int sequential_size(uint64_t *ret, struct io *io);
int sequential_truncate(struct io *io, uint64_t size);
int sequential_punch(struct io *io, uint64_t offset, uint64_t length);
int sequential_extent(bool *ret_data, uint64_t *ret_end, struct io *io,
		      uint64_t offset);
int sequential_copy_range(struct io *to, uint64_t to_offset, struct io *from,
			  uint64_t from_offset, uint64_t length);
void sequential_readahead(struct io *io, uint64_t offset, uint64_t length);
int sequential_lock(struct io *io, enum io_lock mode);

#define SEQUENTIAL_OPS                                                         \
	.pwrite_durable = sequential_pwrite_durable, .size = sequential_size,  \
	.actual_size = sequential_size, .truncate = sequential_truncate,       \
	.punch = sequential_punch, .extent = sequential_extent,                \
	.copy_range = sequential_copy_range,                                   \
	.readahead = sequential_readahead, .lock = sequential_lock
#endif
