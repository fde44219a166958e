/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.c - memory that is there, or the program ends.
 */
#include "memory.h"

#include "exit.h"
#include "say.h"

#include <stdlib.h>

void *
must(void *allocated)
{
	if (allocated)
		return allocated;
	say("out of memory");
	exit(EXIT_FAILED);
}

void
memory_free(void *variable)
{
	free(*(void **)variable);
}
