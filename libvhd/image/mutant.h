/* SPDX-License-Identifier: BSD-3-Clause */
/* mutant.h - mistakes that the crash tests must be able to find.
 *
 * Each is one step of a protocol left out or done too early: of the work on
 * one image, or of that on several, which floors above do.  In the library,
 * mutant() is constant false and costs nothing; only tests/crash and
 * tests/sched compile the floors with VHD_MUTANTS. */
#ifndef VHDI_MUTANT_H
#define VHDI_MUTANT_H

/* X(NAME): what goes wrong, and which rule it breaks. */
#define IMAGE_MUTANTS(X)                                                       \
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

#define TREE_MUTANTS(X)                                                        \
	X(ROOM_NOT_OPENED)  /* a fixed disk grows over its old footer */       \
	X(FILE_NOT_FLUSHED) /* a new file gets its name before its content */  \
	X(NEW_NAME_NOT_SYNCED) /* a new disk is told of too early */           \
	X(LINK_EARLY)          /* a link changes before the copies (P20) */    \
	X(LINK_SEEN_EARLY)     /* a link is seen before it is durable (D9) */  \
	X(OPEN_UNFLUSHED)      /* opening believes the page cache (P14) */     \
	X(NAMES_UNSYNCED)      /* and the names it shows (P14) */              \
	X(CLEAR_EARLY)         /* blocks are cleared before P6 allows it */    \
	X(ANSWER_EARLY)        /* a flush returns before the clearing (P8) */  \
	X(DROP_EARLY)        /* a frozen layer is cleared early (P16, P17) */  \
	X(HIDE_NOT_SYNCED)   /* blocks move while the old name may be back */  \
	X(SKIP_EARLY)        /* a layer goes before its child left it (P21) */ \
	X(FINISH_EARLY)      /* a path changes before its children know */     \
	X(FINISH_NOT_SYNCED) /* a merge returns before its last rename */      \
	X(SECOND_NAME_NOT_SYNCED) /* a disk's path is lost to its child */     \
	X(SNAPSHOT_NOT_SYNCED) /* it returns before the rename is durable */   \
	X(KEPT_NOT_SYNCED)     /* a revert forgets what it was to keep */      \
	X(RENAME_UNMARKED)     /* nothing tells which of two names stays */    \
	X(DELETE_NOT_SYNCED)   /* a file that was deleted comes back */        \
	X(NOTHING_SETTLED)     /* left-overs are left alone */

#define REPAIR_MUTANTS(X)                                                      \
	X(UNDO_NOT_FLUSHED)     /* old bytes are lost before they are kept */  \
	X(UNDO_NAME_NOT_SYNCED) /* or are kept in a file without a name */

/* Guests beside jobs: found by tests/sched. */
#define LIVE_MUTANTS(X)                                                        \
	X(GATE_LEFT_EARLY)    /* a guest writes after it left the gate (P1) */ \
	X(COPY_UNGATED)       /* a block is copied beside its writers (P1) */  \
	X(MOVED_HALF)         /* a copy that failed counts (P2, P26) */        \
	X(LEAF_GROWS_BACK)    /* the leaf gets blocks behind a push (P3) */    \
	X(NEIGHBOURS_CLAIMED) /* more than the moved block goes below (P3) */  \
	X(MOVED_TAKEN_LATE)   /* moved during the parent's flush: too new (P4) \
			       */                                              \
	X(RUNNING_JOINED)     /* a flush is answered by an older one (P4) */   \
	X(MOVE_CLEARS)        /* moving changes what the leaf stores (P7) */   \
	X(CLEARS_LEFT)        /* a flush leaves the clearing to others (P8) */ \
	X(MOVED_SHORTCUT)     /* a durable write to a moved block (P11) */     \
	X(MOVED_TRIM_UNCOVERS) /* a trim drops what hides something (P12) */   \
	X(REDIRECT_DROPPED)    /* at once when a push is stopped (P15) */      \
	X(IN_HAND_FORGOTTEN)   /* while a flush has blocks in hand (P15) */    \
	X(PARENT_FORGOTTEN)    /* in flushes after that (P15) */               \
	X(READERS_STAY)        /* in a block while it is dropped (P18) */      \
	X(PULL_UNGATED)        /* "lacks it", and the copy after that (P19) */ \
	X(PULL_TRIM_UNCOVERS)  /* a trim is that of a root (P22) */            \
	X(SNAPSHOT_IN_PUSH)    /* is taken all the same (P27) */               \
	X(SNAPSHOT_UNFLUSHED)  /* of what came after the last flush (P27) */

#define MUTANTS(X)                                                             \
	IMAGE_MUTANTS(X) TREE_MUTANTS(X) REPAIR_MUTANTS(X) LIVE_MUTANTS(X)
#define MUTANT_FIRST_OF_TREE   MUTANT_ROOM_NOT_OPENED
#define MUTANT_FIRST_OF_REPAIR MUTANT_UNDO_NOT_FLUSHED
#define MUTANT_FIRST_OF_LIVE   MUTANT_GATE_LEFT_EARLY

#ifdef VHD_MUTANTS
#define X(name) MUTANT_##name,
enum mutant { MUTANT_NONE, MUTANTS(X) MUTANT_COUNT };
#undef X
extern enum mutant present_mutant;
extern const char *const mutant_names[];
#define mutant(name) (present_mutant == MUTANT_##name)
#else
#define mutant(name) 0
#endif
#endif
