/* SPDX-License-Identifier: BSD-3-Clause */
/* convert.h - what the ways of converting a disk share. */
#ifndef VHDI_CONVERT_H
#define VHDI_CONVERT_H
#include "image/image.h"
#include "job/job.h"
#include "job/jobs.h"
#include "job/runs.h"

struct conversion {
	struct chain *src; /* NULL: a pipe */
	const struct vhd_convert_opts *opts;
	struct job job;
	enum vhd_type type; /* of the result */
	uint64_t src_size;
	uint64_t size;           /* that the result shows */
	struct image_create how; /* of a VHD */
	uint8_t *buf;            /* COPY_BYTES */
};

/* What the options ask for; VHD_E_INVALID.  size is that of the source. */
int conversion_begin(struct conversion *ret, struct chain *src,
		     const struct vhd_convert_opts *opts,
		     const char *target) MUST_CHECK;
void conversion_end(struct conversion *conv);

/* The result shows whole sectors, or what Azure wants. */
uint64_t conversion_size(const struct conversion *conv, uint64_t bytes);

/* Read the disk, of which `bytes` may be data, and tell which of its blocks
 * are: a bit each in bits, which may be NULL. */
int conversion_survey(struct conversion *conv, uint8_t *bits, struct touched *t,
		      uint64_t bytes) MUST_CHECK;

/* Read what may be data, and call put for every piece of at most COPY_BYTES
 * that is; pieces come in order, in whole grains except at the end. */
typedef int (*conversion_put_fn)(const void *data, size_t len, uint64_t offset,
				 void *user);
int conversion_walk(struct conversion *conv, conversion_put_fn put,
		    void *user) MUST_CHECK;

/* Write the result to a store that is written front to back. */
int conversion_stream(struct conversion *conv, struct io *to) MUST_CHECK;
#endif
