/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * memory.h - memory that is there, or the program ends; and its release.
 */
#ifndef VHDTOOL_MEMORY_H
#define VHDTOOL_MEMORY_H

/* allocated, unless that is NULL: then a message and the end. */
void *must(void *allocated);

/* AUTO_FREE char *text = ...: freed at the end of its scope. */
#define AUTO_FREE __attribute__((cleanup(memory_free)))
void memory_free(void *variable);
#endif
