/* SPDX-License-Identifier: BSD-3-Clause */
/* touched.h - an image that is changed without a change to what it reads: its
 * link, or data that others would have given it.
 *
 * Images that stand on it may know it by the time of its last change: that is
 * put back, as far as the caller may. */
#ifndef VHDI_TOUCHED_H
#define VHDI_TOUCHED_H
#include "chain/chain.h"

struct touched {
	const struct fs *fs;
	struct chain *chain;
	char *path;
	struct fs_stat was;
	bool frozen; /* others stand on it */
};

/* Opens it for writing, whatever stands on it. */
int touched_open(struct touched *ret, const struct fs *fs, const char *path,
		 bool frozen, const struct chain_opts *opts) MUST_CHECK;

/* Returns err, or what went wrong now.  replaced: another file has its path,
 * and a time of its own. */
int touched_close(struct touched *t, int err, bool replaced) MUST_CHECK;
#endif
