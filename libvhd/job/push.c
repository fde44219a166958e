/* SPDX-License-Identifier: BSD-3-Clause */
/* push.c - move a layer's sectors into the layer below it.
 *
 * For a batch of blocks: copy the sectors that are present into the parent;
 * make the parent durable; only then drop the blocks from the child's table
 * and make that durable; only then is the child's space punched (the image
 * does that, D7).  At every instant the chain reads the same, so there is no
 * journal: to resume is to start again with what is left.
 *
 * The live leaf is moved under the closed gate of one block at a time, and a
 * generation clears what was moved (P1 to P8, chain_flush.c).  A frozen layer
 * cannot change, so its blocks are copied beside the guests, and the gate is
 * closed only to drop them (P16 to P18). */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/iszero.h"
#include "image/mutant.h"
#include "job/push.h"

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

#define CHUNK     (1u << 20)  /* read at once where data is looked at */
#define SHORT_RUN (64u << 10) /* below this, reading and writing is best */
#define PROBE     4096u       /* tells most data from zeros; a page */

struct push {
	struct chain *c;
	struct job *job;
	struct image *from, *to;
	uint32_t layer, top;
	uint8_t *map;     /* sectors of a block to be moved */
	uint8_t *buf;     /* CHUNK bytes */
	uint32_t *blocks; /* copied, not dropped yet (frozen layers) */
	size_t nblocks;
	uint64_t added; /* to the leaf by its guests, as far as noticed */
	/* Bytes, since the last flush. */
	uint64_t copied, grown;
};

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
		size_t n = (size_t)min_u64(len, CHUNK);
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

/* Is all of a range data, so that to write it takes no space? */
static bool
is_stored(struct io *io, uint64_t at, uint64_t len)
{
	uint64_t end;
	bool data;

	return io->ops->extent(&data, &end, io, at) == 0 && data &&
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
	if (!is_stored(p->to->io, to, len))
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
		err = p->from->io->ops->extent(&data, &end, p->from->io, at);
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

static int
copy_block(struct push *p, uint32_t block)
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

/* P1, P2: nobody is inside the block from the first copied sector until it is
 * marked as moved; if copying fails it is not. */
static int
move_live(struct push *p, uint32_t block)
{
	uint64_t at = block_offset(p, block);
	int err;

	if (!mutant(COPY_UNGATED))
		gate_close(&p->c->gate, at, p->from->block_size);
	err = copy_block(p, block);
	if (mutant(MOVED_HALF))
		err = 0;
	if (!err)
		err = moved_add(p->c, block);
	if (!err && mutant(MOVE_CLEARS))
		err = image_drop_block(p->from, block);
	if (!err)
		forget_block(p, block);
	if (!mutant(COPY_UNGATED))
		gate_open(&p->c->gate, at, p->from->block_size);
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
	int err = p->layer == 0 ? move_live(p, block) : copy_block(p, block);

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
	AUTO_FREE uint8_t *buf = malloc(CHUNK);
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

/* ---- Measure ---- */

/* Sectors of one block of layer i that are not present above it. */
static uint64_t
own_bytes(struct image *img, uint32_t block, uint8_t *map)
{
	uint32_t spb = img->block_size >> SECTOR_SHIFT;
	enum presence presence;

	if (image_presence(&presence, map, img, (uint64_t)block * spb, spb))
		return img->block_size;
	return (uint64_t)bits_count(map, 0, spb) << SECTOR_SHIFT;
}

/* Blocks of the parent that a block of the child would allocate; seen keeps
 * those counted before. */
static void
count_new(struct push_size *size, const struct image *to, uint8_t *seen,
	  uint64_t offset, uint64_t len)
{
	uint64_t end = offset + len;

	for (offset &= ~(uint64_t)(to->block_size - 1); offset < end;
	     offset += to->block_size) {
		uint32_t b = image_block_of(to, offset);

		if (b < to->blocks && image_has_block(to, b))
			continue;
		if (bit_get(seen, b))
			continue;
		bits_set(seen, b, 1);
		size->new_blocks++;
	}
}

static void
count_range(struct push_size *size, const struct image *to, uint8_t *seen,
	    const struct image *img, uint32_t block)
{
	uint64_t at = (uint64_t)block << img->block_shift;

	count_new(size, to, seen, at, min_u64(img->block_size, img->size - at));
}

int
push_measure(struct push_size *ret, struct chain *c, uint32_t first,
	     uint32_t last)
{
	const struct image *to = c->layers[last].img;
	uint64_t most = to->size;
	AUTO_FREE uint8_t *seen = NULL;
	struct push_size size = {
		.added = atomic_load(&c->layers[first].img->bitmaps.added)};

	for (uint32_t i = first; i < last; i++)
		most = max_u64(most, c->layers[i].img->size);
	if (image_is_sparse(to)) {
		seen = calloc((most >> to->block_shift) / 8 + 2, 1);
		if (!seen)
			return fail_nomem();
	}
	for (uint32_t i = first; i < last; i++) {
		struct image *img = c->layers[i].img;
		AUTO_FREE uint8_t *map =
			malloc(img->block_size / SECTOR_SIZE / 8 + 1);

		if (!map)
			return fail_nomem();
		for (uint32_t b = 0; b < img->blocks; b++) {
			if (!image_has_block(img, b))
				continue;
			size.bytes += own_bytes(img, b, map);
			if (seen)
				count_range(&size, to, seen, img, b);
		}
	}
	*ret = size;
	return 0;
}
