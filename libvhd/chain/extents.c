/* SPDX-License-Identifier: BSD-3-Clause */
/* extents.c - describe where a range is stored.
 *
 * The gate is held for one run at a time and never while the caller's
 * function runs.  Adjacent runs of one kind, which also lie together in their
 * file, are reported as one.  What lies before a failure is reported. */
#include "chain/chain.h"

/* A hole of the file system under stored sectors reads as zero. */
static int
split_at_hole(struct vhd_extent *e, struct image *img)
{
	bool data;
	uint64_t end;
	int err = img->io->ops->extent(&data, &end, img->io, e->file_offset);

	if (err)
		return err;
	if (!data)
		e->flags |= VHD_EXTENT_ZERO;
	if (end > e->file_offset)
		e->length = min_u64(e->length, end - e->file_offset);
	return 0;
}

/* The run that starts at offset, at most len. [gate of its window] */
static int
one_run(struct vhd_extent *ret, struct chain *c, uint64_t offset, uint64_t len)
{
	uint64_t rest;
	uint32_t run;
	uint16_t owner;
	int err = chain_owner(
		&owner, &run, c, offset >> SECTOR_SHIFT,
		(uint32_t)min_u64(
			ceil_div(len + offset % SECTOR_SIZE, SECTOR_SIZE),
			WINDOW_SECTORS));

	if (err)
		return err;
	*ret = (struct vhd_extent){.offset = offset};
	ret->length = min_u64(len, ((uint64_t)run << SECTOR_SHIFT) -
					   offset % SECTOR_SIZE);
	if (owner == OWNER_ZERO)
		return 0;
	err = image_locate(&ret->file_offset, &rest, c->layers[owner].img,
			   offset);
	if (err)
		return err;
	ret->length = min_u64(ret->length, rest);
	ret->layer = owner;
	if (ret->file_offset == NO_OFFSET) {
		ret->file_offset = 0;
		ret->layer = 0;
		return 0;
	}
	ret->flags = VHD_EXTENT_DATA;
	return split_at_hole(ret, c->layers[owner].img);
}

static bool
joins(const struct vhd_extent *a, const struct vhd_extent *b)
{
	return a->length && a->flags == b->flags && a->layer == b->layer &&
	       (!(a->flags & VHD_EXTENT_DATA) ||
		a->file_offset + a->length == b->file_offset);
}

/* The failure of this thread, after what was found before it. */
static int
report_failed(const struct vhd_extent *whole, vhd_extent_fn fn, void *user)
{
	struct error failure;
	int err;

	error_save(&failure);
	err = whole->length ? fn(whole, user) : 0;
	return err ? err : error_restore(&failure);
}

int
chain_extents(struct chain *c, uint64_t offset, uint64_t len, vhd_extent_fn fn,
	      void *user)
{
	struct vhd_extent whole = {0}, run;

	if (!range_ok(offset, len, c->size))
		return fail(VHD_E_RANGE,
			    "%s: %llu bytes at %llu asked for, the disk has "
			    "%llu",
			    c->name, (unsigned long long)len,
			    (unsigned long long)offset,
			    (unsigned long long)c->size);
	while (len) {
		uint64_t window = offset >> WINDOW_SHIFT;
		int err;

		gate_share(&c->gate, window);
		err = one_run(&run, c, offset, len);
		gate_unshare(&c->gate, window);
		if (err)
			return report_failed(&whole, fn, user);
		if (joins(&whole, &run)) {
			whole.length += run.length;
		} else {
			if (whole.length && (err = fn(&whole, user)) != 0)
				return err;
			whole = run;
		}
		offset += run.length;
		len -= run.length;
	}
	return whole.length ? fn(&whole, user) : 0;
}
