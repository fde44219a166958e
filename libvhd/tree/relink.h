/* SPDX-License-Identifier: BSD-3-Clause */
/* relink.h - repair broken parent links. */
#ifndef VHDI_RELINK_H
#define VHDI_RELINK_H
#include <vhd.h>

#include "base/error.h"
#include "io/io.h"

/* vhd_relink of vhd.h.  Of a single image its parents are looked after too; of
 * a directory every image in it.  A link is broken when no locator leads to
 * the parent, even if we would find it. */
int tree_relink(const struct fs *fs, const char *path,
		const char *const *search, size_t nsearch, bool dry_run,
		vhd_relinked_fn fn, void *user) MUST_CHECK;
#endif
