/* SPDX-License-Identifier: BSD-3-Clause */
/* chain.h - the disk a guest sees: images from leaf to root, the map of who
 * owns which sector, and the gate that jobs and guests share.
 *
 * A request is cut at windows of 2 MiB.  For each window the map says which
 * layer owns it; windows with several owners have one entry per sector.
 *
 * Locks, in the order in which they may be taken:
 *	job_lock     one job that changes the chain at a time
 *	flush        one generation at a time (struct generations)
 *	gate         striped by window; guests share it, jobs bar writers while
 *	             they copy, and close it to switch over
 *	map stripe   the owners of a window
 * and below them those of image.h.  No lock is held while a progress callback
 * runs. */
#ifndef VHDI_CHAIN_H
#define VHDI_CHAIN_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <vhd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "chain/gate.h"
#include "chain/map.h"
#include "image/image.h"
#include "io/io.h"

#define CHAIN_DEPTH_DEFAULT VHD_MAX_DEPTH_DEFAULT

struct layer {
	struct image *img;
	char *path;    /* absolute, links resolved; owned */
	bool renamed;  /* its name says that it is being merged */
	bool unmarked; /* a job took its read-only mark away */
};

struct chain_opts {
	uint32_t flags; /* enum vhd_open_flags */
	uint32_t max_depth;
	const char *const *search;
	size_t nsearch;
};

struct chain {
	const struct fs *fs;
	struct chain_opts opts; /* with its own copies of the strings */
	struct layer *layers;   /* leaf first; changed with all gates held */
	uint32_t depth;
	char *name; /* the path it was opened by, for messages; constant */
	bool writable;
	bool no_parent;        /* opened alone on purpose */
	_Atomic uint64_t size; /* of the leaf */

	struct gate gate;
	struct map map;

	pthread_mutex_t job_lock;
	pthread_mutex_t flush_mutex; /* guards these */
	pthread_cond_t flush_done;
	uint64_t flush_started, flush_finished;
	bool flush_running;
	uint32_t flush_callers;   /* who wait for a generation to end */
	struct error flush_error; /* of the last one; code 0: none */

	_Atomic bool failed;      /* P24, P25: sticky for the whole disk */
	_Atomic bool job_punches; /* a job gives space back, not flushes */

	/* Push of the live leaf (live-rules P1 to P15): blocks whose requests
	 * go to layer 1. */
	struct moved {
		_Atomic uint8_t *bits; /* a bit per leaf block, NULL: no push
					* [gate of the block] */
		pthread_mutex_t lock;
		uint32_t *list; /* moved, not yet cleared [lock] */
		size_t n, room;
	} moved;
};

/* ---- chain_open.c ---- */

int chain_open(struct chain **ret, const struct fs *fs, const char *path,
	       const struct chain_opts *opts) MUST_CHECK;
int chain_close(struct chain *chain);
/* Close, and return err, or else why closing failed. */
int chain_close_after(struct chain *chain, int err) MUST_CHECK;

/* Open one file by the rules of a chain: flushed, locked, judged.  path is
 * resolved, so what is a link by now was put there meanwhile. */
int chain_open_image(struct image **ret, const struct chain *c,
		     const char *path, bool write, bool raw) MUST_CHECK;
DEFINE_CLEANUP(struct chain, chain_close);

/* ---- layers.c ---- */

/* Nothing else happens on the disk between these two: no request, no
 * generation.  The map is empty afterwards. */
void chain_stop(struct chain *c);
void chain_resume(struct chain *c);

/* Open a layer for writing as well; VHD_E_BUSY when somebody reads it. */
int chain_make_writable(struct chain *c, uint32_t layer) MUST_CHECK;

/* A new, empty leaf at path, while the file of the present one gets a new
 * name.  Everything that can fail is done before guests wait; adding cannot.
 * [gates closed, generations held] to add */
struct new_leaf {
	struct layer *layers;
	char *path, *name, *old_path, *old_name;
};
int chain_prepare_leaf(struct new_leaf *ret, const struct chain *c,
		       const char *path, const char *old_path) MUST_CHECK;
void chain_forget_leaf(struct new_leaf *n);
void chain_add_leaf(struct chain *c, struct new_leaf *n, struct image *leaf);

/* Take a layer out that is needed no more: what it stored is below it now.
 * As soon as the files say so the chain must, or a job would push into it. */
void chain_detach_layer(struct layer *ret, struct chain *c, uint32_t layer);
int layer_close(struct layer *l);
int chain_remove_layer(struct chain *c, uint32_t layer) MUST_CHECK;

/* Change the size of a layer.  Beside guests it grows; when it shrinks they
 * wait. */
int chain_resize_layer(struct chain *c, uint32_t layer,
		       uint64_t size) MUST_CHECK;

/* The file of a layer has a new name. */
int chain_set_path(struct chain *c, uint32_t layer,
		   const char *path) MUST_CHECK;

/* Store in a layer's file, which is open for writing, that its parent is the
 * image `parent` at parent_path, whose name is made durable before. */
int chain_link_layer(struct chain *c, uint32_t child, const char *parent_path,
		     const struct image *parent) MUST_CHECK;

/* The same for an image that is in no chain. */
int chain_link(const struct fs *fs, struct image *child, const char *child_path,
	       const char *parent_path, const struct image *parent) MUST_CHECK;

/* ---- chain_io.c ---- */

int chain_pread(struct chain *c, void *buf, size_t len,
		uint64_t offset) MUST_CHECK;
int chain_pwrite(struct chain *c, const void *buf, size_t len, uint64_t offset,
		 uint32_t flags) MUST_CHECK;
int chain_zero(struct chain *c, uint64_t offset, uint64_t len,
	       uint32_t flags) MUST_CHECK;
int chain_discard(struct chain *c, uint64_t offset, uint64_t len,
		  uint32_t flags) MUST_CHECK;
int chain_extents(struct chain *c, uint64_t offset, uint64_t len,
		  vhd_extent_fn fn, void *user) MUST_CHECK;

/* Ask the system to read ahead. */
void chain_readahead(struct chain *c, uint64_t offset, uint64_t len);

/* ---- chain_flush.c ---- */

/* Everything that completed before the call survives a power cut.  Several
 * callers share one generation. */
int chain_flush(struct chain *c) MUST_CHECK;

/* Punch what flushes have freed in the layers that guests write to; by the
 * job, or by a generation. */
void chain_punch(struct chain *c);

/* Does anyone wait for a flush? */
bool chain_is_flushing(struct chain *c);

/* Keep generations away while the layers change; the one under way ends
 * first. */
void chain_hold_flush(struct chain *c);
void chain_release_flush(struct chain *c);

/* ---- owner.c ---- */

/* The layer that stores a sector, or OWNER_ZERO, and for how many sectors, at
 * most limit, within one window. [gate of the window] */
int chain_owner(uint16_t *ret_owner, uint32_t *ret_run, struct chain *c,
		uint64_t sector, uint32_t limit) MUST_CHECK;

/* Do the layers from `layer` on store nothing in a range, so that it reads as
 * zero whichever of them are left?  The range lies in one window. */
int chain_zero_below(bool *ret, struct chain *c, uint32_t layer,
		     uint64_t offset, uint64_t len) MUST_CHECK;

/* Read whole sectors as the layers from `layer` on give them (below.c); past
 * their end, zeros. */
int chain_read_below(struct chain *c, uint32_t layer, void *buf, size_t len,
		     uint64_t offset) MUST_CHECK;

/* How far what a layer stands on reaches; 0 for a root. */
uint64_t chain_size_below(const struct chain *c, uint32_t layer);

/* Which layer takes a write to this byte? [gate of its window] */
uint32_t chain_target(const struct chain *c, uint64_t offset);

/* ---- moved.c ---- */

int moved_start(struct chain *c) MUST_CHECK;
/* The block was copied down: from now on its requests go to layer 1.
 * [gate of the block, closed] */
int moved_add(struct chain *c, uint32_t block) MUST_CHECK;
bool moved_has(const struct chain *c, uint64_t offset);
/* Does any block wait to be cleared? */
bool moved_waiting(struct chain *c);
/* Take the list of blocks that wait to be cleared; the caller frees it. */
size_t moved_take(uint32_t **ret, struct chain *c);
/* They could not be cleared: they wait again. */
int moved_put_back(struct chain *c, const uint32_t *blocks,
		   size_t n) MUST_CHECK;
/* Every moved block is cleared: the redirect ends. [all gates closed] */
void moved_end(struct chain *c);

/* ---- locate.c, locate_say.c: where could the parent be? ---- */

struct located {
	char *path; /* absolute, links resolved; owned by the
		     * caller */
	enum vhd_parent_status status;
	bool raw;     /* a plain disk, by VHD_OPEN_RAW_PARENT */
	bool by_path; /* it is where a locator of the child says it is */
	char *wrong;  /* a file that was there, but is not it */
};

/* Look for the parent of img, an image at child_path, by UUID, in the order
 * of docs/format.md "Finding the parent".  0 with status MISSING or
 * UUID_MISMATCH when there is none; policy refusals are VHD_E_POLICY.
 * child_path is absolute with its links resolved. */
int locate_parent(struct located *ret, const struct fs *fs, struct image *img,
		  const char *child_path,
		  const struct chain_opts *opts) MUST_CHECK;

/* Nothing usable was located: fail with the sentence that says what was
 * wanted, where it was looked for, and what to do.  VHD_E_NOPARENT or
 * VHD_E_PARENT. */
int locate_fail(const struct located *l, struct image *img,
		const char *child_path, const struct chain_opts *opts);

/* A stored path of the parent, for people: absolute if there is one.  ret has
 * room for MAX_PATH_TEXT; "" when nothing is stored. */
void locate_stored(char *ret, struct image *img);
void located_free(struct located *l);
#endif
