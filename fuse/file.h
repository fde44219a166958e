/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * file.h - an open file of the mount: a window onto a disk.
 *
 * Results are what a FUSE reply takes: 0 or a count, or an errno value,
 * negative.  Everything but file_close() may run on many threads at once.
 */
#ifndef VHDFUSE_FILE_H
#define VHDFUSE_FILE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <vhd.h>

struct file {
	vhd_t *disk;
	uint64_t start;  /* of the window on the disk */
	uint64_t length; /* WHOLE_DISK: as long as the disk is by now */
	bool writable;
	struct file *next; /* kept by whoever opened it */
	struct file **from;
};

#define WHOLE_DISK UINT64_MAX

uint64_t file_size(const struct file *file);

/* May be short, at the end and, if allowed, before a damaged place. */
ssize_t file_read(const struct file *file, void *buf, size_t len,
		  uint64_t offset, bool short_ok);
ssize_t file_write(const struct file *file, const void *buf, size_t len,
		   uint64_t offset, bool durable);
int file_flush(const struct file *file);
int file_allocate(const struct file *file, int mode, uint64_t offset,
		  uint64_t len);

/* As lseek(2) with SEEK_DATA or SEEK_HOLE. */
int file_seek(uint64_t *ret, const struct file *file, uint64_t offset,
	      int whence);
#endif
