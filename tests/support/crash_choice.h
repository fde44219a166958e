/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_choice.h - one of the states that a power cut may leave.
 *
 * A state is a choice: for each file one of its sizes, for each sector one of
 * the versions that go with that size, and which changes of names have
 * happened.  The base of a sector, option 0, is what is durable. */
#ifndef VHD_TEST_CRASH_CHOICE_H
#define VHD_TEST_CRASH_CHOICE_H
#include "crash_log.h"

/* A sector that may have another content than the durable one. */
struct crash_unit {
	const struct crash_sector *sector;
	uint32_t file;   /* index */
	uint32_t picked; /* 0: durable; n: options[n - 1] */
	uint32_t n;
	uint64_t base; /* hash of the durable content, with the size chosen */
	const struct crash_version **options; /* with the size chosen */
};

struct crash_choice {
	const struct crash_log *log;
	struct crash_file **files;
	uint32_t *sizes; /* chosen, for each file */
	/* Of each file, with the size chosen and every sector at its base. */
	struct crash_base {
		uint64_t hash;
		uint32_t size; /* for which that is so, and + 1 */
	} * bases;
	struct crash_unit *units;
	size_t nfiles, nunits;
	uint64_t names; /* chosen: a bit for each change that happened */
	const struct crash_version **pool; /* all options */
	struct crash_name *name_room;
};

/* Of everything pending in log, which must not change meanwhile. */
void crash_choice_init(struct crash_choice *choice,
		       const struct crash_log *log);
void crash_choice_free(struct crash_choice *choice);

/* The changes of names up to the n-th, and did the i-th happen?  Those after
 * the 63rd happen together. */
#define CRASH_NAMES_MOST 63u
static inline uint64_t
crash_names_until(size_t n)
{
	return (UINT64_C(1) << (n < CRASH_NAMES_MOST ? n : CRASH_NAMES_MOST)) -
	       1;
}

static inline bool
crash_name_happened(const struct crash_choice *choice, size_t i)
{
	return choice->names >>
		       (i < CRASH_NAMES_MOST ? i : CRASH_NAMES_MOST - 1) &
	       1;
}

/* To be called when sizes were chosen: which versions go with them?  Past the
 * end of a file, none.  Every sector is at its base then. */
void crash_choice_sizes(struct crash_choice *choice);

/* A number that tells this state from others. */
uint64_t crash_choice_hash(struct crash_choice *choice);

/* Put the files of this state into an empty memory file system. */
void crash_choice_build(struct fs *fs, const struct crash_choice *choice);
#endif
