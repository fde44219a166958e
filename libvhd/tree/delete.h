/* SPDX-License-Identifier: BSD-3-Clause */
/* delete.h - the deletion of one state, and what it costs. */
#ifndef VHDI_DELETE_H
#define VHDI_DELETE_H
#include "job/job.h"
#include "job/pull.h"
#include "job/push.h"
#include "tree/snapshot.h"

#define NO_LAYER UINT32_MAX

/* An image that stands on the state, and what each way would cost. */
struct heir {
	char *path;
	bool frozen; /* others stand on it in turn */
	bool push;   /* its data down, not the state's up */
	bool can_push;
	struct pull_size pull;
	struct push_size down;
	uint64_t final;  /* size of the file, after a push */
	uint64_t actual; /* bytes on disk now */
	uint64_t device;
};

struct deletion {
	struct disk_place *d;
	struct chain *live; /* of the disk that is served, or NULL */
	struct job job;
	const char *path; /* of the state that goes */
	const uint8_t *uuid;
	struct heir *heirs;
	size_t n;
	bool second_best;   /* for what copies less there is no room */
	uint64_t done;      /* bytes, by earlier parts of this deletion */
	uint64_t part_done; /* and by this one */
	uint64_t total;
	const struct vhd_job_opts *opts; /* of the caller, or NULL */
	struct vhd_job_opts part;        /* of one push or pull */
	bool stranger; /* a root without a name of this disk */
	char *adopted; /* the name that such a one gets; owned */
};

/* delete.c */
int deletion_check_stands_on(const struct chain *c, uint32_t layer,
			     const struct deletion *x) MUST_CHECK;

/* Nobody may be reading the state, nor have come to stand on it. */
int deletion_remove_file(const struct deletion *x) MUST_CHECK;

/* The options of the caller, for one part of the work; or NULL. */
const struct vhd_job_opts *deletion_part(struct deletion *x);

/* delete_live.c: layers of the disk that is served.  The one at path, or
 * NO_LAYER. */
uint32_t deletion_live_layer(const struct deletion *x, const char *path);
/* The layer above the state gets what it needs, or goes down into it. */
int deletion_serve_live(struct deletion *x, const struct heir *h,
			uint32_t layer) MUST_CHECK;

/* heirs.c: find and measure what stands on it, choose the way, one that is
 * pushed last; and hand out the plan.  To be freed in any case. */
int deletion_find_heirs(struct deletion *x,
			const struct vhd_tree *kin) MUST_CHECK;
int deletion_plan(struct deletion *x) MUST_CHECK;
void deletion_tell(const struct deletion *x, enum vhd_step_kind kind,
		   const char *path, uint64_t bytes);
void deletion_tell_all(const struct deletion *x);
void deletion_free(struct deletion *x);

/* Bytes to be copied. */
uint64_t heir_bytes(const struct heir *h);

/* subtree.c: delete a state and all that stands on it, leaf first, so that it
 * can be stopped anywhere. */
int deletion_subtree(struct disk_place *d, const struct vhd_tree *kin,
		     const struct entry *e) MUST_CHECK;

/* Is anybody reading it?  Better told before the work than after it. */
int deletion_check_unused(const struct disk_place *d,
			  const char *path) MUST_CHECK;
#endif
