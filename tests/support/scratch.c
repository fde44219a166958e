/* SPDX-License-Identifier: BSD-3-Clause */
/* scratch.c - a directory for one test's files. */
#include "scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

void
scratch_make(struct scratch *ret)
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(ret->dir, sizeof(ret->dir), "%.90s/vhd-test-XXXXXX",
		       base && *base ? base : "/tmp");
	if (mkdtemp(ret->dir))
		return;
	perror(ret->dir);
	exit(99);
}

const char *
scratch_path(struct scratch *scratch, const char *name)
{
	(void)snprintf(scratch->path, sizeof(scratch->path), "%s/%.100s",
		       scratch->dir, name);
	return scratch->path;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
scratch_remove(struct scratch *scratch)
{
	(void)nftw(scratch->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
