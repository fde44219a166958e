/* SPDX-License-Identifier: BSD-3-Clause */
/* known.h - the time by which others know a disk.
 *
 * Images that stand on a disk may have stored when it was changed last (format
 * 13.3), and some programs refuse it when that is not so any more.  A job that
 * leaves what it reads as it is leaves that, too. */
#ifndef VHDI_KNOWN_H
#define VHDI_KNOWN_H
#include "chain/chain.h"

struct known {
	bool by_others;
	struct fs_stat was;
};

/* Is there an image beside the leaf that stands on it?  Where that cannot be
 * told there is none. */
int known_begin(struct known *ret, const struct chain *c) MUST_CHECK;

/* The job is done: nothing is left to be written when the leaf is closed. */
int known_end(const struct known *k, const struct chain *c) MUST_CHECK;
#endif
