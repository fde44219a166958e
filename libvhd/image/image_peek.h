/* SPDX-License-Identifier: BSD-3-Clause */
/* image_peek.h - who is this file?  Reads the footers and the header, and
 * nothing else, so that a directory of thousands can be looked through. */
#ifndef VHDI_IMAGE_PEEK_H
#define VHDI_IMAGE_PEEK_H
#include "image/find.h"
#include "io/io.h"

struct peek {
	struct found found;
	struct io_id id;
	uint64_t actual_size;
	bool block_device;
};

/* path must not be a symbolic link (VHD_E_POLICY): whoever wants one followed
 * resolves it first, and sees where it leads.  flags as for find_footer. */
int image_peek(struct peek *ret, const struct fs *fs, const char *path,
	       unsigned flags) MUST_CHECK;
#endif
