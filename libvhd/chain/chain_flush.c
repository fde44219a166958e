/* SPDX-License-Identifier: BSD-3-Clause */
/* chain_flush.c - generations: what a guest's flush makes durable.
 *
 * A caller is served by a generation that began after its call; callers that
 * arrive while one runs share the next.  During a push of the live leaf a
 * generation first takes the moved blocks (P4), makes layer 1 durable, only
 * then clears exactly those blocks in the leaf (P6), and makes the leaf
 * durable before anyone is told (P8).  A failed fdatasync of either is final
 * for the whole disk (P24, P25).
 *
 * What a generation frees it punches, unless a job runs, which has more
 * time. */
#include <stdlib.h>

#include "chain/chain.h"
#include "image/mutant.h"

static int
check_failed(struct chain *c, int err)
{
	for (uint32_t i = 0; err && i < c->depth; i++)
		if (c->layers[i].img->failed)
			c->failed = true;
	return err;
}

/* Must layer 1 be flushed with the leaf?  As long as it may hold what a guest
 * wrote: also after a push that was stopped (P15). */
static bool
is_parent_written(const struct chain *c)
{
	return c->depth > 1 && c->layers[1].img->writable &&
	       !mutant(CLEAR_EARLY) &&
	       !(mutant(PARENT_FORGOTTEN) && !c->moved.bits);
}

static int
clear_moved(struct chain *c, const uint32_t *blocks, size_t n)
{
	struct image *leaf = c->layers[0].img;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = image_drop_block(leaf, blocks[i]);
	return err;
}

static int
generation(struct chain *c)
{
	AUTO_FREE uint32_t *blocks = NULL;
	size_t n = mutant(MOVED_TAKEN_LATE) ? 0 : moved_take(&blocks, c);
	int err = 0;

	if (is_parent_written(c))
		err = image_publish(c->layers[1].img);
	if (mutant(MOVED_TAKEN_LATE))
		n = moved_take(&blocks, c);
	if (!err && mutant(CLEARS_LEFT))
		err = moved_put_back(c, blocks, n);
	else if (!err)
		err = clear_moved(c, blocks, n);
	if (err) {
		struct error kept;

		error_save(&kept);
		if (moved_put_back(c, blocks, n) != 0)
			c->failed = true;
		return check_failed(c, error_restore(&kept));
	}
	if (mutant(ANSWER_EARLY) && n)
		return 0;
	return check_failed(c, image_publish(c->layers[0].img));
}

void
chain_punch(struct chain *c)
{
	for (uint32_t i = 0; i < c->depth && i < 2; i++)
		image_punch(c->layers[i].img);
}

static int
run_generation(struct chain *c)
{
	int err;

	c->flush_running = true;
	c->flush_started++;
	pthread_mutex_unlock(&c->flush_mutex);
	err = generation(c);
	if (!c->job_punches)
		chain_punch(c);
	pthread_mutex_lock(&c->flush_mutex);
	c->flush_finished = c->flush_started;
	c->flush_running = false;
	pthread_cond_broadcast(&c->flush_done);
	if (err)
		error_save(&c->flush_error);
	else
		c->flush_error.code = 0;
	return err;
}

int
chain_flush(struct chain *c)
{
	uint64_t mine;
	int err = 0;

	if (!c->writable)
		return 0;
	if (c->failed)
		return fail(VHD_E_IO,
			    "%s: an earlier flush failed, and what it was to "
			    "keep may be lost; close the disk and open it "
			    "again",
			    c->name);
	pthread_mutex_lock(&c->flush_mutex);
	mine = c->flush_started + 1;
	if (mutant(RUNNING_JOINED) && c->flush_running)
		mine = c->flush_started;
	c->flush_callers++;
	while (c->flush_finished < mine) {
		if (!c->flush_running) {
			err = run_generation(c);
			break;
		}
		pthread_cond_wait(&c->flush_done, &c->flush_mutex);
		if (c->flush_finished >= mine && c->flush_error.code)
			err = error_restore(&c->flush_error);
	}
	c->flush_callers--;
	pthread_mutex_unlock(&c->flush_mutex);
	return err;
}

bool
chain_is_flushing(struct chain *c)
{
	bool yes;

	pthread_mutex_lock(&c->flush_mutex);
	yes = c->flush_callers > 0;
	pthread_mutex_unlock(&c->flush_mutex);
	return yes;
}

void
chain_hold_flush(struct chain *c)
{
	pthread_mutex_lock(&c->flush_mutex);
	while (c->flush_running)
		pthread_cond_wait(&c->flush_done, &c->flush_mutex);
	c->flush_running = true;
	pthread_mutex_unlock(&c->flush_mutex);
}

void
chain_release_flush(struct chain *c)
{
	pthread_mutex_lock(&c->flush_mutex);
	c->flush_running = false;
	pthread_cond_broadcast(&c->flush_done);
	pthread_mutex_unlock(&c->flush_mutex);
}
