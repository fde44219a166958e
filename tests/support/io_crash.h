/* SPDX-License-Identifier: BSD-3-Clause */
/* io_crash.h - a file system in memory that knows what a power cut may leave.
 *
 * The model (docs/durability.md).  Sectors of 512 bytes are written whole or
 * not at all.  Until a flush of their file,
 *  - any subset of the sectors written may have reached the disk, each in any
 *    of the versions it had;
 *  - the size of a file may be any that it had; what lies beyond an older one
 *    is gone, what was cut off by a shrink is gone once that shrink is;
 *  - of the changes of names, any number from the first on may have happened,
 *    as on file systems with a journal, or any of them at all (loose_names);
 *    sync_dir makes them durable up to the last one in its directory;
 *  - neither waits for the other: a name may lead to a file without content.
 * A flush covers what completed before it was called; it does not make a name
 * durable. */
#ifndef VHD_TEST_IO_CRASH_H
#define VHD_TEST_IO_CRASH_H
#include "io/io.h"
#include "io/io_mem.h"

#include "crash_seen.h"

/* An empty file system, or one in which all files of a memory file system are
 * durable; that one is not taken over, and may be freed. */
int crash_fs_new(struct fs **ret) MUST_CHECK;
int crash_fs_from(struct fs **ret, const struct fs *memory) MUST_CHECK;

/* Every store must be closed.  Accepts NULL. */
void crash_fs_free(struct fs *fs);
DEFINE_CLEANUP(struct fs, crash_fs_free);

/* Called when a flush, a durable write or sync_dir is about to take effect and
 * something is pending: the moments at which most states are possible.  It
 * may call crash_each_state, and change files, which that flush does not
 * cover.  NULL: no more. */
typedef void (*crash_hook)(struct fs *fs, void *user);
void crash_set_hook(struct fs *fs, crash_hook hook, void *user);

/* How many states to look at. */
struct crash_limits {
	uint64_t exhaustive; /* all of them, if there are at most so many */
	uint64_t sampled;    /* about so many, if there are more: all prefixes
			      * in time, all but one, only one, pairs, random */
	uint64_t seed;
	bool loose_names; /* changes of names keep no order */
	/* Pass over states that are in here, and add the others; those of
	 * another salt are others. */
	struct crash_seen *seen;
	uint64_t salt;
};

struct crash_state {
	struct fs *fs; /* a memory file system, gone after the call */
	const struct crash_choice *choice; /* for crash_state_text */
};

/* A result other than 0 ends the walk and is returned. */
typedef int (*crash_state_fn)(const struct crash_state *state, void *user);

/* Everything that a power cut now may leave.  *ret_count is added to.  The
 * file system holds its breath meanwhile: fn must not use it. */
int crash_each_state(uint64_t *ret_count, struct fs *fs,
		     const struct crash_limits *limits, crash_state_fn fn,
		     void *user);

/* What this state has of what was pending, in lines for a person. */
void crash_state_text(char *ret, size_t ret_size,
		      const struct crash_state *state);

/* The next flush of a file fails, but for seed 0.  Of what it was to keep, some
 * is durable and the rest is lost, though it can still be read: no later flush
 * keeps it. */
void crash_fail_flush(struct fs *fs, uint64_t seed);
bool crash_flush_failed(const struct fs *fs); /* has it? */

/* The files as a running system sees them: a memory file system. */
struct fs *crash_live(const struct fs *fs);

/* Flushes, durable writes and sync_dirs so far. */
uint64_t crash_flushes(const struct fs *fs);
#endif
