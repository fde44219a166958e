/* SPDX-License-Identifier: BSD-3-Clause */
/* worlds.h - what a tree may be once commands were killed: each of them may
 * have been carried out, or not, or, where that has several parts, in part. */
#ifndef VHD_TEST_WORLDS_H
#define VHD_TEST_WORLDS_H
#include "forest.h"

struct worlds {
	struct forest *model;
	size_t n;
};

void worlds_begin(struct worlds *w, const struct forest *f);
void worlds_end(struct worlds *w);

/* After a task, of which the user believed that the tree was `believed`. */
void worlds_go_on(struct worlds *w, const struct task *task,
		  const struct forest *believed, bool complete);

/* Every state that is there in all of them is there on f->fs, and whatever is
 * there reads as in one of them.  Else false, and f->why. */
bool worlds_check_between(const struct worlds *w, struct forest *f);

/* f->fs is one of them, with no other file, and its disks can be written to. */
bool worlds_check_end(const struct worlds *w, struct forest *f);

/* Is there something at path that may be used as a disk in all of them? */
bool worlds_have_disk(const struct worlds *w, const struct fs *fs,
		      const char *path);
#endif
