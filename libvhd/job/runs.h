/* SPDX-License-Identifier: BSD-3-Clause */
/* runs.h - step through a disk by what is stored where. */
#ifndef VHDI_RUNS_H
#define VHDI_RUNS_H
#include "chain/chain.h"

#define RUN_BYTES  (UINT64_C(256) << 20) /* of one run, at most */
#define COPY_BYTES (2u << 20)            /* read or written at a time */

/* What lies at offset; past the end of the disk nothing is stored. */
int run_at(struct vhd_extent *ret, struct chain *c, uint64_t offset) MUST_CHECK;

/* Known to read as zero without a look at the data? */
static inline bool
run_is_zero(const struct vhd_extent *run)
{
	return !(run->flags & VHD_EXTENT_DATA) ||
	       (run->flags & VHD_EXTENT_ZERO);
}

/* How many blocks of some size do ascending ranges touch? */
struct touched {
	uint32_t size; /* of a block */
	uint64_t next; /* the first that was not counted */
	uint64_t count;
};
void touch(struct touched *t, uint64_t offset, uint64_t length);

/* Bytes of a disk that are not known to be zero, and the blocks they touch
 * (t->count), without a look at the data. */
int runs_count(uint64_t *ret_bytes, struct touched *t,
	       struct chain *c) MUST_CHECK;

/* The next bytes of a buffer that are data, as whole grains, from *at on;
 * false when the rest is zero.  Data ends at a grain of zeros. */
#define GRAIN 4096u
bool next_data(const uint8_t *buf, size_t len, size_t *at, size_t *ret_n);
#endif
