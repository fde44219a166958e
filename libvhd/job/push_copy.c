/* SPDX-License-Identifier: BSD-3-Clause */
/* push_copy.c - copy one block of a layer into the layer below.
 *
 * Only what is present travels; holes stay holes, zeros make no block where
 * none is needed, and the bytes go from file to file in the kernel where they
 * need not be looked at. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/iszero.h"
#include "job/push_copy.h"

#define SHORT_RUN (64u << 10) /* below this, reading and writing is best */
#define PROBE     4096u       /* tells most data from zeros; a page */

/* Does the parent read as zero where it has no block? */
static bool
absent_is_zero(const struct image *to, uint64_t offset)
{
	return to->type == VHD_TYPE_DYNAMIC &&
	       !image_has_block(to, image_block_of(to, offset));
}

/* Data that is looked at on the way: zeros need not allocate. */
static int
copy_through(struct push *p, uint64_t offset, uint64_t len)
{
	p->grown += round_up(len, PROBE);
	while (len) {
		size_t n = (size_t)min_u64(len, PUSH_CHUNK);
		int err = image_pread(p->from, p->buf, n, offset);

		if (!err &&
		    !(absent_is_zero(p->to, offset) && is_zero(p->buf, n)))
			err = image_pwrite(p->to, p->buf, n, offset);
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

/* Data from `at` on, and up to where?  To ask the file costs as much as the
 * data is long, on some file systems; but what was data a moment ago may be
 * taken for data now, since at worst zeros are copied. */
static int
data_at(bool *ret, uint64_t *ret_end, struct known_data *known, struct io *io,
	uint64_t at)
{
	int err;

	*ret = known->from <= at && at < known->end;
	*ret_end = known->end;
	if (*ret)
		return 0;
	err = io->ops->extent(ret, ret_end, io, at);
	if (!err && *ret)
		*known = (struct known_data){at, *ret_end};
	return err;
}

/* Is all of a range data, so that to write it takes no space? */
static bool
is_stored(struct push *p, uint64_t at, uint64_t len)
{
	uint64_t end;
	bool data;

	return data_at(&data, &end, &p->in_to, p->to->io, at) == 0 && data &&
	       end - at >= len;
}

/* Between files, within one block of each. */
static int
copy_inside(struct push *p, uint64_t offset, uint64_t len, uint64_t from)
{
	uint64_t to;
	int err = image_place(&to, p->to, offset);

	if (err)
		return err;
	if (!is_stored(p, to, len))
		p->grown += len;
	err = io_copy(p->to->io, to, p->from->io, from, len);
	return err ? err : image_written(p->to, offset, len);
}

/* A run that may be all zero, in which case no block is made for it. */
static int
copy_data(struct push *p, uint64_t offset, uint64_t len, uint64_t from)
{
	int err = 0;

	if (len < SHORT_RUN)
		return copy_through(p, offset, len);
	if (absent_is_zero(p->to, offset)) {
		err = image_pread(p->from, p->buf, PROBE, offset);
		if (!err && is_zero(p->buf, PROBE))
			return copy_through(p, offset, len);
	}
	return err ? err : copy_inside(p, offset, len, from);
}

static int
copy_hole(struct push *p, uint64_t offset, uint64_t len)
{
	if (absent_is_zero(p->to, offset))
		return 0;
	return image_write_zeros(p->to, offset, len);
}

/* A run within one block of each image: holes stay holes, where looking for
 * them costs less than the bytes. */
static int
copy_extents(struct push *p, uint64_t offset, uint64_t len)
{
	if (len < SHORT_RUN)
		return copy_through(p, offset, len);
	while (len) {
		uint64_t at, run, end, n;
		bool data;
		int err = image_locate(&at, &run, p->from, offset);

		if (err)
			return err;
		if (!range_ok(at, len, p->from->file_size))
			return fail(VHD_E_CORRUPT,
				    "%s: a block lies past the end of the "
				    "file; try: vhdtool check",
				    p->from->io->name);
		err = data_at(&data, &end, &p->in_from, p->from->io, at);
		if (err)
			return err;
		n = end > at ? min_u64(len, end - at) : len;
		data |= n < SECTOR_SIZE;
		n = data ? min_u64(len, round_up(n, SECTOR_SIZE))
			 : round_down(n, SECTOR_SIZE);
		if (!data)
			err = copy_hole(p, offset, n);
		else
			err = copy_data(p, offset, n, at);
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

/* Cut a run where a block of the parent ends. */
static int
copy_run(struct push *p, uint64_t offset, uint64_t len)
{
	while (len) {
		uint64_t n = len;
		int err;

		if (image_is_sparse(p->to))
			n = min_u64(len,
				    p->to->block_size -
					    (offset & (p->to->block_size - 1)));
		err = copy_extents(p, offset, n);
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

/* What of the block must be moved: what is present, less what a frozen layer
 * above, which will be moved as well, hides. */
static int
sectors_to_move(struct push *p, uint64_t sector, uint32_t n)
{
	AUTO_FREE uint8_t *above = NULL;
	enum presence presence;
	int err = image_presence(&presence, p->map, p->from, sector, n);

	if (err || presence == PRESENT_NONE || p->top >= p->layer)
		return err;
	above = malloc(n / 8 + 1);
	if (!above)
		return fail_nomem();
	for (uint32_t i = p->top; i < p->layer && !err; i++) {
		err = image_presence(&presence, above, p->c->layers[i].img,
				     sector, n);
		if (!err && presence != PRESENT_NONE)
			for (uint32_t k = 0; k < ceil_div(n, 8); k++)
				p->map[k] &= (uint8_t)~above[k];
	}
	return err;
}

int
push_copy_block(struct push *p, uint32_t block)
{
	uint32_t spb = p->from->block_size >> SECTOR_SHIFT;
	uint64_t sector = (uint64_t)block * spb;
	int err = sectors_to_move(p, sector, spb);

	for (uint32_t i = 0, run; i < spb && !err; i += run) {
		uint64_t offset = (sector + i) << SECTOR_SHIFT;
		uint64_t len;

		run = bits_run(p->map, i, spb - i);
		if (!bit_get(p->map, i))
			continue;
		len = min_u64((uint64_t)run << SECTOR_SHIFT,
			      p->from->size - offset);
		err = copy_run(p, offset, round_up(len, SECTOR_SIZE));
		p->copied += len;
	}
	return err;
}
