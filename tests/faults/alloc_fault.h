/* SPDX-License-Identifier: BSD-3-Clause */
/* alloc_fault.h - memory that is refused when told to.
 *
 * A program that is linked with alloc_fault.c, and with the options that
 * tests/faults/CMakeLists.txt gives it, asks here for all of its memory.
 * Requests are counted from 1 since the last alloc_arm, those of all threads
 * together. */
#ifndef VHD_TEST_ALLOC_FAULT_H
#define VHD_TEST_ALLOC_FAULT_H
#include <stdbool.h>
#include <stdint.h>

/* Refuse the request `at`, and with sticky all that follow; 0: none. */
void alloc_arm(uint64_t at, bool sticky);
void alloc_disarm(void);

/* Since the last alloc_arm: was one refused?  How many were made? */
bool alloc_fired(void);
uint64_t alloc_count(void);
#endif
