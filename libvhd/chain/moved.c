/* SPDX-License-Identifier: BSD-3-Clause */
/* moved.c - the blocks of a live leaf that a push has copied down.
 *
 * From the moment a block is moved its requests go to layer 1 (P3), while its
 * entry in the leaf stays until a generation has made layer 1 durable and
 * cleared it (P4, P6, P7).  A block that the leaf does not have counts as
 * moved and cleared from the start; otherwise the leaf would grow behind the
 * push. */
#include <stdlib.h>
#include <string.h>

#include "chain/chain.h"
#include "image/mutant.h"

static uint8_t
mask_of(uint32_t block)
{
	return (uint8_t)(0x80 >> block % 8);
}

int
moved_start(struct chain *c)
{
	const struct image *leaf = c->layers[0].img;
	_Atomic uint8_t *bits = calloc((size_t)leaf->blocks / 8 + 1, 1);

	if (!bits)
		return fail_nomem();
	for (uint32_t b = 0; b < leaf->blocks; b++)
		if (!image_has_block(leaf, b) && !mutant(LEAF_GROWS_BACK))
			atomic_fetch_or(&bits[b / 8], mask_of(b));
	c->moved.bits = bits;
	return 0;
}

static int
reserve(struct moved *m, size_t more)
{
	size_t room = m->room ? m->room : 64;
	uint32_t *list;

	if (m->n + more <= m->room)
		return 0;
	while (room < m->n + more)
		room *= 2;
	list = realloc(m->list, room * sizeof(*list));
	if (!list)
		return fail_nomem();
	m->list = list;
	m->room = room;
	return 0;
}

int
moved_put_back(struct chain *c, const uint32_t *blocks, size_t n)
{
	struct moved *m = &c->moved;
	int err;

	pthread_mutex_lock(&m->lock);
	err = reserve(m, n);
	if (!err && n) {
		memcpy(m->list + m->n, blocks, n * sizeof(*blocks));
		m->n += n;
	}
	pthread_mutex_unlock(&m->lock);
	return err;
}

int
moved_add(struct chain *c, uint32_t block)
{
	int err = moved_put_back(c, &block, 1);

	if (!err)
		atomic_fetch_or(&c->moved.bits[block / 8], mask_of(block));
	return err;
}

bool
moved_has(const struct chain *c, uint64_t offset)
{
	uint32_t block;

	if (!c->moved.bits)
		return false;
	block = image_block_of(c->layers[0].img, offset);
	return atomic_load(&c->moved.bits[block / 8]) & mask_of(block);
}

bool
moved_waiting(struct chain *c)
{
	bool yes;

	pthread_mutex_lock(&c->moved.lock);
	yes = c->moved.n > 0;
	pthread_mutex_unlock(&c->moved.lock);
	return yes;
}

size_t
moved_take(uint32_t **ret, struct chain *c)
{
	struct moved *m = &c->moved;
	size_t n;

	pthread_mutex_lock(&m->lock);
	n = m->n;
	*ret = m->list;
	m->list = NULL;
	m->n = 0;
	m->room = 0;
	pthread_mutex_unlock(&m->lock);
	return n;
}

void
moved_end(struct chain *c)
{
	free((void *)c->moved.bits);
	c->moved.bits = NULL;
}
