/* SPDX-License-Identifier: BSD-3-Clause */
/* newfile.h - a file that appears under its name when it is complete, or not
 * at all.
 *
 *	struct newfile nf;
 *	int err = newfile_begin(&nf, fs, path, force);
 *	if (!err)
 *		err = write to nf.io
 *	return newfile_end(&nf, err);
 *
 * An existing block device is written in place instead. */
#ifndef VHDI_NEWFILE_H
#define VHDI_NEWFILE_H
#include <stdbool.h>

#include "base/error.h"
#include "image/image.h"
#include "io/io.h"

struct newfile {
	const struct fs *fs;
	struct io *io;   /* to write to; NULL once it was handed over */
	char *path;      /* what it is going to be called */
	char *temp;      /* what it is called meanwhile; NULL: in place */
	struct io *old;  /* the file that is replaced, locked; or NULL */
	struct io *mine; /* the new one, locked until it has its name */
	uint64_t room;   /* bytes of a block device, else UINT64_MAX */
};

/* How many bytes could be written to path?  On a device, that is its size.
 * VHD_E_EXISTS unless force. */
int newfile_room(uint64_t *ret, bool *ret_device, const struct fs *fs,
		 const char *path, bool force) MUST_CHECK;

/* VHD_E_EXISTS unless force; VHD_E_BUSY when what would be replaced is in
 * use.  On failure there is nothing to end. */
int newfile_begin(struct newfile *ret, const struct fs *fs, const char *path,
		  bool force) MUST_CHECK;

/* Lay out an image in it.  VHD_E_NOSPACE when a device is too small. */
int newfile_format(struct newfile *nf,
		   const struct image_create *how) MUST_CHECK;

/* With err 0 make the file durable and give it its name, else remove it.
 * Returns err, or what went wrong now. */
int newfile_end(struct newfile *nf, int err) MUST_CHECK;
#endif
