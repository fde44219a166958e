/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * data.h - the requests of clients, as nbdkit's callbacks; the handle of a
 * connection is its struct disk.
 */
#ifndef NBDKIT_VHD_DATA_H
#define NBDKIT_VHD_DATA_H
#include <stdint.h>

struct nbdkit_extents;

int data_pread(void *handle, void *buf, uint32_t count, uint64_t offset,
	       uint32_t flags);
int data_pwrite(void *handle, const void *buf, uint32_t count, uint64_t offset,
		uint32_t flags);
int data_flush(void *handle, uint32_t flags);
int data_trim(void *handle, uint32_t count, uint64_t offset, uint32_t flags);
int data_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags);
int data_cache(void *handle, uint32_t count, uint64_t offset, uint32_t flags);
int data_extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags,
		 struct nbdkit_extents *extents);
#endif
