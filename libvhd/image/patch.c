/* SPDX-License-Identifier: BSD-3-Clause */
/* patch.c - change a file in durable steps. */
#include "image/patch.h"

#include <string.h>

#include "base/arith.h"

#define PATCHES 512 /* before they are written */

struct patch {
	uint64_t offset;
	uint32_t length;
	uint32_t old_length; /* bytes that were there before the repair */
	uint8_t data[UNDO_PIECE];
	uint8_t old[UNDO_PIECE];
};

int
patcher_init(struct patcher *ret, struct io *io, struct undo *undo)
{
	struct patcher p = {.io = io, .undo = undo};
	int err = io->ops->size(&p.size, io);

	if (err)
		return err;
	p.own = p.size;
	p.list = malloc(PATCHES * sizeof(*p.list));
	if (!p.list)
		return fail_nomem();
	*ret = p;
	return 0;
}

void
patcher_free(struct patcher *p)
{
	free(p->list);
	p->list = NULL;
}

static uint32_t
bytes_below(uint64_t end, uint64_t offset, uint32_t length)
{
	return offset < end ? (uint32_t)min_u64(length, end - offset) : 0;
}

/* One piece, within one sector. */
static int
put_piece(struct patcher *p, uint64_t offset, const uint8_t *data,
	  uint32_t length)
{
	struct patch *patch;
	uint32_t there;
	int err;

	if (p->n == PATCHES) {
		err = patch_commit(p);
		if (err)
			return err;
	}
	patch = &p->list[p->n];
	patch->offset = offset;
	patch->length = length;
	patch->old_length = bytes_below(p->own, offset, length);
	there = bytes_below(p->size, offset, length);
	memcpy(patch->data, data, length);
	if (there) {
		err = p->io->ops->pread(p->io, patch->old, there, offset);
		if (err)
			return err;
	}
	if (there == length && !memcmp(patch->old, data, length))
		return 0;
	p->n++;
	return 0;
}

int
patch_put(struct patcher *p, uint64_t offset, const void *data, size_t length)
{
	const uint8_t *from = data;
	int err = 0;

	while (!err && length) {
		uint32_t n = UNDO_PIECE - (uint32_t)(offset % UNDO_PIECE);

		n = (uint32_t)min_u64(n, length);
		err = put_piece(p, offset, from, n);
		offset += n;
		from += n;
		length -= n;
	}
	return err;
}

static int
keep_old(struct patcher *p)
{
	uint64_t size = p->size;
	int err = 0;

	if (!p->undo)
		return 0;
	for (size_t i = 0; !err && i < p->n; i++) {
		const struct patch *patch = &p->list[i];

		size = max_u64(size, patch->offset + patch->length);
		if (patch->old_length)
			err = undo_keep(p->undo, patch->offset, patch->old,
					patch->old_length, patch->data);
	}
	if (!err && size != p->size)
		err = undo_keep_size(p->undo, size);
	if (!err)
		err = undo_flush(p->undo);
	return err;
}

int
patch_commit(struct patcher *p)
{
	int err = keep_old(p);

	if (p->n == 0)
		return err;
	for (size_t i = 0; !err && i < p->n; i++) {
		const struct patch *patch = &p->list[i];

		p->changed = true;
		err = p->io->ops->pwrite(p->io, patch->data, patch->length,
					 patch->offset);
		if (!err)
			p->size =
				max_u64(p->size, patch->offset + patch->length);
	}
	p->n = 0;
	return err ? err : p->io->ops->flush(p->io);
}

int
patch_resize(struct patcher *p, uint64_t size)
{
	int err = patch_commit(p);

	if (err || size == p->size)
		return err;
	if (p->undo) {
		err = undo_keep_size(p->undo, size);
		if (!err)
			err = undo_flush(p->undo);
		if (err)
			return err;
	}
	p->changed = true;
	err = p->io->ops->truncate(p->io, size);
	if (err)
		return err;
	p->size = size;
	p->own = min_u64(p->own, size);
	return p->io->ops->flush(p->io);
}
