/* SPDX-License-Identifier: BSD-3-Clause */
/* pull.c - copy what the parent has into the leaf.
 *
 * "The leaf lacks it" and the copy are one step under the closed gate of a
 * piece (P19); a flush that began after the last copy makes everything
 * durable, and only then the link is changed (P20); the parent is needed,
 * unchanged, until that is durable (P21).  Guests write to the leaf
 * throughout (P23). */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/iszero.h"
#include "job/pull.h"

struct pull {
	struct chain *c;
	struct job *job;
	struct image *leaf, *parent;
	uint64_t end; /* of what the leaf can show of its parent */
	uint8_t *buf; /* WINDOW_SIZE */
	uint64_t copied;
	bool count_only;
};

/* Sectors of a window that the parent has, or that its end hides, and the
 * leaf lacks. */
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
		err = image_presence(&presence, mine, p->leaf, sector, n);
	if (err)
		return err;
	/* What lies past the parent's end reads zero, and must go on to when
	 * a longer parent follows. */
	if (end > sector)
		inside = (uint32_t)min_u64(n, end - sector);
	bits_set(map, inside, n - inside);
	for (uint32_t i = 0; i < ceil_div(n, 8); i++)
		map[i] &= (uint8_t)~mine[i];
	return 0;
}

/* On a root, zeros need not be stored: without a parent, what the leaf lacks
 * reads as zero. */
static int
copy_run(struct pull *p, uint64_t offset, uint64_t len)
{
	bool root = p->parent->type != VHD_TYPE_DIFFERENCING;
	int err;

	if (p->count_only) {
		p->copied += len;
		return 0;
	}
	err = chain_read_below(p->c, 1, p->buf, (size_t)len, offset);
	if (err || (root && is_zero(p->buf, (size_t)len)))
		return err;
	p->copied += len;
	return image_pwrite(p->leaf, p->buf, (size_t)len, offset);
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
	uint64_t at = window << WINDOW_SHIFT, before = p->copied;
	int err;

	gate_close(&p->c->gate, at, WINDOW_SIZE);
	err = copy_window(p, window);
	map_forget(&p->c->map, window);
	gate_open(&p->c->gate, at, WINDOW_SIZE);
	return err ? err : job_step(p->job, p->copied - before);
}

/* The leaf shows nothing of its parent past its own end; and past the
 * parent's end only what a longer one below would show matters. */
static uint64_t
end_of_interest(const struct chain *c)
{
	uint64_t end = max_u64(c->layers[1].img->size, chain_size_below(c, 1));

	return min_u64(c->layers[0].img->size, end);
}

int
pull_measure(uint64_t *ret, struct chain *c)
{
	struct pull p = {.c = c,
			 .leaf = c->layers[0].img,
			 .parent = c->layers[1].img,
			 .end = end_of_interest(c),
			 .count_only = true};
	int err = 0;

	for (uint64_t w = 0; w << WINDOW_SHIFT < p.end && !err; w++)
		err = copy_window(&p, w);
	if (!err)
		*ret = p.copied;
	return err;
}

static int
relink(struct chain *c)
{
	int err;

	if (c->depth > 2)
		return chain_link_layer(c, 0, c->layers[2].path,
					c->layers[2].img);
	chain_stop(c);
	err = image_make_root(c->layers[0].img);
	chain_resume(c);
	return err;
}

int
pull_layer(struct chain *c, struct job *job)
{
	AUTO_FREE uint8_t *buf = malloc(WINDOW_SIZE);
	struct pull p = {.c = c,
			 .job = job,
			 .leaf = c->layers[0].img,
			 .parent = c->layers[1].img,
			 .end = end_of_interest(c),
			 .buf = buf};
	int err = buf ? 0 : fail_nomem();

	for (uint64_t w = 0; w << WINDOW_SHIFT < p.end && !err; w++)
		err = copy_closed(&p, w);
	if (!err)
		err = chain_flush(c);
	if (!err)
		err = relink(c);
	return err ? err : chain_remove_layer(c, 1);
}
