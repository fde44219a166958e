/* SPDX-License-Identifier: BSD-3-Clause */
/* locks.h - put in front of every file of the library that the tests of this
 * folder compile: its locks, its clock and its random numbers are ours.
 *
 * A lock of ours lives in the memory of the one it stands for, all of which is
 * zero at first. */
#ifndef VHD_SCHED_LOCKS_H
#define VHD_SCHED_LOCKS_H
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdint.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

int co_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attr);
int co_mutex_destroy(pthread_mutex_t *m);
int co_mutex_lock(pthread_mutex_t *m);
int co_mutex_trylock(pthread_mutex_t *m);
int co_mutex_unlock(pthread_mutex_t *m);
int co_cond_init(pthread_cond_t *c, const pthread_condattr_t *attr);
int co_cond_destroy(pthread_cond_t *c);
int co_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int co_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m,
		      const struct timespec *until);
int co_cond_signal(pthread_cond_t *c);
int co_cond_broadcast(pthread_cond_t *c);
int co_rwlock_init(pthread_rwlock_t *l, const pthread_rwlockattr_t *attr);
int co_rwlock_destroy(pthread_rwlock_t *l);
int co_rwlock_rdlock(pthread_rwlock_t *l);
int co_rwlock_tryrdlock(pthread_rwlock_t *l);
int co_rwlock_wrlock(pthread_rwlock_t *l);
int co_rwlock_trywrlock(pthread_rwlock_t *l);
int co_rwlock_unlock(pthread_rwlock_t *l);
int co_clock_gettime(clockid_t clock, struct timespec *ret);
int co_clock_nanosleep(clockid_t clock, int flags, const struct timespec *t,
		       struct timespec *rest);
time_t co_time(time_t *ret);
void co_uuid_make(uint8_t ret[static 16]);

/* The clock and the random numbers start again from here. */
void co_start_clock(uint64_t seed);

#ifdef VHD_SCHED_LIBRARY
#define pthread_mutex_init       co_mutex_init
#define pthread_mutex_destroy    co_mutex_destroy
#define pthread_mutex_lock       co_mutex_lock
#define pthread_mutex_trylock    co_mutex_trylock
#define pthread_mutex_unlock     co_mutex_unlock
#define pthread_cond_init        co_cond_init
#define pthread_cond_destroy     co_cond_destroy
#define pthread_cond_wait        co_cond_wait
#define pthread_cond_timedwait   co_cond_timedwait
#define pthread_cond_signal      co_cond_signal
#define pthread_cond_broadcast   co_cond_broadcast
#define pthread_rwlock_init      co_rwlock_init
#define pthread_rwlock_destroy   co_rwlock_destroy
#define pthread_rwlock_rdlock    co_rwlock_rdlock
#define pthread_rwlock_tryrdlock co_rwlock_tryrdlock
#define pthread_rwlock_wrlock    co_rwlock_wrlock
#define pthread_rwlock_trywrlock co_rwlock_trywrlock
#define pthread_rwlock_unlock    co_rwlock_unlock
#define clock_gettime            co_clock_gettime
#define clock_nanosleep          co_clock_nanosleep
#define time(ret)                co_time(ret)
#define uuid_make                co_uuid_make
/* What is not ours would take ours for its own. */
#pragma GCC poison pthread_create pthread_join pthread_spin_lock
#pragma GCC poison pthread_mutex_timedlock pthread_mutex_clocklock
#pragma GCC poison pthread_rwlock_timedrdlock pthread_rwlock_timedwrlock
#pragma GCC poison pthread_cond_clockwait pthread_barrier_wait sem_wait
#pragma GCC poison nanosleep usleep sched_yield mtx_lock cnd_wait
#endif
#endif
