/* SPDX-License-Identifier: BSD-3-Clause */
/* scratch.h - a directory for one test's files, gone when it ends. */
#ifndef VHD_TEST_SCRATCH_H
#define VHD_TEST_SCRATCH_H

struct scratch {
	char dir[128];
	char path[256]; /* of the last scratch_path */
};

/* Below $TMPDIR, or /tmp.  Aborts the test program when there is none. */
void scratch_make(struct scratch *ret);

/* dir/name, until the next call. */
const char *scratch_path(struct scratch *scratch, const char *name);

/* With everything in it. */
void scratch_remove(struct scratch *scratch);
#endif
