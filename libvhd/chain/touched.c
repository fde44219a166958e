/* SPDX-License-Identifier: BSD-3-Clause */
/* touched.c - change an image, and leave no mark on it. */
#include "chain/touched.h"

#include <stdlib.h>
#include <string.h>

int
touched_open(struct touched *ret, const struct fs *fs, const char *path,
	     bool frozen, const struct chain_opts *opts)
{
	struct chain_opts writing = *opts;
	struct touched t = {.fs = fs, .frozen = frozen};
	int err = fs->ops->stat(&t.was, fs, path);

	if (err)
		return err;
	writing.flags |= VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK;
	t.path = strdup(path);
	if (!t.path)
		return fail_nomem();
	err = chain_open(&t.chain, fs, t.path, &writing);
	if (err)
		free(t.path);
	else
		*ret = t;
	return err;
}

/* Setting a time leaves a mark too. */
static bool
has_its_time(const struct touched *t)
{
	struct fs_stat now;

	return t->fs->ops->stat(&now, t->fs, t->path) == 0 &&
	       now.mtime == t->was.mtime && now.mtime_ns == t->was.mtime_ns;
}

int
touched_close(struct touched *t, int err, bool replaced)
{
	struct error kept;

	err = chain_close_after(TAKE(t->chain), err);
	error_save(&kept);
	if (t->frozen && !replaced && !has_its_time(t))
		(void)t->fs->ops->set_mtime(t->fs, t->path, &t->was);
	free(TAKE(t->path));
	return err ? error_restore(&kept) : 0;
}
