/* SPDX-License-Identifier: BSD-3-Clause */
/* gate.c - striped reader-writer locks. */
#include <stdbool.h>

#include "chain/gate.h"

void
gate_init(struct gate *gate)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
#ifdef __GLIBC__
	/* Or guests that read without a pause would keep a job out. */
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	for (int i = 0; i < GATE_STRIPES; i++) {
		pthread_rwlock_init(&gate->stripe[i].writers, &attr);
		pthread_rwlock_init(&gate->stripe[i].lock, &attr);
		atomic_init(&gate->stripe[i].visits, 0);
	}
	pthread_rwlockattr_destroy(&attr);
}

void
gate_free(struct gate *gate)
{
	for (int i = 0; i < GATE_STRIPES; i++) {
		pthread_rwlock_destroy(&gate->stripe[i].lock);
		pthread_rwlock_destroy(&gate->stripe[i].writers);
	}
}

void
gate_visit(struct gate *gate, uint64_t window)
{
	atomic_fetch_add_explicit(&gate->stripe[window % GATE_STRIPES].visits,
				  1, memory_order_relaxed);
}

uint64_t
gate_visits(struct gate *gate)
{
	uint64_t n = 0;

	for (int i = 0; i < GATE_STRIPES; i++)
		n += atomic_load_explicit(&gate->stripe[i].visits,
					  memory_order_relaxed);
	return n;
}

void
gate_share(struct gate *gate, uint64_t window)
{
	gate_visit(gate, window);
	pthread_rwlock_rdlock(&gate->stripe[window % GATE_STRIPES].lock);
}

void
gate_unshare(struct gate *gate, uint64_t window)
{
	pthread_rwlock_unlock(&gate->stripe[window % GATE_STRIPES].lock);
}

void
gate_share_write(struct gate *gate, uint64_t window)
{
	pthread_rwlock_rdlock(&gate->stripe[window % GATE_STRIPES].writers);
	gate_share(gate, window);
}

void
gate_unshare_write(struct gate *gate, uint64_t window)
{
	gate_unshare(gate, window);
	pthread_rwlock_unlock(&gate->stripe[window % GATE_STRIPES].writers);
}

/* Is a stripe used by the windows from first on? */
static bool
touches(uint64_t stripe, uint64_t first, uint64_t count)
{
	uint64_t from = first % GATE_STRIPES;

	return count >= GATE_STRIPES ||
	       (stripe + GATE_STRIPES - from) % GATE_STRIPES < count;
}

static uint64_t
windows_of(uint64_t offset, uint64_t len)
{
	return ((offset + len - 1) >> WINDOW_SHIFT) - (offset >> WINDOW_SHIFT) +
	       1;
}

typedef int (*lock_fn)(pthread_rwlock_t *);

/* For every stripe that a range touches, in one order. */
static void
each_stripe(struct gate *gate, uint64_t offset, uint64_t len, bool writers,
	    lock_fn change)
{
	uint64_t first = offset >> WINDOW_SHIFT, n = windows_of(offset, len);

	for (uint64_t i = 0; i < GATE_STRIPES; i++)
		if (touches(i, first, n))
			(void)change(writers ? &gate->stripe[i].writers
					     : &gate->stripe[i].lock);
}

void
gate_bar(struct gate *gate, uint64_t offset, uint64_t len)
{
	each_stripe(gate, offset, len, true, pthread_rwlock_wrlock);
}

void
gate_unbar(struct gate *gate, uint64_t offset, uint64_t len)
{
	each_stripe(gate, offset, len, true, pthread_rwlock_unlock);
}

void
gate_close_barred(struct gate *gate, uint64_t offset, uint64_t len)
{
	each_stripe(gate, offset, len, false, pthread_rwlock_wrlock);
}

void
gate_open_barred(struct gate *gate, uint64_t offset, uint64_t len)
{
	each_stripe(gate, offset, len, false, pthread_rwlock_unlock);
}

void
gate_close(struct gate *gate, uint64_t offset, uint64_t len)
{
	gate_bar(gate, offset, len);
	gate_close_barred(gate, offset, len);
}

void
gate_open(struct gate *gate, uint64_t offset, uint64_t len)
{
	gate_open_barred(gate, offset, len);
	gate_unbar(gate, offset, len);
}

void
gate_close_all(struct gate *gate)
{
	gate_close(gate, 0, WINDOW_SIZE * GATE_STRIPES);
}

void
gate_open_all(struct gate *gate)
{
	gate_open(gate, 0, WINDOW_SIZE * GATE_STRIPES);
}
