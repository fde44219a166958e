/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * data.c - the requests of clients.
 *
 * nbdkit has checked every range against the size of the disk, and calls from
 * as many threads as there are requests under way.
 */
#include "data.h"

#include "disks.h"
#include "plugin.h"
#include "report.h"

static uint32_t
io_flags(uint32_t flags)
{
	uint32_t io = 0;

	if (flags & NBDKIT_FLAG_FUA)
		io |= VHD_IO_FUA;
	if (flags & NBDKIT_FLAG_MAY_TRIM)
		io |= VHD_IO_MAY_TRIM;
	if (flags & NBDKIT_FLAG_FAST_ZERO)
		io |= VHD_IO_FAST;
	return io;
}

static int
done(int err)
{
	return err ? report() : 0;
}

int
data_pread(void *handle, void *buf, uint32_t count, uint64_t offset,
	   uint32_t flags)
{
	(void)flags;
	return done(vhd_pread(disk_vhd(handle), buf, count, offset));
}

int
data_pwrite(void *handle, const void *buf, uint32_t count, uint64_t offset,
	    uint32_t flags)
{
	return done(vhd_pwrite(disk_vhd(handle), buf, count, offset,
			       io_flags(flags)));
}

int
data_flush(void *handle, uint32_t flags)
{
	(void)flags;
	return done(vhd_flush(disk_vhd(handle)));
}

int
data_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	return done(
		vhd_discard(disk_vhd(handle), offset, count, io_flags(flags)));
}

/* That a fast zero is not possible is an answer, not a failure: it is not
 * logged. */
int
data_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	int err = vhd_zero(disk_vhd(handle), offset, count, io_flags(flags));

	if (err == VHD_E_UNSUPPORTED && (flags & NBDKIT_FLAG_FAST_ZERO)) {
		nbdkit_set_error(ENOTSUP);
		return -1;
	}
	return done(err);
}

int
data_cache(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	(void)flags;
	return done(vhd_cache(disk_vhd(handle), offset, count));
}

/* ---- Extents ---- */

/* As many in one answer; a client that wants to know more asks again. */
#define EXTENTS_MOST 65536

/* What stops a walk. */
enum { ENOUGH = 1, REFUSED };

struct answer {
	struct nbdkit_extents *extents;
	uint32_t count;
	uint32_t type; /* of the last extent */
	bool one;      /* is all that is wanted */
};

static uint32_t
nbd_type(const struct vhd_extent *e)
{
	if (!(e->flags & VHD_EXTENT_DATA))
		return NBDKIT_EXTENT_HOLE | NBDKIT_EXTENT_ZERO;
	return e->flags & VHD_EXTENT_ZERO ? NBDKIT_EXTENT_ZERO : 0;
}

/* Neighbours of one type become one in nbdkit. */
static int
tell(const struct vhd_extent *e, void *user)
{
	struct answer *answer = user;
	uint32_t type = nbd_type(e);

	if (answer->count == 0 || type != answer->type) {
		if (answer->count == (answer->one ? 1 : EXTENTS_MOST))
			return ENOUGH;
		answer->count++;
		answer->type = type;
	}
	if (nbdkit_add_extent(answer->extents, e->offset, e->length, type) < 0)
		return REFUSED;
	return 0;
}

/* Where a disk is damaged nobody knows what is stored.  "Data" is always
 * true: who reads it learns what is wrong. */
static int
tell_damage(struct answer *answer, uint64_t offset, uint64_t end)
{
	const uint64_t step = UINT64_C(2) << 20;
	uint64_t until = (offset / step + 1) * step;

	nbdkit_debug("%s", vhd_last_message());
	return nbdkit_add_extent(answer->extents, offset,
				 (until < end ? until : end) - offset, 0);
}

int
data_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags,
	     struct nbdkit_extents *extents)
{
	struct answer answer = {
		.extents = extents,
		.one = flags & NBDKIT_FLAG_REQ_ONE,
	};
	int err = vhd_extents(disk_vhd(handle), offset, count, tell, &answer);

	if (err == REFUSED)
		return -1;
	if (err < 0 && answer.count == 0) {
		if (err != VHD_E_CORRUPT && err != VHD_E_IO)
			return report();
		return tell_damage(&answer, offset, offset + count);
	}
	return 0;
}
