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

struct search {
	const struct disk_place *d;
	const char *path; /* of the parent */
	const uint8_t *uuid;
	struct io_id id;
	char **children; /* what says that it stands on it */
	size_t n;
	char *twin; /* another file with the same UUID, or NULL */
};

static int
add_child(struct search *s, const char *path)
{
	char **more = realloc(s->children, (s->n + 1) * sizeof(*more));

	if (!more)
		return fail_nomem();
	s->children = more;
	more[s->n] = strdup(path);
	if (!more[s->n])
		return fail_nomem();
	s->n++;
	return 0;
}

static int
look(const char *path, const struct peek *peek, int err, void *user)
{
	struct search *s = user;
	const struct footer *f = peek ? &peek->found.footer : NULL;

	if (!peek)
		return family_unread(err);
	if (io_id_equal(peek->id, s->id))
		return 0;
	if (f->type == VHD_TYPE_DIFFERENCING &&
	    uuid_equal(peek->found.hdr.parent_uuid, s->uuid))
		return add_child(s, path);
	if (!s->twin && uuid_equal(f->uuid, s->uuid)) {
		s->twin = strdup(path);
		return s->twin ? 0 : fail_nomem();
	}
	return 0;
}

static bool
is_one_of(char *const *dirs, size_t n, const char *dir)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(dirs[i], dir))
			return true;
	return false;
}

/* That a child was replaced or removed is durable before it is believed. */
static int
search_dir(struct search *s, const char *dir)
{
	int err = fs_sync_names(s->d->fs, dir);

	return err ? err : family_walk(s->d->fs, dir, look, s);
}

/* Everywhere, each directory once. */
static int
search_all(struct search *s)
{
	const struct disk_place *d = s->d;
	AUTO_FREE char *own = path_directory(s->path);
	struct fs_stat st;
	int err = d->fs->ops->stat(&st, d->fs, s->path);

	if (!own)
		return fail_nomem();
	s->id = st.id;
	if (!err && !is_one_of(d->dirs, d->ndirs, own))
		err = search_dir(s, own);
	for (size_t i = 0; i < d->ndirs && !err; i++)
		if (!is_one_of(d->dirs, i, d->dirs[i]))
			err = search_dir(s, d->dirs[i]);
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
		*ret = io_id_equal(x.id, y.id);
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

	if (err == VHD_E_NOMEM)
		return err;
	if (err || !found.path) {
		*ret = true; /* it says so, and nothing else is known */
		err = 0;
	} else {
		err = same_file(ret, d->fs, found.path, path);
	}
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
keep_real(struct search *s)
{
	size_t kept = 0, total = s->n;
	int err = 0;

	for (size_t i = 0; i < total && !err; i++) {
		bool real = false;
		char *child;

		err = stands_on(&real, s->d, s->children[i], s->path, s->twin);
		if (err)
			break;
		child = TAKE(s->children[i]);
		if (real)
			s->children[kept++] = child;
		else
			free(child);
	}
	if (!err)
		s->n = kept;
	return err;
}

int
children_find(char ***ret, size_t *ret_n, const struct disk_place *d,
	      const char *path, const uint8_t uuid[static 16])
{
	struct search s = {.d = d, .path = path, .uuid = uuid};
	int err = search_all(&s);

	if (!err)
		err = keep_real(&s);
	free(s.twin);
	if (err) {
		family_free_paths(s.children, s.n);
		return err;
	}
	*ret = s.children;
	*ret_n = s.n;
	return 0;
}
