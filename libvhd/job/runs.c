/* SPDX-License-Identifier: BSD-3-Clause */
/* runs.c - step through a disk by what is stored where. */
#include "job/runs.h"

#include "base/iszero.h"

#define STOP 1 /* no error code is positive */

static int
keep_first(const struct vhd_extent *extent, void *user)
{
	*(struct vhd_extent *)user = *extent;
	return STOP;
}

int
run_at(struct vhd_extent *ret, struct chain *c, uint64_t offset)
{
	uint64_t size = c->size;
	int err;

	if (offset >= size) {
		*ret = (struct vhd_extent){.offset = offset,
					   .length = UINT64_MAX - offset};
		return 0;
	}
	err = chain_extents(c, offset, min_u64(size - offset, RUN_BYTES),
			    keep_first, ret);
	return err == STOP ? 0 : err;
}

void
touch(struct touched *t, uint64_t offset, uint64_t length)
{
	uint64_t first = max_u64(offset / t->size, t->next);
	uint64_t end = ceil_div(offset + length, t->size);

	if (end > first) {
		t->count += end - first;
		t->next = end;
	}
}

struct counting {
	uint64_t bytes;
	struct touched *touched;
};

static int
count(const struct vhd_extent *extent, void *user)
{
	struct counting *counting = user;

	if (!run_is_zero(extent)) {
		counting->bytes += extent->length;
		touch(counting->touched, extent->offset, extent->length);
	}
	return 0;
}

int
runs_count(uint64_t *ret_bytes, struct touched *t, struct chain *c)
{
	struct counting counting = {.touched = t};
	int err = chain_extents(c, 0, c->size, count, &counting);

	if (!err)
		*ret_bytes = counting.bytes;
	return err;
}

static size_t
grain_at(size_t at, size_t len)
{
	return len - at < GRAIN ? len - at : GRAIN;
}

bool
next_data(const uint8_t *buf, size_t len, size_t *at, size_t *ret_n)
{
	size_t end;

	while (*at < len && is_zero(buf + *at, grain_at(*at, len)))
		*at += grain_at(*at, len);
	end = *at;
	while (end < len && !is_zero(buf + end, grain_at(end, len)))
		end += grain_at(end, len);
	*ret_n = end - *at;
	return *ret_n > 0;
}
