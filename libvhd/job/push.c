/* SPDX-License-Identifier: BSD-3-Clause */
/* push.c - move a layer's sectors into the layer below it.
 *
 * For a batch of blocks: copy the sectors that are present into the parent;
 * make the parent durable; only then drop the blocks from the child's table
 * and make that durable; only then is the child's space punched (the image
 * does that, D7).  At every instant the chain reads the same, so there is no
 * journal: to resume is to start again with what is left (P13).
 *
 * The live leaf is moved under the closed gate of one block at a time, and a
 * generation clears what was moved (P1 to P8, chain_flush.c).  A frozen layer
 * cannot change, so its blocks are copied beside the guests, and the gate is
 * closed only to drop them (P16 to P18). */
#include <stdlib.h>
#include <string.h>

#include "image/mutant.h"
#include "job/push_copy.h"

/* Between two flushes: what is copied is what a crash has copied again, and
 * what a guest's flush may have to make durable, be it that the guest has been
 * idle, or that it is busy; what the parent grows by is extra until the
 * child's space is given back. */
#define BATCH_BYTES   (1u << 30)
#define BATCH_IDLE    (128u << 20)
#define BATCH_BUSY    (16u << 20)
#define BATCH_GROWTH  (48u << 20)
#define BATCH_BLOCKS  (1u << 16)
#define BATCH_SECONDS 2 /* of a job with a rate */

static uint64_t
block_offset(const struct push *p, uint32_t block)
{
	return (uint64_t)block << p->from->block_shift;
}

static void
forget_block(struct push *p, uint32_t block)
{
	uint64_t at = block_offset(p, block);
	uint64_t end = min_u64(at + p->from->block_size, p->c->size);

	for (uint64_t w = at >> WINDOW_SHIFT; (w << WINDOW_SHIFT) < end; w++)
		map_forget(&p->c->map, w);
}

/* P1, P2: nobody writes to the block from the first copied sector until it is
 * marked as moved, and nobody is inside it then; if copying fails it is not
 * (P26). */
static int
move_live(struct push *p, uint32_t block)
{
	uint64_t at = block_offset(p, block);
	int err;

	if (!mutant(COPY_UNGATED))
		gate_bar(&p->c->gate, at, p->from->block_size);
	err = push_copy_block(p, block);
	gate_close_barred(&p->c->gate, at, p->from->block_size);
	if (mutant(MOVED_HALF))
		err = 0;
	if (!err)
		err = moved_add(p->c, block);
	if (!err && mutant(MOVE_CLEARS))
		err = image_drop_block(p->from, block);
	if (!err)
		forget_block(p, block);
	gate_open_barred(&p->c->gate, at, p->from->block_size);
	if (!mutant(COPY_UNGATED))
		gate_unbar(&p->c->gate, at, p->from->block_size);
	return err;
}

/* P17, P18: who resolved to this layer has left when the gate closes. */
static int
drop_frozen(struct push *p, uint32_t block)
{
	uint64_t at = block_offset(p, block);
	int err;

	if (!mutant(READERS_STAY))
		gate_close(&p->c->gate, at, p->from->block_size);
	err = image_drop_block(p->from, block);
	forget_block(p, block);
	if (!mutant(READERS_STAY))
		gate_open(&p->c->gate, at, p->from->block_size);
	return err;
}

static int
commit(struct push *p)
{
	int err = 0;

	p->copied = 0;
	p->grown = 0;
	if (p->layer == 0) {
		p->nblocks = 0;
		err = chain_flush(p->c);
		if (!err)
			chain_punch(p->c);
		return err;
	}
	if (!mutant(DROP_EARLY))
		err = image_flush(p->to);
	for (size_t i = 0; i < p->nblocks && !err; i++)
		err = drop_frozen(p, p->blocks[i]);
	p->nblocks = 0;
	return err ? err : image_flush(p->from);
}

/* What guests will wait for when they flush is kept small: data goes to the
 * disk block by block, and a generation of theirs has made it count. */
static void
ease_next_flush(struct push *p, uint32_t block)
{
	uint64_t at = block_offset(p, block);

	if (!job_has_guests(p->job))
		return;
	image_write_out(p->to, at,
			min_u64(p->from->block_size, p->from->size - at));
	if (p->layer == 0 && !moved_waiting(p->c)) {
		p->copied = 0;
		p->grown = 0;
		p->nblocks = 0;
	}
}

static bool
batch_is_full(const struct push *p)
{
	uint64_t most = BATCH_BYTES, rate = job_rate(p->job);

	if (gate_visits(&p->c->gate))
		most = job_has_guests(p->job) ? BATCH_BUSY : BATCH_IDLE;
	if (rate && rate < most / BATCH_SECONDS)
		most = rate * BATCH_SECONDS;
	return p->copied >= most || p->grown >= BATCH_GROWTH ||
	       p->nblocks == BATCH_BLOCKS;
}

/* Guests go on writing to what is not moved yet. */
static void
count_growth(struct push *p)
{
	uint64_t added = atomic_load(&p->from->bitmaps.added);

	if (p->layer != 0)
		return;
	job_grows(p->job, (added - p->added) << SECTOR_SHIFT);
	p->added = added;
}

static int
move_block(uint64_t *ret_bytes, struct push *p, uint32_t block)
{
	uint64_t before = p->copied;
	int err =
		p->layer == 0 ? move_live(p, block) : push_copy_block(p, block);

	*ret_bytes = p->copied - before;
	return err;
}

/* Where there is no space, what was moved before gives some back. */
static int
push_block(struct push *p, uint32_t block)
{
	uint64_t bytes;
	int err = batch_is_full(p) ? commit(p) : 0;

	if (!err)
		err = move_block(&bytes, p, block);
	if (err == VHD_E_NOSPACE && p->nblocks) {
		err = commit(p);
		if (!err)
			err = move_block(&bytes, p, block);
	}
	if (err)
		return err;
	p->blocks[p->nblocks++] = block;
	count_growth(p);
	ease_next_flush(p, block);
	return job_step(p->job, bytes);
}

/* However it ends, what was copied is made to count: the redirect of the
 * leaf stays until every moved block is cleared (P15).  The space of the last
 * batch is given back with the file. */
static int
push_blocks(struct push *p)
{
	struct error kept;
	int err = 0;

	for (uint32_t b = 0; b < p->from->blocks && !err; b++)
		if (image_has_block(p->from, b) &&
		    !(p->layer == 0 && moved_has(p->c, block_offset(p, b))))
			err = push_block(p, b);
	if (!err) {
		p->from->vanishing = true;
		return commit(p);
	}
	error_save(&kept);
	if (!p->c->failed && !p->to->failed && !p->from->failed &&
	    !mutant(REDIRECT_DROPPED))
		(void)commit(p);
	return error_restore(&kept);
}

/* A generation may have blocks in hand: only when none runs can it be told
 * whether any are left. */
void
push_end(struct chain *c)
{
	bool early = mutant(IN_HAND_FORGOTTEN) && !moved_waiting(c);

	if (!c->moved.bits)
		return;
	chain_stop(c);
	if ((early || mutant(REDIRECT_DROPPED) || !moved_waiting(c)) &&
	    !c->failed)
		moved_end(c);
	chain_resume(c);
}

int
push_settle(struct chain *c)
{
	int err = c->moved.bits ? chain_flush(c) : 0;

	if (!err)
		push_end(c);
	return err;
}

int
push_layer(struct chain *c, struct job *job, uint32_t layer, uint32_t top,
	   uint64_t added)
{
	struct image *from = c->layers[layer].img;
	AUTO_FREE uint8_t *map = malloc(from->block_size / SECTOR_SIZE / 8 + 1);
	AUTO_FREE uint8_t *buf = malloc(PUSH_CHUNK);
	AUTO_FREE uint32_t *blocks = calloc(BATCH_BLOCKS, sizeof(*blocks));
	struct push p = {.c = c,
			 .job = job,
			 .from = from,
			 .to = c->layers[layer + 1].img,
			 .layer = layer,
			 .top = top,
			 .map = map,
			 .buf = buf,
			 .blocks = blocks,
			 .added = added};
	int err = 0;

	if (!map || !buf || !blocks)
		return fail_nomem();
	if (layer == 0 && !c->moved.bits) {
		gate_close_all(&c->gate);
		err = moved_start(c);
		gate_open_all(&c->gate);
	}
	return err ? err : push_blocks(&p);
}
