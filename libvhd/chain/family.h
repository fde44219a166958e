/* SPDX-License-Identifier: BSD-3-Clause */
/* family.h - which images are in some directories, and who stands on whom. */
#ifndef VHDI_FAMILY_H
#define VHDI_FAMILY_H
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/image_peek.h"
#include "io/io.h"

/* One name in a directory.  peek is NULL when the file could not be read as a
 * VHD: err then says why, and the failure of this thread has the sentence.
 * Non-zero ends the walk. */
typedef int (*family_fn)(const char *path, const struct peek *peek, int err,
			 void *user);

/* A file that the system fails to read may be a child all the same: then err.
 * One that the caller may not read, or that is no VHD, is nothing that
 * concerns a tree: 0. */
int family_unread(int err);

/* Every file in a directory, in the order of their names.  Left out are
 * sub-directories, pipes, devices, symbolic links, and images that are still
 * being made (NAME.partial). */
int family_walk(const struct fs *fs, const char *dir, family_fn fn,
		void *user) MUST_CHECK;

/* The files in these directories whose parent has this UUID, all of them or an
 * error, without except_path and other names of that file (NULL: with it).
 * Directories given twice are looked at once.  The caller frees the list with
 * family_free_paths. */
int family_children(char ***ret_paths, size_t *ret_n, const struct fs *fs,
		    const char *const *dirs, size_t ndirs,
		    const uint8_t uuid[static 16],
		    const char *except_path) MUST_CHECK;
void family_free_paths(char **paths, size_t n);

/* Is this the suffix of an image that is still being made? */
#define PARTIAL_SUFFIX ".partial"
#endif
