/* SPDX-License-Identifier: BSD-3-Clause */
/* judge.h - look at every state in which a power cut may leave a disk. */
#ifndef VHD_CRASH_JUDGE_H
#define VHD_CRASH_JUDGE_H
#include <vhd.h>

#include "disk.h"

/* One run of the whole program, or of one mutant. */
struct judge {
	struct crash_limits limits; /* at each moment */
	uint64_t nested_every;      /* one state in so many crashes again */
	uint64_t states;            /* looked at so far */
	uint64_t possible;          /* with those that came again */
	uint64_t recoveries;        /* of which so many were worked on with */
	struct crash_seen seen;     /* so none is looked at twice */
	bool failed;
	char story[10000]; /* what led to the violation */
};

/* "title: text", one more line of the story. */
void judge_tell(struct judge *judge, const char *title, const char *text);

/* What a person would be told by a check of one file: nothing as bad as
 * `worst`; or else what, in JUDGE_WHY bytes. */
#define JUDGE_WHY 400
bool judge_findings(const struct fs *fs, const char *path,
		    enum vhd_severity worst, char *why);

/* From now on look at each state that a flush could leave behind.  depth: how
 * many crashes came before. */
struct watch {
	struct judge *judge;
	struct disk *disk;
	int depth;
	bool inside; /* a state is being looked at */
};
void judge_watch(struct watch *watch);

/* Look at what a power cut would leave now. */
void judge_now(struct watch *watch);

/* Something else went wrong with the disk?  Then it is told. */
void judge_disk(struct watch *watch);
#endif
