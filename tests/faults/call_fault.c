/* SPDX-License-Identifier: BSD-3-Clause */
/* call_fault.c - see call_fault.h. */
#include "call_fault.h"

#include <errno.h>
#include <stdatomic.h>

static struct call_fault fault;
static _Atomic bool armed, fired;
static _Atomic uint64_t count;
static const char *_Atomic hit = "";

void
call_arm(const struct call_fault *f)
{
	fault = *f;
	fired = false;
	hit = "";
	count = 0;
	armed = true;
}

void
call_disarm(void)
{
	armed = false;
}

bool
call_fired(void)
{
	return fired;
}

const char *
call_hit(void)
{
	return hit;
}

static bool
is_due(enum call_kind kind, const char *name)
{
	uint64_t n;

	if (!armed || !(fault.kinds & kind))
		return false;
	n = atomic_fetch_add(&count, 1) + 1;
	if (!fault.at || n < fault.at || (n > fault.at && !fault.sticky))
		return false;
	if (!atomic_exchange(&fired, true))
		hit = name;
	return true;
}

bool
call_fails(enum call_kind kind, const char *name)
{
	if (!is_due(kind, name))
		return false;
	errno = fault.sys;
	return true;
}

bool
transfer_fails(enum call_kind kind, const char *name, size_t *len)
{
	if (!is_due(kind, name))
		return false;
	if (fault.sys != CALL_BRIEF) {
		errno = fault.sys;
		return true;
	}
	*len = (*len + 1) / 2;
	return false;
}
