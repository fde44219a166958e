/* SPDX-License-Identifier: BSD-3-Clause */
/* check.h - examine an image and, if asked to, the images below it; repair;
 * take a repair back. */
#ifndef VHDI_JOB_CHECK_H
#define VHDI_JOB_CHECK_H
#include <vhd.h>

#include "base/error.h"
#include "image/find.h"
#include "image/findings.h"
#include "io/io.h"
#include "job/job.h"

/* vhd_check.  Only the image at path is repaired, whatever the flags: its
 * parents serve others too.  A result of opts->found other than 0 stops the
 * work: VHD_E_CANCELLED. */
int job_check(struct vhd_check_result *ret, const struct fs *fs,
	      const char *path, const struct vhd_check_opts *opts) MUST_CHECK;

/* vhd_undo. */
int job_undo(const struct fs *fs, const char *path,
	     const char *undo) MUST_CHECK;

/* ---- For check_chain.c -------------------------------------------------- */

struct check_job {
	const struct fs *fs;
	const struct vhd_check_opts *opts;
	uint32_t open_flags; /* enum vhd_open_flags */
	bool repair;
	int64_t now;
	struct job job;
	struct vhd_check_result result;
};

/* What the examination of one file has found out beside its findings. */
struct checked {
	bool usable; /* found is filled */
	struct found found;
	struct fs_stat stat;
	uint64_t bad;    /* findings of VHD_ERROR and VHD_FATAL left */
	char first[256]; /* the first of those */
};

/* Examine, perhaps repair, and tell.  VHD_E_BUSY when it is locked. */
int check_file(struct checked *ret, struct check_job *job, const char *path,
	       bool repair, bool lock) MUST_CHECK;

/* Tell what findings_finish has made ready, and count it. */
int check_tell(struct check_job *job, const struct findings *f) MUST_CHECK;

/* The parents of the image at path, which is leaf, and how they fit. */
int check_chain(struct check_job *job, const char *path,
		const struct checked *leaf) MUST_CHECK;
#endif
