/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_disk.h - inputs as files in memory, opened as disks. */
#ifndef VHD_FUZZ_DISK_H
#define VHD_FUZZ_DISK_H
#include "chain/chain.h"
#include "fuzz.h"
#include "io/io_mem.h"

/* What is looked at of a disk: all of a small one. */
#define LOOK_BYTES (128u << 10)

/* A fresh file system; what files may take together is bounded. */
struct fs *disk_fs(void);
void disk_put(struct fs *fs, const char *path, struct part image);
void disk_copy(struct fs *fs, const char *from, const char *to);

/* Open one file alone, or with its parents; NULL: refused. */
struct chain *disk_open(struct fs *fs, const char *path, uint32_t flags);

/* A range at the beginning of a disk, or at its end, in whole sectors. */
struct window {
	uint64_t offset;
	size_t length;
};
struct window disk_window(uint64_t size, bool at_end);

/* Are the two files the same, byte for byte? */
bool disk_same(struct fs *fs, const char *a, const char *b);
#endif
