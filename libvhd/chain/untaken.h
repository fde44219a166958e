/* SPDX-License-Identifier: BSD-3-Clause */
/* untaken.h - what is left of a snapshot that was not taken. */
#ifndef VHDI_UNTAKEN_H
#define VHDI_UNTAKEN_H
#include <stdbool.h>

#include "io/io.h"

/* Is this an empty image that is where its own parent should be?  Where files
 * have one name each, a snapshot puts one there before it exchanges the two;
 * until then it is nothing. */
bool is_untaken(const struct fs *fs, const char *path);
#endif
