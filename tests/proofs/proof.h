/* SPDX-License-Identifier: BSD-3-Clause */
/* proof.h - what the proofs share.  They are read by CBMC, which follows every
 * value that an object without one may have, and never run. */
#ifndef VHD_PROOF_H
#define VHD_PROOF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void __CPROVER_assume(_Bool condition);
void __CPROVER_assert(_Bool claim, const char *text);

#define GIVEN(condition) __CPROVER_assume(condition)
#define CLAIM(claim)     __CPROVER_assert(claim, #claim)
#endif
