/* SPDX-License-Identifier: BSD-3-Clause */
/* find.h - find the footer and the dynamic header of a file (format 4.4).
 *
 * This is what every look at a file begins with, so it is also where a file
 * that is no VHD is told what it is instead.  Nothing but the footers and the
 * header is read, whatever the size of the file. */
#ifndef VHDI_FIND_H
#define VHDI_FIND_H
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "format/dynhdr.h"
#include "format/footer.h"
#include "io/io.h"

/* Beside enum image_flags: do not look for a footer in front of padding. */
#define FIND_NO_SCAN     (1u << 16)
#define FIND_SCAN_BYTES  (16u << 20)
#define FIND_SCAN_WINDOW (1u << 20)

struct found {
	struct footer footer; /* the one that counts */
	struct dynhdr hdr;    /* of a sparse image, else zero */
	struct footer other;  /* the other copy, where it differs */
	bool has_other;
	uint64_t footer_offset; /* of the end footer; NO_OFFSET if unusable */
	uint64_t tail_length;   /* its bytes: 512, or 511 (format 4.1) */
	uint64_t file_size;
	unsigned defects; /* enum image_defect */
};

/* VHD_E_FORMAT: not a VHD.  VHD_E_CORRUPT, VHD_E_UNSUPPORTED: a VHD that
 * cannot be used.  A valid end footer decides the type, whatever a guest may
 * have written to the first sector of a fixed disk. */
int find_footer(struct found *ret, struct io *io, unsigned flags) MUST_CHECK;
#endif
