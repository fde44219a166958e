/* SPDX-License-Identifier: BSD-3-Clause */
/* children.c - what stands on an image. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/family.h"
#include "tree/snapshot.h"

/* Where a child would find its parent, with the user's directories. */
static int
locate(struct located *ret, const struct disk_place *d, const char *child)
{
	struct chain_opts opts = disk_chain_opts(d, 0);
	AUTO(image_close) struct image *img = NULL;
	struct io *io;
	int err = d->fs->ops->open(&io, d->fs, child, FS_OPEN_NOFOLLOW);

	if (!err)
		err = image_open(&img, io, IMAGE_DAMAGED);
	return err ? err : locate_parent(ret, d->fs, img, child, &opts);
}

struct twin {
	const char *path;
	const uint8_t *uuid;
	struct io_id id;
	char *found;
};

static int
look_for_twin(const char *path, const struct peek *peek, int err, void *user)
{
	struct twin *t = user;

	(void)err;
	if (!peek || t->found || !uuid_equal(peek->found.footer.uuid, t->uuid))
		return 0;
	if (peek->id.device == t->id.device && peek->id.inode == t->id.inode)
		return 0;
	t->found = strdup(path);
	return t->found ? 0 : fail_nomem();
}

/* Another file with the same UUID; NULL in *ret when there is none. */
static int
find_twin(char **ret, const struct disk_place *d, const char *path,
	  const uint8_t uuid[static 16])
{
	struct twin t = {.path = path, .uuid = uuid};
	struct fs_stat st;
	int err = d->fs->ops->stat(&st, d->fs, path);

	t.id = st.id;
	for (size_t i = 0; i < d->ndirs && !err; i++)
		err = family_walk(d->fs, d->dirs[i], look_for_twin, &t);
	if (err)
		free(t.found);
	else
		*ret = t.found;
	return err;
}

static int
same_file(bool *ret, const struct fs *fs, const char *a, const char *b)
{
	struct fs_stat x, y;
	int err = fs->ops->stat(&x, fs, a);

	if (!err)
		err = fs->ops->stat(&y, fs, b);
	if (!err)
		*ret = x.id.device == y.id.device && x.id.inode == y.id.inode;
	return err;
}

/* Does the image at child stand on that at path?  Where a link leads is
 * certain; what else has the right UUID is so only when nothing else has. */
static int
stands_on(bool *ret, const struct disk_place *d, const char *child,
	  const char *path, const char *twin)
{
	struct located found = {0};
	int err = locate(&found, d, child);

	if (err && err != VHD_E_NOMEM) {
		*ret = true; /* it says so, and nothing else is known */
		return 0;
	}
	if (!err && !found.path)
		*ret = true;
	else if (!err)
		err = same_file(ret, d->fs, found.path, path);
	if (!err && twin && !found.by_path)
		err = fail(VHD_E_PARENT,
			   "%s: stands on %s or on %s, which have the same "
			   "UUID; move one of them away, or try: vhdtool "
			   "rebase --unsafe",
			   child, path, twin);
	located_free(&found);
	return err;
}

static int
keep_real(char **paths, size_t *n, const struct disk_place *d, const char *path,
	  const uint8_t uuid[static 16])
{
	AUTO_FREE char *twin = NULL;
	size_t kept = 0, total = *n;
	int err = find_twin(&twin, d, path, uuid);

	for (size_t i = 0; i < total && !err; i++) {
		bool real = false;
		char *child;

		err = stands_on(&real, d, paths[i], path, twin);
		if (err)
			break;
		child = TAKE(paths[i]);
		if (real)
			paths[kept++] = child;
		else
			free(child);
	}
	if (!err)
		*n = kept;
	return err;
}

int
children_find(char ***ret, size_t *ret_n, const struct disk_place *d,
	      const char *path, const uint8_t uuid[static 16])
{
	AUTO_FREE char *own = path_directory(path);
	AUTO_FREE const char **dirs = calloc(d->ndirs + 1, sizeof(*dirs));
	char **paths;
	size_t n;
	int err;

	if (!own || !dirs)
		return fail_nomem();
	dirs[0] = own;
	for (size_t i = 0; i < d->ndirs; i++)
		dirs[i + 1] = d->dirs[i];
	err = family_children(&paths, &n, d->fs, dirs, d->ndirs + 1, uuid,
			      path);
	if (err)
		return err;
	err = keep_real(paths, &n, d, path, uuid);
	if (err) {
		family_free_paths(paths, n);
		return err;
	}
	*ret = paths;
	*ret_n = n;
	return 0;
}
