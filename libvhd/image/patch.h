/* SPDX-License-Identifier: BSD-3-Clause */
/* patch.h - change a file in durable steps, with the old bytes kept first.
 *
 * What is put between two commits may reach the disk in any order; what one
 * commit has written is durable before the next begins. */
#ifndef VHDI_PATCH_H
#define VHDI_PATCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/undo.h"
#include "io/io.h"

struct patch;

struct patcher {
	struct io *io;
	struct undo *undo;  /* or NULL */
	uint64_t size;      /* of the file */
	uint64_t own;       /* bytes of it that were not made by us */
	bool changed;       /* anything, ever */
	struct patch *list; /* not written yet; owned */
	size_t n;
};

int patcher_init(struct patcher *ret, struct io *io,
		 struct undo *undo) MUST_CHECK;
void patcher_free(struct patcher *p);

/* Bytes that are there already are left alone, so between two commits a place
 * may be put only once.  Commits by itself when much
 * has come together, so what depends on an order needs commits of its own. */
int patch_put(struct patcher *p, uint64_t offset, const void *data,
	      size_t length) MUST_CHECK;
int patch_commit(struct patcher *p) MUST_CHECK;

/* Commit, then set the size. */
int patch_resize(struct patcher *p, uint64_t size) MUST_CHECK;
#endif
