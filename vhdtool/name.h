/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * name.h - the words for the enums of vhd.h; those of --json stay as they are.
 */
#ifndef VHDTOOL_NAME_H
#define VHDTOOL_NAME_H
#include <vhd.h>

const char *name_of_type(enum vhd_type type);
const char *name_of_parent_status(enum vhd_parent_status status);
const char *name_of_footer_copies(enum vhd_footer_copies copies);
const char *name_of_severity(enum vhd_severity severity);
#endif
