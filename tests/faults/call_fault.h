/* SPDX-License-Identifier: BSD-3-Clause */
/* call_fault.h - functions of the C library that fail when told to.
 *
 * A program that is linked with call_fault.c and alloc_calls.c asks here for
 * all of its memory, and with sys_calls.c for the system as well;
 * tests/faults/CMakeLists.txt has the options for the linker.  Calls are
 * counted from 1 since the last call_arm, those of all threads together. */
#ifndef VHD_TEST_CALL_FAULT_H
#define VHD_TEST_CALL_FAULT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum call_kind {
	CALL_MEMORY = 1 << 0, /* and threads and streams, which need some */
	CALL_READ = 1 << 1,
	CALL_WRITE = 1 << 2,
	CALL_FLUSH = 1 << 3,
	CALL_SPACE = 1 << 4, /* truncate, fallocate */
	CALL_OPEN = 1 << 5,  /* whatever makes a descriptor */
	CALL_LOOK = 1 << 6,  /* stat, seek, list */
	CALL_NAMES = 1 << 7,
};

#define CALL_BRIEF (-1) /* half of a transfer is done */

struct call_fault {
	uint64_t at;    /* 0: none */
	unsigned kinds; /* enum call_kind, what is counted */
	int sys;        /* the errno, or CALL_BRIEF */
	bool sticky;    /* every later one of these kinds fails too */
};

void call_arm(const struct call_fault *fault);
void call_disarm(void);

/* Since the last call_arm: has one failed, and which was the first? */
bool call_fired(void);
const char *call_hit(void);

/* Blocks of memory that were given out and not given back. */
int64_t alloc_live(void);

/* For the wrappers: does this call fail?  errno is set then. */
bool call_fails(enum call_kind kind, const char *name);

/* The same of a transfer; less of *len is asked for when it is to be brief. */
bool transfer_fails(enum call_kind kind, const char *name, size_t *len);
#endif
