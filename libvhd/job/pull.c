/* SPDX-License-Identifier: BSD-3-Clause */
/* pull.c - copy what a layer's parent has into the layer.
 *
 * "The leaf lacks it" and the copy are one step while nobody writes to a
 * piece (P19); a flush that began after the last copy makes everything
 * durable, and only then the link is changed (P20); the parent is needed,
 * unchanged, until that is durable (P21).  Guests write to the leaf throughout
 * (P23), be it the layer or not. */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/iszero.h"
#include "image/mutant.h"
#include "job/pull.h"

#define PAGE       4096u
#define FILL_BATCH 4096u /* blocks that change between two flushes */

struct pull {
	struct chain *c;
	struct job *job;
	struct image *child, *parent;
	uint32_t layer; /* of the child */
	bool root;      /* the parent is one */
	uint64_t end;   /* of what the child can show of its parent */
	uint8_t *buf;   /* WINDOW_SIZE; NULL: only measure */
	struct pull_size size;
	uint64_t next_page, next_block; /* of the child, not counted yet */
};

/* Sectors of a window that the parent has, or that its end hides, and the
 * child lacks. */
static int
wanted(uint8_t *map, struct pull *p, uint64_t window, uint32_t n)
{
	uint64_t sector = window * WINDOW_SECTORS;
	uint64_t end = ceil_div(p->parent->size, SECTOR_SIZE);
	uint8_t mine[WINDOW_SECTORS / 8];
	enum presence presence;
	uint32_t inside = 0;
	int err = image_presence(&presence, map, p->parent, sector, n);

	if (!err)
		err = image_presence(&presence, mine, p->child, sector, n);
	if (err)
		return err;
	/* What lies past the parent's end reads zero, and must go on to when
	 * a longer parent follows. */
	if (end > sector)
		inside = (uint32_t)min_u64(n, end - sector);
	if (p->root)
		bits_clear(map, inside, n - inside);
	else
		bits_set(map, inside, n - inside);
	for (uint32_t i = 0; i < ceil_div(n, 8); i++)
		map[i] &= (uint8_t)~mine[i];
	return 0;
}

/* Ascending, so what was counted before lies before. */
static void
count(struct pull *p, uint64_t offset, uint64_t len)
{
	uint64_t page = max_u64(offset / PAGE, p->next_page);
	uint64_t block =
		max_u64(image_block_of(p->child, offset), p->next_block);
	uint64_t end = offset + len;

	p->size.bytes += len;
	p->next_page = ceil_div(end, PAGE);
	p->next_block = image_block_of(p->child, end - 1) + 1;
	p->size.extra += (p->next_page - page) * PAGE;
	for (; block < p->next_block; block++)
		if (!image_has_block(p->child, (uint32_t)block))
			p->size.extra += PAGE;
}

/* On a root, zeros need not be stored: without a parent, what the child lacks
 * reads as zero. */
static int
copy_piece(struct pull *p, uint64_t offset, uint64_t len)
{
	int err;

	if (!p->buf) {
		count(p, offset, len);
		return 0;
	}
	p->size.bytes += len;
	err = chain_read_below(p->c, p->layer + 1, p->buf, (size_t)len, offset);
	if (err || (p->root && is_zero(p->buf, (size_t)len)))
		return err;
	return image_pwrite(p->child, p->buf, (size_t)len, offset);
}

/* Does the file of a root have a hole there?  *len is cut to what is all hole
 * or all data. */
static int
find_hole(bool *ret, struct pull *p, uint64_t offset, uint64_t *len)
{
	struct io *io = p->parent->io;
	uint64_t at, run, end;
	bool data;
	int err = image_locate(&at, &run, p->parent, offset);

	*ret = false;
	if (err || at == NO_OFFSET)
		return err;
	*len = min_u64(*len, run);
	if (!range_ok(at, *len, p->parent->file_size))
		return 0;
	err = io->ops->extent(&data, &end, io, at);
	if (err || end <= at)
		return err;
	*ret = !data && end - at >= SECTOR_SIZE;
	if (*ret)
		*len = min_u64(*len, round_down(end - at, SECTOR_SIZE));
	else
		*len = min_u64(*len, round_up(end - at, SECTOR_SIZE));
	return 0;
}

static int
copy_run(struct pull *p, uint64_t offset, uint64_t len)
{
	while (len) {
		uint64_t n = len;
		bool hole = false;
		int err = p->root ? find_hole(&hole, p, offset, &n) : 0;

		if (!err && !hole)
			err = copy_piece(p, offset, n);
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

static int
copy_window(struct pull *p, uint64_t window)
{
	uint64_t at = window << WINDOW_SHIFT;
	uint32_t n = (uint32_t)ceil_div(min_u64(WINDOW_SIZE, p->end - at),
					SECTOR_SIZE);
	uint8_t map[WINDOW_SECTORS / 8];
	int err = wanted(map, p, window, n);

	for (uint32_t i = 0, run; i < n && !err; i += run) {
		run = bits_run(map, i, n - i);
		if (bit_get(map, i))
			err = copy_run(p, at + ((uint64_t)i << SECTOR_SHIFT),
				       (uint64_t)run << SECTOR_SHIFT);
	}
	return err;
}

static int
copy_closed(struct pull *p, uint64_t window)
{
	uint64_t at = window << WINDOW_SHIFT, before = p->size.bytes;
	int err;

	if (!mutant(PULL_UNGATED))
		gate_bar(&p->c->gate, at, WINDOW_SIZE);
	err = copy_window(p, window);
	gate_close_barred(&p->c->gate, at, WINDOW_SIZE);
	map_forget(&p->c->map, window);
	gate_open_barred(&p->c->gate, at, WINDOW_SIZE);
	if (!mutant(PULL_UNGATED))
		gate_unbar(&p->c->gate, at, WINDOW_SIZE);
	return err ? err : job_step(p->job, p->size.bytes - before);
}

/* The child shows nothing of its parent past its own end; and past the
 * parent's end only what a longer one below would show matters. */
static uint64_t
end_of_interest(const struct chain *c, uint32_t layer)
{
	uint64_t end = max_u64(c->layers[layer + 1].img->size,
			       chain_size_below(c, layer + 1));

	return min_u64(c->layers[layer].img->size, end);
}

static struct pull
pull_of(struct chain *c, uint32_t layer)
{
	struct image *parent = c->layers[layer + 1].img;

	return (struct pull){.c = c,
			     .layer = layer,
			     .child = c->layers[layer].img,
			     .parent = parent,
			     .root = parent->type != VHD_TYPE_DIFFERENCING,
			     .end = end_of_interest(c, layer)};
}

int
pull_measure(struct pull_size *ret, struct chain *c, uint32_t layer)
{
	struct pull p = pull_of(c, layer);
	int err = 0;

	for (uint64_t w = 0; w << WINDOW_SHIFT < p.end && !err; w++)
		err = copy_window(&p, w);
	if (!err)
		*ret = p.size;
	return err;
}

/* Whoever found no block before the gate was barred has not made one since. */
static int
fill_block(struct pull *p, uint32_t block)
{
	struct image *img = p->child;
	uint64_t at = (uint64_t)block << img->block_shift;
	int err;

	gate_bar(&p->c->gate, at, img->block_size);
	err = image_fill_block(img, block);
	gate_unbar(&p->c->gate, at, img->block_size);
	if (!err && block % FILL_BATCH == 0)
		err = image_flush(img);
	return err ? err : job_step(p->job, 0);
}

/* What guests allocate from now on is all present, and then what there was
 * before is made so (D6); as zeros, since the parent has nothing there. */
static int
become_root(struct pull *p)
{
	struct image *img = p->child;
	int err = 0;

	image_fill_new(img, true);
	for (uint32_t b = 0; b < img->blocks && !err; b++)
		err = fill_block(p, b);
	if (!err)
		err = image_make_root(img);
	/* Where it stays a child, a new block shows its parent again. */
	image_fill_new(img, false);
	return err;
}

static int
relink(struct pull *p)
{
	struct chain *c = p->c;
	uint32_t layer = p->layer;

	return c->depth > layer + 2
		       ? chain_link_layer(c, layer, c->layers[layer + 2].path,
					  c->layers[layer + 2].img)
		       : become_root(p);
}

int
pull_layer(struct chain *c, struct job *job, uint32_t layer)
{
	AUTO_FREE uint8_t *buf = malloc(WINDOW_SIZE);
	struct pull p = pull_of(c, layer);
	int err = buf ? 0 : fail_nomem();

	p.job = job;
	p.buf = buf;
	for (uint64_t w = 0; w << WINDOW_SHIFT < p.end && !err; w++)
		err = copy_closed(&p, w);
	if (!err)
		err = layer ? image_flush(p.child) : chain_flush(c);
	if (!err)
		err = relink(&p);
	return err ? err : chain_remove_layer(c, layer + 1);
}
