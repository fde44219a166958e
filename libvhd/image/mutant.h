/* SPDX-License-Identifier: BSD-3-Clause */
/* mutant.h - mistakes that the crash tests must be able to find.
 *
 * Each is one step of the protocol of image_flush.c left out or done too
 * early.  In the library, mutant() is constant false and costs nothing; only
 * tests/crash compiles this floor with VHD_MUTANTS. */
#ifndef VHDI_MUTANT_H
#define VHDI_MUTANT_H

/* X(NAME): what goes wrong, and which rule it breaks. */
#define MUTANTS(X)                                                             \
	X(BITS_WITH_DATA)      /* bits are written before A (D3) */            \
	X(NO_FIRST_SYNC)       /* E2 does not wait for A (D2, D3) */           \
	X(NO_LAST_SYNC)        /* a flush returns before B (D5) */             \
	X(PREPARED_IS_DURABLE) /* a region counts as zeroed at once (D2) */    \
	X(NO_NEW_BITMAP)       /* E1 is left out (D2) */                       \
	X(REUSE_EARLY)         /* a dropped region is free at once (D7) */     \
	X(PUNCH_EARLY)         /* and punched before B (D7) */                 \
	X(GAPS_ARE_CLEAN)  /* what an open finds free counts as zeroed (D6) */ \
	X(GAPS_MISS_FREED) /* a dropped region is found in a gap (D7) */       \
	X(NO_ZEROING)      /* a used region is given out as it is (D6) */      \
	X(DURABLE_SHORTCUT) /* a durable write forgets metadata (D5) */        \
	X(WORK_ON)          /* a failed flush is forgotten (D8) */             \
	X(LATE_BITS)        /* E2 stores bits set after A (D3) */              \
	X(LATE_ENTRY)       /* E2 stores entries changed after A (D2) */       \
	X(LATE_CLEAN)       /* writes during a flush count as flushed (D5) */  \
	X(MOVE_WITHOUT_BITMAP) /* a moved block's bitmap stays behind (D2) */  \
	X(HEADER_EARLY)        /* a header change has no flushes (D1) */       \
	X(HEADER_IN_PLACE)     /* a header is rewritten in use (D1) */         \
	X(TABLE_TOO_SOON) /* a table grows over blocks in use on disk (D7) */

#ifdef VHD_MUTANTS
#define X(name) MUTANT_##name,
enum mutant { MUTANT_NONE, MUTANTS(X) MUTANT_COUNT };
#undef X
extern enum mutant image_mutant;
extern const char *const mutant_names[];
#define mutant(name) (image_mutant == MUTANT_##name)
#else
#define mutant(name) 0
#endif
#endif
