/* SPDX-License-Identifier: BSD-3-Clause */
/* family.c - which images are in some directories, and who stands on whom.
 *
 * Links are followed by UUID alone: names mean nothing here.  What is not a
 * regular file, or needs a symbolic link to be reached, is not looked at: a
 * directory that others may write to must not make us open what lies
 * elsewhere. */
#include "chain/family.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/uuid.h"

struct names {
	char **name;
	size_t n, room;
};

static void
free_names(struct names *names)
{
	family_free_paths(names->name, names->n);
}

static int
add_name(struct names *names, const char *name)
{
	if (names->n == names->room) {
		size_t room = names->room ? 2 * names->room : 64;
		char **more = realloc(names->name, room * sizeof(*more));

		if (!more)
			return fail_nomem();
		names->name = more;
		names->room = room;
	}
	names->name[names->n] = strdup(name);
	if (!names->name[names->n])
		return fail_nomem();
	names->n++;
	return 0;
}

void
family_free_paths(char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(paths[i]);
	free(paths);
}

static bool
is_partial(const char *name)
{
	size_t n = strlen(name), suffix = strlen(PARTIAL_SUFFIX);

	return n > suffix && !strcmp(name + n - suffix, PARTIAL_SUFFIX);
}

static int
keep_name(const char *name, void *user)
{
	return is_partial(name) ? 0 : add_name(user, name);
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A file that is neither a regular one nor there at all is none of ours. */
static int
visit(const struct fs *fs, const char *dir, const char *name, family_fn fn,
      void *user)
{
	AUTO_FREE char *path = path_join(dir, name);
	struct peek peek;
	int err;

	if (!path)
		return fail_nomem();
	err = image_peek(&peek, fs, path, FIND_NO_SCAN);
	if (err == VHD_E_POLICY || err == VHD_E_INVALID ||
	    err == VHD_E_NOTFOUND || (!err && peek.block_device))
		return 0;
	return fn(path, err ? NULL : &peek, err, user);
}

int
family_walk(const struct fs *fs, const char *dir, family_fn fn, void *user)
{
	struct names names = {0};
	int err = fs->ops->list(fs, dir, keep_name, &names);

	if (!err && names.n)
		qsort(names.name, names.n, sizeof(*names.name), by_text);
	for (size_t i = 0; !err && i < names.n; i++)
		err = visit(fs, dir, names.name[i], fn, user);
	free_names(&names);
	return err;
}

/* ---- Children ---------------------------------------------------------- */

struct search {
	const uint8_t *uuid;
	struct io_id except; /* by any of its names */
	bool excepts;
	struct names children;
};

int
family_unread(int err)
{
	int sys = error_sys();

	return err != VHD_E_NOTFOUND && sys && sys != EACCES && sys != EPERM
		       ? err
		       : 0;
}

static int
keep_child(const char *path, const struct peek *peek, int err, void *user)
{
	struct search *search = user;

	if (!peek)
		return family_unread(err);
	if (peek->found.footer.type != VHD_TYPE_DIFFERENCING ||
	    !uuid_equal(peek->found.hdr.parent_uuid, search->uuid))
		return 0;
	if (search->excepts && io_id_equal(peek->id, search->except))
		return 0;
	return add_name(&search->children, path);
}

static bool
seen_before(char *const *dirs, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(dirs[j], dirs[i]))
			return true;
	return false;
}

static int
resolve_all(struct names *ret, const struct fs *fs, const char *const *dirs,
	    size_t ndirs)
{
	for (size_t i = 0; i < ndirs; i++) {
		AUTO_FREE char *dir = NULL;
		int err = fs->ops->resolve(&dir, fs, dirs[i]);

		if (!err)
			err = add_name(ret, dir);
		if (err)
			return err;
	}
	return 0;
}

int
family_children(char ***ret_paths, size_t *ret_n, const struct fs *fs,
		const char *const *dirs, size_t ndirs,
		const uint8_t uuid[static 16], const char *except_path)
{
	struct search search = {.uuid = uuid};
	struct names resolved = {0};
	struct fs_stat st;
	int err = resolve_all(&resolved, fs, dirs, ndirs);

	if (!err && except_path) {
		err = fs->ops->stat(&st, fs, except_path);
		search.excepts = !err;
		if (!err)
			search.except = st.id;
		if (err == VHD_E_NOTFOUND)
			err = 0;
	}
	for (size_t i = 0; !err && i < resolved.n; i++)
		if (!seen_before(resolved.name, i))
			err = family_walk(fs, resolved.name[i], keep_child,
					  &search);
	free_names(&resolved);
	if (err) {
		free_names(&search.children);
		return err;
	}
	*ret_paths = search.children.name;
	*ret_n = search.children.n;
	return 0;
}
