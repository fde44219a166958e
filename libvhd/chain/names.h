/* SPDX-License-Identifier: BSD-3-Clause */
/* names.h - what a file name says about an image: disk@NAME.vhd is a snapshot
 * of disk.vhd, disk@.merging-UUID.vhd is being merged into.  Nothing is ever
 * found by these names; they are for people, and to see what was begun. */
#ifndef VHDI_NAMES_H
#define VHDI_NAMES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SNAPSHOT_NAME_MAX 128 /* bytes */

/* May this be the name of a snapshot? */
bool snapshot_name_valid(const char *name);

/* The name of the snapshot at path, to be freed; NULL in *ret when the file
 * name has none. */
int snapshot_name(char **ret, const char *path) MUST_CHECK;

/* disk@NAME.vhd beside disk.vhd, to be freed; NULL when out of memory. */
char *snapshot_path(const char *disk, const char *name);

/* disk.vhd of disk@ANYTHING.vhd, to be freed; NULL when out of memory. */
char *disk_path(const char *path);

/* Does the name say that the image is being merged into? */
bool is_merging_path(const char *path);

/* The name for path while the image with this UUID is merged into it.  A
 * snapshot's own name is given up, its disk's is kept.  To be freed; NULL when
 * out of memory. */
char *merging_path(const char *path, const uint8_t uuid[static 16]);
#endif
