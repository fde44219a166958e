/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disks.h - the disks that are open, each shared by all its clients.
 *
 * A disk is known by its path with every link resolved: that is what stays
 * when a snapshot is taken, or layers are merged, while it is open.
 */
#ifndef NBDKIT_VHD_DISKS_H
#define NBDKIT_VHD_DISKS_H
#include <stdbool.h>
#include <vhd.h>

struct disk;

enum disk_access {
	DISK_READ,
	DISK_WRITE,           /* reading only, if the system allows no more */
	DISK_WRITE_OR_PARENT, /* or if other images stand on it */
};

/* Open the disk, or take one more share of it.  Reports its failures. */
int disk_acquire(struct disk **ret, const char *path, enum disk_access access);

/* Give a share back; whoever gives the last one waits until the disk is
 * flushed and closed. */
void disk_release(struct disk *disk);

vhd_t *disk_vhd(const struct disk *disk);
bool disk_is_writable(const struct disk *disk);

/* The server has forked: from now on disks that are open for writing take
 * requests of vhdtool.  -1 when control= was given and cannot be had. */
int disks_start_control(struct disk *served);

/* When the server ends: make durable what clients that would not go wrote. */
void disks_flush(void);
#endif
