/* SPDX-License-Identifier: BSD-3-Clause */
/* mem_data.h - the content of a file in memory: a size and the pages that
 * were written, everything else reads as zero.
 *
 * Contents are shared until they are changed, page by page, so a copy of a
 * large file costs a list of pointers and a copy that is only read costs
 * nothing.  Contents may be shared between threads; one struct mem_data * is
 * changed by one thread at a time. */
#ifndef VHDI_MEM_DATA_H
#define VHDI_MEM_DATA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MEM_PAGE 4096u

struct mem_data;

int mem_data_new(struct mem_data **ret) MUST_CHECK;
struct mem_data *mem_data_share(struct mem_data *data);
void mem_data_free(struct mem_data *data);

uint64_t mem_data_size(const struct mem_data *data);
uint64_t mem_data_pages(const struct mem_data *data);

/* How many pages a write of this range would add. */
uint64_t mem_data_missing(const struct mem_data *data, uint64_t offset,
			  uint64_t length);

/* The range must lie within the size. */
void mem_data_read(const struct mem_data *data, void *buf, size_t len,
		   uint64_t offset);

/* These change *data, which may become another one.  A write past the end
 * makes the size grow; on failure a part may have been written. */
int mem_data_write(struct mem_data **data, const void *buf, size_t len,
		   uint64_t offset) MUST_CHECK;
int mem_data_punch(struct mem_data **data, uint64_t offset,
		   uint64_t length) MUST_CHECK;
int mem_data_resize(struct mem_data **data, uint64_t size) MUST_CHECK;

/* Is offset in a page, and where does the run of pages, or of none, end? */
void mem_data_extent(bool *ret_data, uint64_t *ret_end,
		     const struct mem_data *data, uint64_t offset);
#endif
