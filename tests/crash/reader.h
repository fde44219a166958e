/* SPDX-License-Identifier: BSD-3-Clause */
/* reader.h - read an image as the specification says, sharing no code with
 * the library: the second opinion on what a crash left. */
#ifndef VHD_CRASH_READER_H
#define VHD_CRASH_READER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/mem_data.h"
#include "oracle.h"

struct reader_view {
	uint64_t size; /* of the disk */
	bool differencing;
	uint32_t values[ORACLE_SECTORS]; /* past the end: not stored */
};

/* False, and why, when the file breaks D1, D2 or D6 or holds a sector that
 * nobody wrote. */
bool reader_read(struct reader_view *ret, const struct mem_data *file,
		 char *why, size_t why_size);

/* Is the end footer there, and equal to the copy at 0? */
bool reader_at_rest(const struct mem_data *file);
#endif
