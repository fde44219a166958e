/* SPDX-License-Identifier: BSD-3-Clause */
/* known.c - the time by which others know a disk. */
#include "job/known.h"

#include "base/path.h"
#include "chain/family.h"

int
known_begin(struct known *ret, const struct chain *c)
{
	const struct layer *l = &c->layers[0];
	AUTO_FREE char *dir = path_directory(l->path);
	const char *dirs[] = {dir};
	struct known known = {false};
	char **paths;
	size_t n;
	int err;

	*ret = known;
	if (!dir)
		return fail_nomem();
	if (l->img->type == VHD_TYPE_RAW)
		return 0;
	err = family_children(&paths, &n, c->fs, dirs, 1, l->img->footer.uuid,
			      l->path);
	if (err)
		return err == VHD_E_NOMEM ? err : 0;
	family_free_paths(paths, n);
	known.by_others = n && !c->fs->ops->stat(&known.was, c->fs, l->path);
	*ret = known;
	return 0;
}

int
known_end(const struct known *k, const struct chain *c)
{
	const struct layer *l = &c->layers[0];
	int err = k->by_others ? image_tidy(l->img) : 0;

	if (!err && k->by_others)
		(void)c->fs->ops->set_mtime(c->fs, l->path, &k->was);
	return err;
}
