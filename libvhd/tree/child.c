/* SPDX-License-Identifier: BSD-3-Clause */
/* child.c - the new file of a snapshot: an empty child, complete and durable
 * under a name that no search looks at.
 *
 * Such names belong to the disk alone, and whoever uses one has the disk
 * locked: what is found there was left by a crash. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
#include "chain/family.h"
#include "tree/snapshot.h"

#define WHOLE_MOST 200 /* of a file name, which may have 255 bytes */

/* Names that begin alike must not become one. */
static uint64_t
rest_of(const char *file)
{
	uint64_t h = 14695981039346656037u;

	if (strlen(file) <= WHOLE_MOST)
		return 0;
	for (const char *c = file + WHOLE_MOST; *c; c++)
		h = (h ^ (unsigned char)*c) * 1099511628211u;
	return h;
}

static char *
hidden_path(const char *path, const char *what)
{
	AUTO_FREE char *dir = path_directory(path);
	AUTO_FREE char *name = NULL;
	char rest[20] = "";
	uint64_t hash = rest_of(path_name(path));

	if (hash)
		(void)snprintf(rest, sizeof(rest), "~%016" PRIx64, hash);
	if (asprintf(&name, ".%.*s%s@%s" PARTIAL_SUFFIX, WHOLE_MOST,
		     path_name(path), rest, what) < 0) {
		name = NULL;
		return NULL;
	}
	return dir ? path_join(dir, name) : NULL;
}

char *
snapshot_temp(const char *path)
{
	return hidden_path(path, "new");
}

char *
snapshot_rename_mark(const char *path)
{
	return hidden_path(path, "rename");
}

static int
format_child(const struct fs *fs, const char *temp, const char *path,
	     const struct image_create *how)
{
	struct error kept;
	struct io *io;
	int err = fs->ops->open(&io, fs, temp, FS_OPEN_WRITE | FS_OPEN_CREATE);

	if (err && error_sys())
		return fail_sys(error_sys(),
				"%s: cannot make a new file beside it", path);
	if (err)
		return err;
	err = image_format(io, how);
	if (!err)
		return io_close(io);
	error_save(&kept);
	(void)io_close(io);
	(void)fs->ops->unlink(fs, temp);
	return error_restore(&kept);
}

/* A sentence with numbers, instead of a failure half-way. */
static int
check_space(const struct fs *fs, const char *path,
	    const struct image_create *how)
{
	uint64_t need = image_length_for(
		how->type, how->size,
		how->block_size ? how->block_size : 2u << 20, 0);
	uint64_t room;
	int err = fs->ops->free_space(&room, fs, path);

	if (err || need <= room)
		return err;
	return fail(VHD_E_NOSPACE,
		    "%s: the new file needs %" PRIu64 " bytes, and %" PRIu64
		    " are free; nothing was changed",
		    path, need, room);
}

int
snapshot_child(char **ret_temp, const struct fs *fs, const char *path,
	       const char *parent_path, const struct image *parent)
{
	AUTO_FREE char *dir = path_directory(path);
	AUTO_FREE char *relative = NULL, *temp = snapshot_temp(path);
	struct image_create how = {
		.type = VHD_TYPE_DIFFERENCING,
		.size = parent->size,
		.block_size = image_is_sparse(parent) ? parent->block_size : 0,
		.created = time(NULL),
		.parent = &parent->footer,
	};
	int err;

	if (dir)
		relative = path_relative(dir, parent_path);
	if (!relative || !temp)
		return fail_nomem();
	how.parent_relative = relative;
	err = check_space(fs, path, &how);
	if (!err)
		err = format_child(fs, temp, path, &how);
	if (!err)
		*ret_temp = TAKE(temp);
	return err;
}
