/* SPDX-License-Identifier: BSD-3-Clause */
/* merge_others.c - merges of a chain that were interrupted.
 *
 * They are finished before another one begins, so that what stands on a hidden
 * file is always what is merged into it. */
#include "job/jobs.h"
#include "job/merge.h"

/* The next run of hidden layers, from `from` down: what stands on it is being
 * merged into the lowest. */
static bool
next_run(struct merge *ret, const struct chain *c, uint32_t from)
{
	uint32_t i = from;

	while (i < c->depth && !c->layers[i].renamed)
		i++;
	if (i >= c->depth)
		return false;
	ret->layer = i - 1;
	while (i + 1 < c->depth && c->layers[i + 1].renamed)
		i++;
	ret->into = i;
	return true;
}

/* Is the asked one the same, or does it leave nothing of the other? */
static bool
includes(struct merge *asked, const struct merge *other)
{
	if (other->layer == asked->layer && other->into > asked->into)
		asked->into = other->into;
	return (other->layer >= asked->layer && other->into <= asked->into) ||
	       (other->layer < asked->layer && other->into >= asked->layer);
}

/* Where the layers of the asked one are when the other is done. */
static void
shift(struct merge *asked, const struct merge *other)
{
	uint32_t gone = other->into - other->layer;

	if (other->layer < asked->layer) {
		asked->layer -= gone;
		asked->into -= gone;
	} else if (other->layer < asked->into) {
		asked->into = other->layer;
	}
}

static int
finish_one(const struct merge *other)
{
	struct merge m = *other;
	int err = job_phase(m.job, "finish", 0);

	if (!err)
		err = merge_carry_out(&m);
	merge_free(&m);
	return err;
}

int
merge_finish_others(size_t *ret_n, struct merge *asked)
{
	struct merge other = {.c = asked->c,
			      .job = asked->job,
			      .search = asked->search,
			      .nsearch = asked->nsearch};
	uint32_t from = 1;
	int err = merge_take_places(ret_n, asked);

	while (!err && next_run(&other, asked->c, from)) {
		from = other.into + 1;
		if (includes(asked, &other))
			continue;
		from = other.layer + 1;
		shift(asked, &other);
		err = finish_one(&other);
		++*ret_n;
	}
	return err;
}

bool
job_has_unfinished(const struct chain *c)
{
	struct merge run;

	return next_run(&run, c, 1);
}

int
job_finish_merges(size_t *ret_n, struct chain *c,
		  const struct vhd_merge_opts *opts)
{
	struct job job;
	struct merge none = {.c = c,
			     .job = &job,
			     .layer = c->depth,
			     .into = c->depth,
			     .search = opts->search,
			     .nsearch = opts->search ? opts->nsearch : 0};
	int err;

	job_start(&job, opts->job);
	job_beside_guests(&job, c);
	err = merge_finish_others(ret_n, &none);
	job_end_beside(&job);
	return err;
}
