/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * scan.h - the images in some places, as one result.
 */
#ifndef VHDTOOL_SCAN_H
#define VHDTOOL_SCAN_H
#include "value.h"

#include <jansson.h>

/* An array of images, children after parents, as "tree --json" prints it.  A
 * directory stands for all that is in it, a file for the tree that it belongs
 * to. */
int scan_images(json_t **ret, const struct words *paths);

/* Of one of them, to be freed: what is remarkable about it, in words, or "";
 * and when it was made, for people. */
char *scan_remark(const json_t *image);
char *scan_created(const json_t *image);

/* The error without its path. */
const char *scan_why_unread(const json_t *image);
#endif
