/* SPDX-License-Identifier: BSD-3-Clause */
/* alloc_calls.c - memory; the linker turns calls of X into calls of __wrap_X,
 * and __real_X is the function itself. */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "call_fault.h"

/* NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
int __real_vasprintf(char **ret, const char *fmt, va_list args);
char *__real_realpath(const char *path, char *room);
void __real_free(void *memory);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_vasprintf(char **ret, const char *fmt, va_list args);
int __wrap_asprintf(char **ret, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *__wrap_realpath(const char *path, char *room);
void __wrap_free(void *memory);
/* NOLINTEND(bugprone-reserved-identifier) */

static _Atomic int64_t live;

int64_t
alloc_live(void)
{
	return live;
}

static bool
refused(const char *name)
{
	return call_fails(CALL_MEMORY, name);
}

static void *
counted(void *memory)
{
	if (memory)
		atomic_fetch_add(&live, 1);
	return memory;
}

void *
__wrap_malloc(size_t size)
{
	return refused("malloc") ? NULL : counted(__real_malloc(size));
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return refused("calloc") ? NULL : counted(__real_calloc(n, size));
}

void *
__wrap_realloc(void *old, size_t size)
{
	bool first = !old;
	void *memory = refused("realloc") ? NULL : __real_realloc(old, size);

	return first ? counted(memory) : memory;
}

char *
__wrap_strdup(const char *text)
{
	return refused("strdup") ? NULL : counted(__real_strdup(text));
}

char *
__wrap_strndup(const char *text, size_t n)
{
	return refused("strndup") ? NULL : counted(__real_strndup(text, n));
}

int
__wrap_vasprintf(char **ret, const char *fmt, va_list args)
{
	int n = refused("asprintf") ? -1 : __real_vasprintf(ret, fmt, args);

	if (n >= 0)
		(void)counted(*ret);
	return n;
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
	char *found = refused("realpath") ? NULL : __real_realpath(path, room);

	return room ? found : counted(found);
}

void
__wrap_free(void *memory)
{
	if (memory)
		atomic_fetch_sub(&live, 1);
	__real_free(memory);
}
