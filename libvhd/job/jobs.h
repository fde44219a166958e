/* SPDX-License-Identifier: BSD-3-Clause */
/* jobs.h - the work on whole disks, one function for each job of vhd.h.
 *
 * What each promises stands in vhd.h.  Options arrive complete; pointers in
 * them may be NULL where vhd.h says so. */
#ifndef VHDI_JOBS_H
#define VHDI_JOBS_H
#include <vhd.h>

#include "base/error.h"
#include "chain/chain.h"
#include "job/job.h"
#include "job/push.h"

/* VHD_E_READONLY, but not for a dry run: that may look at a disk which another
 * process writes. */
static inline int
job_check_writable(const struct job *job, const struct chain *c)
{
	if (c->writable || job_dry_run(job))
		return 0;
	return fail(VHD_E_READONLY, "%s: opened for reading only",
		    c->layers[0].path);
}

/* VHD_E_NOPARENT: what a child hides of a parent that was not opened, and what
 * it would show of it, nobody knows. */
static inline int
job_check_parent(const struct chain *c)
{
	if (!c->no_parent || c->layers[0].img->type != VHD_TYPE_DIFFERENCING)
		return 0;
	return fail(VHD_E_NOPARENT,
		    "%s: opened without its parent, so what it reads cannot "
		    "be kept",
		    c->layers[0].path);
}

static inline void
job_leave(struct chain *c)
{
	pthread_mutex_unlock(&c->job_lock);
}

/* While a job has taken the chain, none of its layers comes or goes but by it,
 * and only its leaf is written to by guests.  VHD_E_BUSY: another one has. */
static inline int
job_take(struct chain *c)
{
	int err;

	if (pthread_mutex_trylock(&c->job_lock) != 0)
		return fail(VHD_E_BUSY, "%s: another job is running on it",
			    c->name);
	err = push_settle(c);
	if (err)
		job_leave(c);
	return err;
}

int job_create(const struct fs *fs, const char *path,
	       const struct vhd_create_opts *opts) MUST_CHECK;
int job_compare(uint64_t *ret_offset, struct chain *a, struct chain *b,
		const struct vhd_job_opts *opts) MUST_CHECK;
int job_measure(struct vhd_measure *ret, struct chain *c) MUST_CHECK;
int job_convert(struct chain *src, const struct fs *fs, const char *path,
		const struct vhd_convert_opts *opts) MUST_CHECK;
int job_convert_to_fd(struct chain *src, int fd,
		      const struct vhd_convert_opts *opts) MUST_CHECK;
int job_convert_from_fd(const struct fs *fs, int fd, const char *path,
			const struct vhd_convert_opts *opts) MUST_CHECK;
int job_merge(struct chain *c, const struct vhd_merge_opts *opts) MUST_CHECK;
/* The same by whoever has taken the chain. */
int job_merge_held(struct chain *c,
		   const struct vhd_merge_opts *opts) MUST_CHECK;
/* Merges of the chain that were interrupted: are there any, and finish them.
 * Of the options layers and flags do not matter; whoever calls it has taken the
 * chain. */
bool job_has_unfinished(const struct chain *c);
int job_finish_merges(size_t *ret_n, struct chain *c,
		      const struct vhd_merge_opts *opts) MUST_CHECK;
int job_compact(struct chain *c, enum vhd_compact_mode mode,
		const struct vhd_job_opts *opts) MUST_CHECK;
int job_resize(struct chain *c, uint64_t size, uint32_t flags,
	       const struct vhd_job_opts *opts) MUST_CHECK;
int job_rebase(struct chain *c, const char *parent, uint32_t flags,
	       const struct vhd_job_opts *opts) MUST_CHECK;
#endif
