/* SPDX-License-Identifier: BSD-3-Clause */
/* pace.c - how a job gives way to the guests of its disk.
 *
 * A job works piece by piece, of a block or so.  When guests asked for
 * anything while it did a piece, or somebody waits for a flush, it rests as
 * long as the piece took.  So guests that are busy have at least half of the
 * time for themselves and the job has the other half, however fast the disk
 * is; and a job whose guests are idle never rests.
 *
 * This is all the policy there is.  That no guest waits for long is the work
 * of those who hold locks: nothing is held for more than one piece. */
#include "job/pace.h"

/* No piece should take so long; if one does, it is not made up for. */
#define REST_MOST INT64_C(200000000)

void
pace_start(struct pace *p, struct chain *c, int64_t now)
{
	p->c = c;
	p->busy = false;
	pace_resume(p, now);
}

int64_t
pace_rest(struct pace *p, int64_t now)
{
	int64_t worked = now - p->looked;

	if (!p->c)
		return 0;
	p->busy = gate_visits(&p->c->gate) != p->visits ||
		  chain_is_flushing(p->c);
	if (!p->busy)
		return 0;
	return worked < REST_MOST ? worked : REST_MOST;
}

void
pace_resume(struct pace *p, int64_t now)
{
	if (!p->c)
		return;
	p->visits = gate_visits(&p->c->gate);
	p->looked = now;
}
