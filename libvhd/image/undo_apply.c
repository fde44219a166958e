/* SPDX-License-Identifier: BSD-3-Clause */
/* undo_apply.c - put back what a repair has changed.
 *
 * Before that, every piece of the image must be either as it was or as the
 * repair made it; so a file that has been written to since, or another file,
 * is refused, and putting back can be interrupted and begun again. */
#include <inttypes.h>
#include <string.h>

#include "base/arith.h"
#include "base/bytes.h"
#include "base/uuid.h"
#include "image/find.h"
#include "image/image.h"
#include "image/undo.h"
#include "image/undo_format.h"

struct piece {
	uint64_t offset; /* in the image; of a size: the size */
	uint64_t place;  /* of the old bytes in the undo file */
	uint32_t length; /* 0: a size */
	uint32_t old_crc, new_crc;
};

struct journal {
	uint8_t uuid[16];
	uint64_t size;   /* of the image before the repair */
	uint64_t lowest; /* that it ever had */
	struct piece *pieces;
	size_t n, room;
};

static int
read_header(struct journal *ret, struct io *undo, uint64_t size)
{
	uint8_t header[UNDO_HEADER_SIZE] = {0};
	uint32_t crc;
	int err = 0;

	if (size >= UNDO_HEADER_SIZE)
		err = undo->ops->pread(undo, header, UNDO_HEADER_SIZE, 0);
	if (err)
		return err;
	crc = load_be32(header + 12);
	store_be32(header + 12, 0);
	if (memcmp(header, undo_magic, sizeof(undo_magic)) != 0 ||
	    load_be32(header + 8) != UNDO_VERSION ||
	    crc != undo_crc(header, UNDO_HEADER_SIZE))
		return fail(VHD_E_FORMAT,
			    "%s: not an undo file, or a damaged one",
			    undo->name);
	memcpy(ret->uuid, header + 16, 16);
	ret->size = load_be64(header + 32);
	ret->lowest = ret->size;
	return 0;
}

/* *ret_length is 0 at the end of what is usable. */
static int
read_record(struct piece *ret, size_t *ret_length, struct io *undo, uint64_t at,
	    uint64_t size)
{
	uint8_t record[UNDO_RECORD_MAX];
	size_t length = (size_t)min_u64(size - at, UNDO_RECORD_MAX);
	uint32_t crc;
	int err;

	*ret_length = 0;
	if (length < UNDO_RECORD_HEAD)
		return 0;
	err = undo->ops->pread(undo, record, length, at);
	if (err)
		return err;
	ret->offset = load_be64(record);
	ret->length = load_be32(record + 8);
	ret->new_crc = load_be32(record + 12);
	ret->place = at + UNDO_RECORD_HEAD;
	if (ret->length > length - UNDO_RECORD_HEAD)
		return 0;
	length = UNDO_RECORD_HEAD + ret->length;
	crc = load_be32(record + 16);
	store_be32(record + 16, 0);
	if (crc != undo_crc(record, length))
		return 0;
	ret->old_crc = undo_crc(record + UNDO_RECORD_HEAD, ret->length);
	*ret_length = length;
	return 0;
}

static int
add_piece(struct journal *j, const struct piece *piece)
{
	if (j->n == j->room) {
		size_t room = j->room ? 2 * j->room : 64;
		struct piece *p = realloc(j->pieces, room * sizeof(*p));

		if (!p)
			return fail_nomem();
		j->pieces = p;
		j->room = room;
	}
	j->pieces[j->n++] = *piece;
	if (piece->length == 0)
		j->lowest = min_u64(j->lowest, piece->offset);
	return 0;
}

static int
read_journal(struct journal *j, struct io *undo)
{
	uint64_t size, at = UNDO_HEADER_SIZE;
	int err = undo->ops->size(&size, undo);

	if (!err)
		err = read_header(j, undo, size);
	while (!err && at < size) {
		struct piece piece;
		size_t length;

		err = read_record(&piece, &length, undo, at, size);
		if (err || length == 0)
			break;
		err = add_piece(j, &piece);
		at += length;
	}
	return err;
}

/* By offset; those of one offset in the order in which they were kept. */
static int
by_offset(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->place > y->place) - (x->place < y->place);
}

static int
changed_since(const struct io *image, const char *what, uint64_t offset)
{
	return fail(VHD_E_POLICY,
		    "%s: %s at %" PRIu64 " is neither as it was before the "
		    "repair nor as the repair left it: another file, or "
		    "changed since; nothing was put back",
		    image->name, what, offset);
}

static int
verify_uuid(const struct journal *j, struct io *image)
{
	struct found found;
	int err = find_footer(&found, image, IMAGE_DAMAGED);

	if (err == VHD_E_FORMAT || err == VHD_E_CORRUPT ||
	    err == VHD_E_UNSUPPORTED)
		return 0; /* so was it before; the pieces decide */
	if (err)
		return err;
	if (uuid_equal(found.footer.uuid, j->uuid))
		return 0;
	return fail(VHD_E_POLICY,
		    "%s: the undo file belongs to an image with another UUID",
		    image->name);
}

/* While it was growing, the file may have had any size on the way. */
static int
verify_size(const struct journal *j, struct io *image)
{
	uint64_t size, before = j->size;
	int err = image->ops->size(&size, image);

	if (err || size == j->size)
		return err;
	for (size_t i = 0; i < j->n; i++) {
		const struct piece *p = &j->pieces[i];

		if (p->length)
			continue;
		if (p->offset == size || (before < size && size < p->offset))
			return 0;
		before = p->offset;
	}
	return changed_since(image, "the end of the file", size);
}

/* Is the image at this piece as it was, or as it was made?  What the repair
 * has cut off is as it was made. */
static int
matches(bool *ret, const struct piece *p, struct io *image, uint64_t size)
{
	uint8_t now[UNDO_PIECE];
	uint32_t crc;
	int err;

	*ret = !range_ok(p->offset, p->length, size);
	if (*ret)
		return 0;
	err = image->ops->pread(image, now, p->length, p->offset);
	if (err)
		return err;
	crc = undo_crc(now, p->length);
	*ret = crc == p->old_crc || crc == p->new_crc;
	return 0;
}

/* Leave the sizes out, and bring the pieces of one place together. */
static void
sort_pieces(struct journal *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->n; i++)
		if (j->pieces[i].length)
			j->pieces[kept++] = j->pieces[i];
	j->n = kept;
	if (kept)
		qsort(j->pieces, kept, sizeof(*j->pieces), by_offset);
}

/* A place may have been written more than once: one match will do. */
static int
verify_places(const struct journal *j, struct io *image)
{
	uint64_t size;
	bool matched = false;
	int err = image->ops->size(&size, image);

	for (size_t i = 0; !err && i < j->n; i++) {
		const struct piece *p = &j->pieces[i];
		bool last = i + 1 == j->n || p[1].offset != p->offset;

		if (!matched)
			err = matches(&matched, p, image, size);
		if (!err && last && !matched)
			err = changed_since(image, "the data", p->offset);
		if (last)
			matched = false;
	}
	return err;
}

/* What was kept first of a place is what it held before the repair. */
static int
put_back(const struct journal *j, struct io *image, struct io *undo)
{
	uint8_t old[UNDO_PIECE];
	int err = 0;

	for (size_t i = 0; !err && i < j->n; i++) {
		const struct piece *p = &j->pieces[i];

		if (i && p[-1].offset == p->offset)
			continue;
		err = undo->ops->pread(undo, old, p->length, p->place);
		if (!err)
			err = image->ops->pwrite(image, old, p->length,
						 p->offset);
	}
	if (!err)
		err = image->ops->flush(image);
	return err;
}

/* Only zeros were cut off: what was written there later goes. */
static int
restore_size(const struct journal *j, struct io *image)
{
	uint64_t size;
	int err = image->ops->size(&size, image);

	if (!err && size > j->lowest && j->lowest < j->size)
		err = image->ops->truncate(image, j->lowest);
	if (!err && (size != j->size || j->lowest < j->size))
		err = image->ops->truncate(image, j->size);
	return err;
}

int
undo_apply(struct io *image, struct io *undo)
{
	struct journal j = {.pieces = NULL};
	int err = read_journal(&j, undo);

	if (!err)
		err = verify_uuid(&j, image);
	if (!err)
		err = verify_size(&j, image);
	if (!err) {
		sort_pieces(&j);
		err = verify_places(&j, image);
	}
	if (!err)
		err = restore_size(&j, image);
	if (!err)
		err = put_back(&j, image, undo);
	free(j.pieces);
	return err;
}
