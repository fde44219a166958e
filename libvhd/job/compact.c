/* SPDX-License-Identifier: BSD-3-Clause */
/* compact.c - give back blocks that the guest would not miss.
 *
 * Punch: a dynamic block goes when it reads zero; a differencing block when
 * what it has equals what the layers below give, so a zero block that hides
 * the parent's data stays.  Repack: the blocks highest in the file also move
 * to the lowest free places, and the file is cut.  Both ride on flushes: what
 * was dropped or moved away is free only when that is durable (D7). */
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "base/iszero.h"
#include "job/job.h"
#include "job/jobs.h"
#include "job/known.h"

#define BATCH 64u /* blocks between two flushes */
#define CHUNK (1u << 20)

struct compact {
	struct chain *c;
	struct job *job;
	struct image *img;
	uint8_t *map, *mine, *below;
	uint32_t dropped, waiting;
};

/* Is a run of present sectors what would be read without them? */
static int
run_is_spare(bool *ret, struct compact *k, uint64_t offset, uint64_t len)
{
	*ret = true;
	while (len && *ret) {
		size_t n = (size_t)min_u64(len, CHUNK);
		int err = image_pread(k->img, k->mine, n, offset);

		if (!err && k->img->type == VHD_TYPE_DIFFERENCING) {
			err = chain_read_below(k->c, 1, k->below,
					       round_up(n, SECTOR_SIZE),
					       offset);
			*ret = !err && !memcmp(k->mine, k->below, n);
		} else if (!err) {
			*ret = is_zero(k->mine, n);
		}
		if (err)
			return err;
		offset += n;
		len -= n;
	}
	return 0;
}

/* A hole is zero without being read. */
static int
is_hole(bool *ret, struct image *img, uint32_t block)
{
	uint64_t at, run, end;
	bool data = true;
	int err = image_locate(&at, &run, img,
			       (uint64_t)block << img->block_shift);

	*ret = false;
	if (!err)
		err = img->io->ops->extent(&data, &end, img->io, at);
	if (!err)
		*ret = !data && end >= at + img->block_size;
	return err;
}

static int
block_is_spare(bool *ret, struct compact *k, uint32_t block)
{
	struct image *img = k->img;
	uint32_t spb = img->block_size >> SECTOR_SHIFT;
	uint64_t sector = (uint64_t)block * spb;
	enum presence presence;
	int err = 0;

	if (img->type == VHD_TYPE_DYNAMIC) {
		err = is_hole(ret, img, block);
		if (err || *ret)
			return err;
	}
	err = image_presence(&presence, k->map, img, sector, spb);
	*ret = !err;
	for (uint32_t i = 0, run; i < spb && !err && *ret; i += run) {
		uint64_t at = (sector + i) << SECTOR_SHIFT;

		run = bits_run(k->map, i, spb - i);
		if (bit_get(k->map, i))
			err = run_is_spare(
				ret, k, at,
				min_u64((uint64_t)run << SECTOR_SHIFT,
					img->size - at));
	}
	return err;
}

static void
forget(struct compact *k, uint32_t block)
{
	uint64_t at = (uint64_t)block << k->img->block_shift;
	uint64_t end = min_u64(at + k->img->block_size, k->c->size);

	for (uint64_t w = at >> WINDOW_SHIFT; (w << WINDOW_SHIFT) < end; w++)
		map_forget(&k->c->map, w);
}

static int
flush_batch(struct compact *k, bool force)
{
	int err;

	if (!k->waiting || (!force && k->waiting < BATCH))
		return 0;
	k->waiting = 0;
	err = chain_flush(k->c);
	if (!err)
		chain_punch(k->c);
	return err;
}

static int
drop(struct compact *k, uint32_t block)
{
	uint64_t at = (uint64_t)block << k->img->block_shift;
	int err;

	gate_close_barred(&k->c->gate, at, k->img->block_size);
	err = image_drop_block(k->img, block);
	forget(k, block);
	k->waiting++;
	gate_open_barred(&k->c->gate, at, k->img->block_size);
	return err;
}

/* Nobody writes to the block while it is looked at, and nobody reads it when it
 * is dropped.  In the dry run it is only counted. */
static int
consider(struct compact *k, uint32_t block)
{
	uint64_t at = (uint64_t)block << k->img->block_shift;
	bool spare = false;
	int err = 0;

	gate_bar(&k->c->gate, at, k->img->block_size);
	if (image_has_block(k->img, block))
		err = block_is_spare(&spare, k, block);
	if (!err && spare && !job_dry_run(k->job))
		err = drop(k, block);
	gate_unbar(&k->c->gate, at, k->img->block_size);
	k->dropped += spare;
	if (!err)
		err = job_step(k->job, k->img->block_size);
	return err ? err : flush_batch(k, false);
}

static int
drop_spare(struct compact *k)
{
	struct image *img = k->img;
	int err = job_phase(k->job, "examine",
			    (uint64_t)image_count_blocks(img)
				    << img->block_shift);

	for (uint32_t b = 0; b < img->blocks && !err; b++)
		if (image_has_block(img, b))
			err = consider(k, b);
	return err ? err : flush_batch(k, true);
}

/* ---- Repack ---- */

struct placed {
	uint32_t value, block;
};

static int
highest_first(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	return (x->value < y->value) - (x->value > y->value);
}

static int
list_blocks(struct placed **ret, size_t *ret_n, const struct image *img)
{
	uint32_t most = img->allocated;
	struct placed *list = malloc(((size_t)most + 1) * sizeof(*list));
	size_t n = 0;

	if (!list)
		return fail_nomem();
	for (uint32_t b = 0; b < img->blocks && n < most; b++) {
		uint32_t value = atomic_load(&img->bat[b]);

		if (value != BAT_UNUSED)
			list[n++] = (struct placed){value, b};
	}
	qsort(list, n, sizeof(*list), highest_first);
	*ret = list;
	*ret_n = n;
	return 0;
}

static int
move_down(bool *ret, struct compact *k, const struct placed *p)
{
	uint64_t at = (uint64_t)p->block << k->img->block_shift;
	int err = 0;

	*ret = true;
	gate_close(&k->c->gate, at, k->img->block_size);
	if (atomic_load(&k->img->bat[p->block]) == p->value)
		err = image_move_block(ret, k->img, p->block,
				       (uint64_t)p->value << SECTOR_SHIFT);
	k->waiting++;
	gate_open(&k->c->gate, at, k->img->block_size);
	if (!err)
		err = job_step(k->job, k->img->block_size);
	return err ? err : flush_batch(k, false);
}

/* One pass from the top; another after it may find what the first freed. */
static int
pack_once(bool *ret_moved, struct compact *k)
{
	AUTO_FREE struct placed *list = NULL;
	size_t n = 0;
	int err = list_blocks(&list, &n, k->img);

	*ret_moved = false;
	for (size_t i = 0; i < n && !err; i++) {
		bool moved;

		err = move_down(&moved, k, &list[i]);
		if (err || !moved)
			break;
		*ret_moved = true;
	}
	return err ? err : flush_batch(k, true);
}

static bool
is_misaligned(const struct image *img, uint32_t value)
{
	return (((uint64_t)value << SECTOR_SHIFT) + img->bitmap_bytes) % 4096;
}

/* Blocks whose data is not on a page boundary move to where it is. */
static int
realign(struct compact *k)
{
	struct image *img = k->img;
	int err = 0;

	for (uint32_t b = 0; b < img->blocks && !err; b++) {
		uint64_t at = (uint64_t)b << img->block_shift;
		uint32_t value = atomic_load(&img->bat[b]);
		bool moved;

		if (value == BAT_UNUSED || !is_misaligned(img, value))
			continue;
		gate_close(&k->c->gate, at, img->block_size);
		if (atomic_load(&img->bat[b]) == value)
			err = image_move_block(&moved, img, b, UINT64_MAX);
		gate_open(&k->c->gate, at, img->block_size);
		k->waiting++;
		if (!err)
			err = job_step(k->job, img->block_size);
		if (!err)
			err = flush_batch(k, false);
	}
	return err ? err : flush_batch(k, true);
}

static int
repack(struct compact *k)
{
	bool moved = true;
	int err = job_phase(k->job, "move", 0);

	if (!err)
		err = realign(k);
	while (!err && moved)
		err = pack_once(&moved, k);
	if (!err)
		err = image_tidy(k->img);
	return err;
}

/* ---- The job ---- */

static int
check_state(const struct job *job, struct chain *c)
{
	const struct image *img = c->layers[0].img;
	int err = job_check_writable(job, c);

	if (!err)
		err = job_check_parent(c);
	if (err)
		return err;
	if (img->type != VHD_TYPE_RAW && img->footer.saved_state)
		return fail(VHD_E_POLICY,
			    "%s: a machine was suspended on it; start and "
			    "shut it down first",
			    c->layers[0].path);
	return 0;
}

/* The dry run has to look at the data as well: nothing else can tell. */
static int
make_plan(struct compact *k, enum vhd_compact_mode mode)
{
	struct image *img = k->img;
	struct vhd_plan p = VHD_PLAN_INIT;
	uint64_t region = image_region_bytes(img);
	int err = 0;

	if (job_dry_run(k->job))
		err = drop_spare(k);
	if (err)
		return err;
	p.final_size = img->file_size;
	if (image_is_sparse(img) && mode == VHD_COMPACT_REPACK) {
		p.final_size =
			image_length_for(img->type, img->size, img->block_size,
					 img->allocated - k->dropped);
		p.bytes_to_copy = k->dropped * region;
		p.peak_extra = BATCH * region;
	}
	err = k->c->fs->ops->free_space(&p.free, k->c->fs,
					k->c->layers[0].path);
	p.fits = p.free >= p.peak_extra;
	return err ? err : job_plan(k->job, k->c->layers[0].path, &p);
}

static int
compact_disk(struct compact *k, enum vhd_compact_mode mode)
{
	int err = check_state(k->job, k->c);

	if (!err)
		err = make_plan(k, mode);
	if (err || job_dry_run(k->job) || !image_is_sparse(k->img))
		return err;
	err = drop_spare(k);
	if (!err && mode == VHD_COMPACT_REPACK)
		err = repack(k);
	if (!err)
		job_finish(k->job);
	return err;
}

static int
compact_taken(struct chain *c, enum vhd_compact_mode mode,
	      const struct vhd_job_opts *opts)
{
	struct image *img = c->layers[0].img;
	AUTO_FREE uint8_t *map = malloc(img->block_size / SECTOR_SIZE / 8 + 1);
	AUTO_FREE uint8_t *mine = malloc(CHUNK), *below = malloc(CHUNK);
	struct known known;
	struct job job;
	struct compact k = {.c = c,
			    .job = &job,
			    .img = img,
			    .map = map,
			    .mine = mine,
			    .below = below};
	int err;

	if (!map || !mine || !below)
		return fail_nomem();
	err = known_begin(&known, c);
	if (err)
		return err;
	job_start(&job, opts);
	job_beside_guests(&job, c);
	err = compact_disk(&k, mode);
	if (!err && !job_dry_run(&job))
		err = known_end(&known, c);
	job_end_beside(&job);
	return err;
}

int
job_compact(struct chain *c, enum vhd_compact_mode mode,
	    const struct vhd_job_opts *opts)
{
	int err = job_take(c);

	if (err)
		return err;
	err = compact_taken(c, mode, opts);
	job_leave(c);
	return err;
}
