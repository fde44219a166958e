/* SPDX-License-Identifier: BSD-3-Clause */
/* alloc_fault.c - see alloc_fault.h; the linker turns calls of X into calls of
 * __wrap_X, and __real_X is the function itself. */
#include "alloc_fault.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
int __real_vasprintf(char **ret, const char *fmt, va_list args);
char *__real_realpath(const char *path, char *room);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_vasprintf(char **ret, const char *fmt, va_list args);
int __wrap_asprintf(char **ret, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *__wrap_realpath(const char *path, char *room);
/* NOLINTEND(bugprone-reserved-identifier) */

static _Atomic bool armed, sticky_fault, fired;
static _Atomic uint64_t fault_at, count;

void
alloc_arm(uint64_t at, bool sticky)
{
	fault_at = at;
	sticky_fault = sticky;
	fired = false;
	count = 0;
	armed = true;
}

void
alloc_disarm(void)
{
	armed = false;
}

bool
alloc_fired(void)
{
	return fired;
}

uint64_t
alloc_count(void)
{
	return count;
}

static bool
refused(void)
{
	uint64_t n;

	if (!armed)
		return false;
	n = atomic_fetch_add(&count, 1) + 1;
	if (!fault_at || n < fault_at || (n > fault_at && !sticky_fault))
		return false;
	fired = true;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return refused() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return refused() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return refused() ? NULL : __real_realloc(old, size);
}

char *
__wrap_strdup(const char *text)
{
	return refused() ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t n)
{
	return refused() ? NULL : __real_strndup(text, n);
}

int
__wrap_vasprintf(char **ret, const char *fmt, va_list args)
{
	return refused() ? -1 : __real_vasprintf(ret, fmt, args);
}

int
__wrap_asprintf(char **ret, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = __wrap_vasprintf(ret, fmt, args);
	va_end(args);
	return n;
}

char *
__wrap_realpath(const char *path, char *room)
{
	return refused() ? NULL : __real_realpath(path, room);
}
