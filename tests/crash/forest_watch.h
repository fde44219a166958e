/* SPDX-License-Identifier: BSD-3-Clause */
/* forest_watch.h - look at every state in which a power cut may leave a tree
 * of disks while something is being done to it. */
#ifndef VHD_CRASH_FOREST_WATCH_H
#define VHD_CRASH_FOREST_WATCH_H
#include "../tree/forest.h"
#include "judge.h"

/* From now on each state that a flush could leave behind is looked at: every
 * disk and snapshot reads what it was before the task or what it is after it,
 * no file has an error, and doing the task again completes it. */
struct forest_watch {
	struct judge *judge;
	struct forest *f;        /* its file system is over `crash` */
	const struct task *task; /* under way */
	struct fs *crash;
	int depth;   /* how many crashes came before */
	bool inside; /* a state is being looked at */
};
void forest_watch(struct forest_watch *watch);

/* Look at what a power cut would leave now. */
void forest_judge_now(struct forest_watch *watch);

/* Something else went wrong?  Then it is told. */
void forest_judge(struct forest_watch *watch);
#endif
