/* SPDX-License-Identifier: BSD-3-Clause */
/* compare.c - do two disks read the same?
 *
 * Ranges that both sides know to be zero are not read, nor those that both
 * sides have in the same place of the same file, as snapshots of one disk
 * mostly do. */
#include <inttypes.h>
#include <string.h>

#include "job/job.h"
#include "job/jobs.h"
#include "job/runs.h"

struct side {
	struct chain *c;
	struct vhd_extent run; /* that covers the current place */
	uint8_t *buf;
};

struct comparison {
	struct job job;
	struct side a, b;
	uint64_t at;
};

static int
look(struct side *s, uint64_t at)
{
	if (at - s->run.offset < s->run.length)
		return 0;
	return run_at(&s->run, s->c, at);
}

/* Where a byte lies, told at one instant, whatever a merge does meanwhile. */
struct place {
	struct io_id id;
	uint64_t offset; /* NO_OFFSET: nowhere */
	uint64_t run;    /* bytes that lie together from here on */
};

static int
place_of(struct place *ret, struct chain *c, uint64_t at)
{
	uint64_t window = at >> WINDOW_SHIFT;
	uint32_t sectors;
	uint16_t owner;
	int err;

	ret->offset = NO_OFFSET;
	gate_share(&c->gate, window);
	err = chain_owner(&owner, &sectors, c, at >> SECTOR_SHIFT,
			  WINDOW_SECTORS);
	if (!err && owner < OWNER_LAYERS) {
		struct image *img = c->layers[owner].img;

		ret->id = img->io->id;
		err = image_locate(&ret->offset, &ret->run, img, at);
		ret->run =
			min_u64(ret->run, ((uint64_t)sectors << SECTOR_SHIFT) -
						  at % SECTOR_SIZE);
	}
	gate_unshare(&c->gate, window);
	return err;
}

/* How many bytes from here on, at most n, are the same because they are stored
 * only once? */
static int
shared_bytes(uint64_t *ret, const struct comparison *cmp, uint64_t n)
{
	struct place a, b;
	int err = place_of(&a, cmp->a.c, cmp->at);

	if (!err)
		err = place_of(&b, cmp->b.c, cmp->at);
	if (err)
		return err;
	if (a.offset == NO_OFFSET || a.offset != b.offset ||
	    !io_id_equal(a.id, b.id))
		*ret = 0;
	else
		*ret = min_u64(n, min_u64(a.run, b.run));
	return 0;
}

static int
fetch(struct side *s, uint64_t at, size_t n)
{
	if (run_is_zero(&s->run)) {
		memset(s->buf, 0, n);
		return 0;
	}
	return chain_pread(s->c, s->buf, n, at);
}

static int
differ(uint64_t *ret_offset, const struct comparison *cmp, uint64_t offset)
{
	*ret_offset = offset;
	return fail(VHD_E_DIFFERS, "%.200s and %.200s differ at byte %" PRIu64,
		    cmp->a.c->layers[0].path, cmp->b.c->layers[0].path, offset);
}

/* Compare what must be read; *n says how much, and how much it was. */
static int
compare_data(uint64_t *ret_offset, struct comparison *cmp, uint64_t *n)
{
	size_t i = 0;
	int err;

	*n = min_u64(*n, COPY_BYTES - cmp->at % COPY_BYTES);
	err = fetch(&cmp->a, cmp->at, (size_t)*n);
	if (!err)
		err = fetch(&cmp->b, cmp->at, (size_t)*n);
	if (err || !memcmp(cmp->a.buf, cmp->b.buf, (size_t)*n))
		return err;
	while (cmp->a.buf[i] == cmp->b.buf[i])
		i++;
	return differ(ret_offset, cmp, cmp->at + i);
}

static int
compare_next(uint64_t *ret_offset, struct comparison *cmp, uint64_t size)
{
	bool zero_a, zero_b;
	uint64_t n, shared = 0;
	int err = look(&cmp->a, cmp->at);

	if (!err)
		err = look(&cmp->b, cmp->at);
	if (err)
		return err;
	zero_a = run_is_zero(&cmp->a.run);
	zero_b = run_is_zero(&cmp->b.run);
	n = min_u64(cmp->a.run.offset + cmp->a.run.length,
		    cmp->b.run.offset + cmp->b.run.length);
	n = min_u64(n, size) - cmp->at;
	if (!zero_a && !zero_b)
		err = shared_bytes(&shared, cmp, n);
	if (!err && shared)
		n = shared;
	else if (!err && !(zero_a && zero_b))
		err = compare_data(ret_offset, cmp, &n);
	if (err)
		return err;
	cmp->at += n;
	return job_step(&cmp->job, n);
}

int
job_compare(uint64_t *ret_offset, struct chain *a, struct chain *b,
	    const struct vhd_job_opts *opts)
{
	AUTO_FREE uint8_t *buf_a = malloc(COPY_BYTES);
	AUTO_FREE uint8_t *buf_b = malloc(COPY_BYTES);
	struct comparison cmp = {.a = {.c = a, .buf = buf_a},
				 .b = {.c = b, .buf = buf_b}};
	uint64_t size = max_u64(a->size, b->size);
	int err;

	if (!buf_a || !buf_b)
		return fail_nomem();
	job_start(&cmp.job, opts);
	err = job_phase(&cmp.job, "compare", size);
	while (!err && cmp.at < size)
		err = compare_next(ret_offset, &cmp, size);
	if (!err)
		job_finish(&cmp.job);
	return err;
}
