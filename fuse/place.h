/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * place.h - may a disk be mounted there?
 */
#ifndef VHDFUSE_PLACE_H
#define VHDFUSE_PLACE_H
#include <sys/stat.h>
#include <vhd.h>

struct args;

/* EXIT_DONE and what the mount point is, or the exit status. */
int place_check(struct stat *ret, const struct args *args);

/* EXIT_DONE, or the exit status when an image of the disk, or a directory
 * that parents are looked for in, would be hidden by a mount there: whoever
 * opened it again would wait for ourselves. */
int place_check_images(vhd_t *disk, const struct args *args,
		       const struct stat *mountpoint);
#endif
