/* SPDX-License-Identifier: BSD-3-Clause */
/* io_nbd.h - the disk that an NBD server exports, as a store like a block
 * device: of fixed size, written in place. */
#ifndef VHDI_IO_NBD_H
#define VHDI_IO_NBD_H
#include "io/io.h"

/* Its paths are URIs.  It has no names to list or change, so nothing an image
 * says can lead here. */
extern const struct fs fs_nbd;

/* nbd://, nbds://, nbd+unix:// and nbds+unix://. */
bool io_nbd_is_uri(const char *path);

/* Where a path that the user gave leads: fs_nbd, or `files`. */
const struct fs *io_nbd_fs_of(const char *path, const struct fs *files);
#endif
