/* SPDX-License-Identifier: BSD-3-Clause */
/* locks.c - the locks of the library, for threads that take turns. */
#include "locks.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "co.h"

#define NS_PER_SECOND INT64_C(1000000000)

static const char outside; /* holds what is taken outside of a run */

static const void *
self(void)
{
	const struct co *co = co_self();

	return co ? (const void *)co : &outside;
}

static void
wrong(const char *what)
{
	(void)fprintf(stderr, "misuse of a lock: %s\n", what);
	abort();
}

/* ---- Mutexes ---- */

struct mutex {
	const void *owner;
};
_Static_assert(sizeof(struct mutex) <= sizeof(pthread_mutex_t), "fits");

static struct mutex *
mutex_of(pthread_mutex_t *m)
{
	return (struct mutex *)(void *)m;
}

int
co_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr)
{
	(void)attr;
	memset(m, 0, sizeof(*m));
	return 0;
}

int
co_mutex_destroy(pthread_mutex_t *m)
{
	if (mutex_of(m)->owner)
		wrong("destroyed while it is held");
	return 0;
}

int
co_mutex_lock(pthread_mutex_t *m)
{
	struct mutex *mutex = mutex_of(m);

	co_point("locks mutex", m);
	if (mutex->owner == self())
		wrong("locked twice");
	while (mutex->owner)
		(void)co_wait("locks mutex", m, false);
	mutex->owner = self();
	return 0;
}

int
co_mutex_trylock(pthread_mutex_t *m)
{
	struct mutex *mutex = mutex_of(m);

	co_point("tries mutex", m);
	if (mutex->owner)
		return EBUSY;
	mutex->owner = self();
	return 0;
}

int
co_mutex_unlock(pthread_mutex_t *m)
{
	struct mutex *mutex = mutex_of(m);

	if (mutex->owner != self())
		wrong("unlocked by another");
	mutex->owner = NULL;
	co_wake_all(m);
	co_point("unlocked mutex", m);
	return 0;
}

/* ---- Conditions ---- */

int
co_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr)
{
	(void)attr;
	memset(c, 0, sizeof(*c));
	return 0;
}

int
co_cond_destroy(pthread_cond_t *c)
{
	(void)c;
	return 0;
}

/* Who waits may also be woken without a reason. */
int
co_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
	struct mutex *mutex = mutex_of(m);

	if (mutex->owner != self())
		wrong("waits without its mutex");
	mutex->owner = NULL;
	co_wake_all(m);
	if (co_draw(16))
		co_yield ();
	else
		(void)co_wait("waits for condition", c, false);
	return co_mutex_lock(m);
}

int
co_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
		  const struct timespec *until)
{
	struct mutex *mutex = mutex_of(m);
	bool woken;

	(void)until;
	if (mutex->owner != self())
		wrong("waits without its mutex");
	mutex->owner = NULL;
	co_wake_all(m);
	woken = co_wait("waits for condition or time", c, true);
	(void)co_mutex_lock(m);
	return woken ? 0 : ETIMEDOUT;
}

int
co_cond_signal(pthread_cond_t *c)
{
	co_wake_one(c);
	co_point("signalled", c);
	return 0;
}

int
co_cond_broadcast(pthread_cond_t *c)
{
	co_wake_all(c);
	co_point("woke all", c);
	return 0;
}

/* ---- Locks for readers and writers ---- */

struct rwlock {
	const void *writer;
	uint32_t readers, waiting; /* writers that wait keep readers out */
};
_Static_assert(sizeof(struct rwlock) <= sizeof(pthread_rwlock_t), "fits");

static struct rwlock *
rwlock_of(pthread_rwlock_t *l)
{
	return (struct rwlock *)(void *)l;
}

int
co_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr)
{
	(void)attr;
	memset(l, 0, sizeof(*l));
	return 0;
}

int
co_rwlock_destroy(pthread_rwlock_t *l)
{
	if (rwlock_of(l)->writer || rwlock_of(l)->readers)
		wrong("destroyed while it is held");
	return 0;
}

int
co_rwlock_rdlock(pthread_rwlock_t *l)
{
	struct rwlock *lock = rwlock_of(l);

	co_point("locks shared", l);
	if (lock->writer == self())
		wrong("locked shared by its writer");
	while (lock->writer || lock->waiting)
		(void)co_wait("locks shared", l, false);
	lock->readers++;
	return 0;
}

int
co_rwlock_tryrdlock(pthread_rwlock_t *l)
{
	struct rwlock *lock = rwlock_of(l);

	co_point("tries shared", l);
	if (lock->writer || lock->waiting)
		return EBUSY;
	lock->readers++;
	return 0;
}

int
co_rwlock_wrlock(pthread_rwlock_t *l)
{
	struct rwlock *lock = rwlock_of(l);

	co_point("locks alone", l);
	if (lock->writer == self())
		wrong("locked twice");
	lock->waiting++;
	while (lock->writer || lock->readers)
		(void)co_wait("locks alone", l, false);
	lock->waiting--;
	lock->writer = self();
	return 0;
}

int
co_rwlock_trywrlock(pthread_rwlock_t *l)
{
	struct rwlock *lock = rwlock_of(l);

	co_point("tries alone", l);
	if (lock->writer || lock->readers)
		return EBUSY;
	lock->writer = self();
	return 0;
}

int
co_rwlock_unlock(pthread_rwlock_t *l)
{
	struct rwlock *lock = rwlock_of(l);

	if (lock->writer ? lock->writer != self() : !lock->readers)
		wrong("unlocked by another");
	if (lock->writer)
		lock->writer = NULL;
	else
		lock->readers--;
	co_wake_all(l);
	co_point("unlocked", l);
	return 0;
}

/* ---- The clock, and random numbers ---- */

static int64_t ns;
static struct rng uuids;

void
co_start_clock(uint64_t seed)
{
	ns = INT64_C(1700000000) * NS_PER_SECOND;
	rng_seed(&uuids, seed);
}

/* So much later at every look that a job always has something to report. */
int
co_clock_gettime(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	ns += NS_PER_SECOND / 5;
	*ret = (struct timespec){.tv_sec = (time_t)(ns / NS_PER_SECOND),
				 .tv_nsec = (long)(ns % NS_PER_SECOND)};
	return 0;
}

int
co_clock_nanosleep(clockid_t clock, int flags, const struct timespec *t,
		   struct timespec *rest)
{
	(void)clock;
	(void)flags;
	(void)t;
	(void)rest;
	co_yield ();
	return 0;
}

time_t
co_time(time_t *ret)
{
	struct timespec t;

	(void)co_clock_gettime(CLOCK_REALTIME, &t);
	if (ret)
		*ret = t.tv_sec;
	return t.tv_sec;
}

void
co_uuid_make(uint8_t ret[static 16])
{
	for (int i = 0; i < 16; i++)
		ret[i] = (uint8_t)rng_below(&uuids, 256);
}
