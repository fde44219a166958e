/* SPDX-License-Identifier: BSD-3-Clause */
/* path.h - take POSIX paths apart and put them together; text only, no file
 * is looked at.  What is returned is to be freed; NULL when out of memory. */
#ifndef VHDI_PATH_H
#define VHDI_PATH_H
#include <stdbool.h>

/* The part after the last slash; inside path. */
const char *path_name(const char *path);

/* What is in front of it: "/" for "/x", "." for "x". */
char *path_directory(const char *path);

/* dir/name; name alone when it is absolute. */
char *path_join(const char *dir, const char *name);

/* Is path below dir, at any depth?  Both absolute and resolved. */
bool path_is_below(const char *path, const char *dir);

/* The way from the directory dir to path, "../" where it must climb.  Both
 * absolute and resolved. */
char *path_relative(const char *dir, const char *path);
#endif
