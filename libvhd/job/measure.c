/* SPDX-License-Identifier: BSD-3-Clause */
/* measure.c - how much is used, shared, and would be left after each job.
 *
 * One walk over the disk by what is stored where; no data is read.  Blocks
 * are counted as the walk meets them: its ranges ascend, so that the last
 * block counted is the only one that could be counted twice. */
#include "job/jobs.h"
#include "job/runs.h"

#define BLOCK_SIZE_DEFAULT (2u << 20)

struct measuring {
	struct chain *c;
	uint64_t used, all;
	struct touched own;    /* of the leaf, to be kept by a compaction */
	struct touched flat;   /* of one image with everything */
	struct touched pushed; /* of the parent, new to it */
	bool keep_zeros;       /* the leaf hides what is below */
	bool has_sparse_parent;
};

/* Blocks of the parent that a merge would have to add. */
static void
touch_parent(struct measuring *m, uint64_t offset, uint64_t length)
{
	struct touched *b = &m->pushed;
	uint64_t first = max_u64(offset / b->size, b->next);
	uint64_t end = ceil_div(offset + length, b->size);

	for (uint64_t i = first; i < end; i++) {
		uint64_t window = i * b->size >> WINDOW_SHIFT;
		const struct image *parent;

		gate_share(&m->c->gate, window);
		parent = m->c->depth > 1 ? m->c->layers[1].img : NULL;
		if (parent && (i >= parent->blocks ||
			       !image_has_block(parent, (uint32_t)i)))
			b->count++;
		gate_unshare(&m->c->gate, window);
	}
	b->next = max_u64(b->next, end);
}

static int
count(const struct vhd_extent *e, void *user)
{
	struct measuring *m = user;
	bool data = !run_is_zero(e);
	bool leaf = (e->flags & VHD_EXTENT_DATA) && e->layer == 0;

	if (data) {
		m->all += e->length;
		touch(&m->flat, e->offset, e->length);
	}
	if (leaf && data)
		m->used += e->length;
	if (leaf && (data || m->keep_zeros))
		touch(&m->own, e->offset, e->length);
	if (leaf && m->has_sparse_parent)
		touch_parent(m, e->offset, e->length);
	return 0;
}

/* Sizes of the files: the layers do not change while their gates are held. */
static int
measure_files(struct vhd_measure *ret, struct chain *c)
{
	int err = 0;

	gate_share(&c->gate, 0);
	ret->virtual_size = c->size;
	for (uint32_t i = 0; i < c->depth && !err; i++) {
		struct io *io = c->layers[i].img->io;
		uint64_t actual;

		err = io->ops->actual_size(&actual, io);
		if (!err && i == 0) {
			ret->actual_size = actual;
			err = io->ops->size(&ret->file_length, io);
		}
		if (!err)
			ret->chain_actual += actual;
	}
	gate_unshare(&c->gate, 0);
	return err;
}

static void
prepare(struct measuring *m)
{
	const struct chain *c = m->c;
	const struct image *leaf = c->layers[0].img;
	uint32_t size =
		image_is_sparse(leaf) ? leaf->block_size : BLOCK_SIZE_DEFAULT;

	m->own.size = m->flat.size = size;
	m->pushed.size = BLOCK_SIZE_DEFAULT;
	m->keep_zeros = leaf->type == VHD_TYPE_DIFFERENCING;
	if (c->depth > 1 && image_is_sparse(c->layers[1].img)) {
		m->has_sparse_parent = true;
		m->pushed.size = c->layers[1].img->block_size;
	}
}

/* The parent takes what the leaf has, and grows to its size. */
static int
length_after_merge(uint64_t *ret, const struct measuring *m,
		   const struct vhd_measure *r)
{
	const struct chain *c = m->c;

	if (c->depth > 1)
		return image_length_after(ret, c->layers[1].img,
					  r->virtual_size, m->pushed.count);
	*ret = r->file_length;
	return 0;
}

static int
conclude(struct vhd_measure *r, const struct measuring *m)
{
	const struct image *leaf = m->c->layers[0].img;

	r->used = m->used;
	r->chain_union = m->all;
	r->after_compact = r->file_length;
	if (image_is_sparse(leaf))
		r->after_compact = min_u64(
			r->file_length,
			image_length_for(leaf->type, r->virtual_size,
					 leaf->block_size, m->own.count));
	r->after_flatten = image_length_for(VHD_TYPE_DYNAMIC, r->virtual_size,
					    m->flat.size, m->flat.count);
	return length_after_merge(&r->after_merge, m, r);
}

int
job_measure(struct vhd_measure *ret, struct chain *c)
{
	struct vhd_measure r = {.struct_size = ret->struct_size};
	struct measuring m = {.c = c};
	int err = measure_files(&r, c);

	if (err)
		return err;
	gate_share(&c->gate, 0);
	prepare(&m);
	gate_unshare(&c->gate, 0);
	err = chain_extents(c, 0, c->size, count, &m);
	if (err)
		return err;
	gate_share(&c->gate, 0);
	err = conclude(&r, &m);
	gate_unshare(&c->gate, 0);
	if (!err)
		*ret = r;
	return err;
}
