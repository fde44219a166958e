/* SPDX-License-Identifier: BSD-3-Clause */
/* settle.c - finish or undo what an interrupted command left.
 *
 * Three things can be found, and each tells what it is:
 *	a snapshot's name on the file of the live disk itself: a snapshot that
 *		was not taken yet; the name goes
 *	two snapshots' names on one file: a rename between its two steps; one
 *		name is kept, and the children are linked to it
 *	an image under a temporary name that nobody has open; it goes
 * An empty image under a snapshot's name that stands on the live disk is a
 * snapshot by exchange that was not taken; it goes as well. */
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "chain/family.h"
#include "chain/names.h"
#include "tree/snapshot.h"

struct seen {
	char *path;
	struct io_id id;
};

struct settle {
	const struct disk_place *d;
	struct fs_stat live;
	struct seen *seen;
	size_t n;
};

static bool
same(struct io_id a, struct io_id b)
{
	return a.device == b.device && a.inode == b.inode;
}

static int
remove_name(const struct disk_place *d, const char *path)
{
	int err = d->fs->ops->unlink(d->fs, path);

	return err ? err : d->fs->ops->sync_dir(d->fs, path);
}

/* Is this a file of ours that somebody is still writing? */
static bool
is_abandoned(const struct disk_place *d, const char *path)
{
	struct io *io;
	bool free_now;

	if (d->fs->ops->open(&io, d->fs, path, FS_OPEN_NOFOLLOW) != 0)
		return false;
	free_now = io->ops->lock(io, IO_LOCK_WRITE) == 0;
	(void)io_close(io);
	return free_now;
}

static bool
is_temporary(const char *name)
{
	size_t n = strlen(name), tail = strlen(PARTIAL_SUFFIX);

	return !strncmp(name, ".vhd-", 5) && n > tail &&
	       !strcmp(name + n - tail, PARTIAL_SUFFIX);
}

/* Does the name belong to this disk: disk@NAME.vhd? */
static bool
is_snapshot_of(const struct disk_place *d, const char *path)
{
	AUTO_FREE char *disk = disk_path(path);
	AUTO_FREE char *name = NULL;

	return disk && !strcmp(disk, d->path) &&
	       snapshot_name(&name, path) == 0 && name;
}

static int
remember(struct settle *s, const char *path, struct io_id id)
{
	struct seen *more = realloc(s->seen, (s->n + 1) * sizeof(*more));

	if (!more)
		return fail_nomem();
	s->seen = more;
	more[s->n].path = strdup(path);
	more[s->n].id = id;
	if (!more[s->n].path)
		return fail_nomem();
	s->n++;
	return 0;
}

static int
look(const char *name, void *user)
{
	struct settle *s = user;
	const struct disk_place *d = s->d;
	AUTO_FREE char *path = path_join(d->dir, name);
	struct fs_stat st;

	if (!path)
		return fail_nomem();
	if (is_temporary(name))
		return is_abandoned(d, path) ? remove_name(d, path) : 0;
	if (!is_snapshot_of(d, path) ||
	    d->fs->ops->stat(&st, d->fs, path) != 0 || !st.regular)
		return 0;
	return remember(s, path, st.id);
}

/* An empty child of the live disk under a snapshot's name. */
static bool
is_untaken(const struct settle *s, const char *path)
{
	const struct fs *fs = s->d->fs;
	struct chain_opts o = {.flags = VHD_OPEN_NOPARENT};
	struct peek live, peek;
	struct chain *c;
	bool empty;

	if (image_peek(&live, fs, s->d->path, 0) != 0 ||
	    image_peek(&peek, fs, path, 0) != 0 ||
	    peek.found.footer.type != VHD_TYPE_DIFFERENCING ||
	    memcmp(peek.found.hdr.parent_uuid, live.found.footer.uuid, 16) ||
	    chain_open(&c, fs, path, &o) != 0)
		return false;
	empty = image_count_blocks(c->layers[0].img) == 0;
	return chain_close(c) == 0 && empty;
}

static int
link_children_to(const struct settle *s, const char *path)
{
	struct chain_opts o = {.flags = VHD_OPEN_NOPARENT | VHD_OPEN_RDWR |
					VHD_OPEN_CHILDREN_OK};
	const struct fs *fs = s->d->fs;
	struct chain *parent = NULL, *child;
	struct chain_opts look = {.flags = VHD_OPEN_NOPARENT};
	char **paths;
	size_t n;
	int err = chain_open(&parent, fs, path, &look);

	if (err)
		return err;
	err = snapshot_children(&paths, &n, s->d, path,
				parent->layers[0].img->footer.uuid);
	for (size_t i = 0; !err && i < n; i++) {
		err = chain_open(&child, fs, paths[i], &o);
		if (err)
			break;
		err = chain_link(fs, child->layers[0].img,
				 child->layers[0].path, path,
				 parent->layers[0].img);
		if (chain_close(child) != 0 && !err)
			err = VHD_E_IO;
	}
	if (!err || n)
		family_free_paths(paths, n);
	return chain_close(parent) ? VHD_E_IO : err;
}

static int
settle_one(struct settle *s, size_t i)
{
	const struct seen *a = &s->seen[i];

	if (same(a->id, s->live.id) || is_untaken(s, a->path))
		return remove_name(s->d, a->path);
	for (size_t k = 0; k < i; k++) {
		int err;

		if (!same(a->id, s->seen[k].id))
			continue;
		err = link_children_to(s, s->seen[k].path);
		return err ? err : remove_name(s->d, a->path);
	}
	return 0;
}

int
snapshot_settle(const struct disk_place *d)
{
	struct settle s = {.d = d};
	int err = d->fs->ops->stat(&s.live, d->fs, d->path);

	if (!err)
		err = d->fs->ops->list(d->fs, d->dir, look, &s);
	for (size_t i = 0; i < s.n && !err; i++)
		err = settle_one(&s, i);
	for (size_t i = 0; i < s.n; i++)
		free(s.seen[i].path);
	free(s.seen);
	return err;
}
