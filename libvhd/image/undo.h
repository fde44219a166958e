/* SPDX-License-Identifier: BSD-3-Clause */
/* undo.h - keep what a repair overwrites, and put it back.
 *
 * An undo file is made when the first byte is about to change, and what it
 * holds is durable before the image is written to.  All integers are
 * big-endian; crc is that of zlib.
 *
 *	header   0  8  "vhd-undo"
 *	         8  4  1, the version of this format
 *	        12  4  crc of these 64 bytes, with this field zero
 *	        16 16  UUID of the image
 *	        32  8  size of the image file before the repair
 *	        40 24  zero
 *	record   0  8  offset in the image
 *	         8  4  length, 1 to 512; 0: the file gets a new size, offset
 *	        12  4  crc of the bytes that will replace the old ones
 *	        16  4  crc of the record, with this field zero
 *	        20  -  the old bytes
 *
 * A record that is cut off or does not match its crc ends the file: what it
 * was to protect had not been changed yet. */
#ifndef VHDI_UNDO_H
#define VHDI_UNDO_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io.h"

#define UNDO_PIECE 512u /* bytes in one record at most */

struct undo;

/* Nothing is created until the first record.  VHD_E_EXISTS then if something
 * has that name.  fs and path stay the caller's. */
int undo_new(struct undo **ret, const struct fs *fs, const char *path,
	     const uint8_t uuid[static 16], uint64_t size) MUST_CHECK;
void undo_free(struct undo *u);

int undo_keep(struct undo *u, uint64_t offset, const uint8_t *old,
	      uint32_t length, const uint8_t *replacement) MUST_CHECK;
int undo_keep_size(struct undo *u, uint64_t new_size) MUST_CHECK;

/* Everything kept so far survives a power cut. */
int undo_flush(struct undo *u) MUST_CHECK;

/* Put everything back, when the file is the one that was repaired and has not
 * been changed since (VHD_E_POLICY).  VHD_E_FORMAT: not an undo file. */
int undo_apply(struct io *image, struct io *undo) MUST_CHECK;
#endif
