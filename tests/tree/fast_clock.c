/* SPDX-License-Identifier: BSD-3-Clause */
/* fast_clock.c - a clock by which every look at it is a second later than the
 * one before, so that jobs report each of their steps. */
#include <stdatomic.h>
#include <time.h>

int
clock_gettime(clockid_t id, struct timespec *ret)
{
	static _Atomic long now = 1000000;

	(void)id;
	*ret = (struct timespec){.tv_sec = (time_t)atomic_fetch_add(&now, 1)};
	return 0;
}
