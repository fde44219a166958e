/* SPDX-License-Identifier: BSD-3-Clause */
/* reader.c - a buffered reader that knows about holes. */
#include "image/reader.h"

#include <string.h>

#include "base/arith.h"
#include "base/iszero.h"

#define FIRST_LOOK 4096u /* decides whether most ranges are zero */

int
reader_init(struct reader *ret, struct io *io)
{
	struct reader r = {.io = io};
	int err = io->ops->size(&r.size, io);

	if (err)
		return err;
	r.buf = malloc(READER_MAX);
	if (!r.buf)
		return fail_nomem();
	*ret = r;
	return 0;
}

void
reader_free(struct reader *r)
{
	free(r->buf);
	r->buf = NULL;
}

uint64_t
reader_skip(struct reader *r, uint64_t offset, uint64_t length)
{
	if (offset >= r->size)
		return 0;
	if (offset < r->run || offset >= r->end) {
		if (r->io->ops->extent(&r->data, &r->end, r->io, offset) ||
		    r->end <= offset) {
			r->data = true;
			r->end = r->size;
		}
		r->run = offset;
	}
	return r->data ? 0 : min_u64(r->end - offset, length);
}

static bool
in_buffer(const struct reader *r, uint64_t offset, size_t length)
{
	return offset >= r->at && range_ok(offset - r->at, length, r->length);
}

static int
fill(struct reader *r, uint64_t offset, size_t length)
{
	uint64_t end = offset >= r->run && offset < r->end ? r->end : r->size;
	size_t ahead = (size_t)min_u64(max_u64(length, READER_AHEAD),
				       end - min_u64(offset, end));
	int err;

	r->at = offset;
	r->length = 0;
	/* Ahead only to where a hole begins, which would fill memory with
	 * zeros. A bad sector behind what is asked for must not hurt. */
	err = VHD_E_IO;
	if (ahead > length)
		err = r->io->ops->pread(r->io, r->buf, ahead, offset);
	if (err) {
		ahead = length;
		err = r->io->ops->pread(r->io, r->buf, ahead, offset);
	}
	if (!err)
		r->length = ahead;
	return err;
}

int
reader_get(const uint8_t **ret, struct reader *r, uint64_t offset,
	   size_t length)
{
	int err;

	if (!in_buffer(r, offset, length)) {
		if (reader_skip(r, offset, length) == length) {
			memset(r->buf, 0, length);
			r->at = offset;
			r->length = length;
		} else {
			err = fill(r, offset, length);
			if (err)
				return err;
		}
	}
	*ret = r->buf + (offset - r->at);
	return 0;
}

int
reader_is_zero(bool *ret, struct reader *r, uint64_t offset, uint64_t length)
{
	uint64_t most = FIRST_LOOK;

	while (length) {
		uint64_t n = reader_skip(r, offset, length);
		const uint8_t *data;
		int err;

		if (n == 0) {
			n = min_u64(length, most);
			most = READER_MAX;
			err = reader_get(&data, r, offset, (size_t)n);
			if (err)
				return err;
			if (!is_zero(data, (size_t)n)) {
				*ret = false;
				return 0;
			}
		}
		offset += n;
		length -= n;
	}
	*ret = true;
	return 0;
}
