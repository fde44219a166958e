/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exports.h - which disk a client gets for which name.
 */
#ifndef NBDKIT_VHD_EXPORTS_H
#define NBDKIT_VHD_EXPORTS_H
#include "disks.h"

struct nbdkit_exports;

/* The disk that a client asks for by name; reports its failures. */
int export_open(struct disk **ret, const char *name, bool readonly);

/* The callbacks of nbdkit. */
int export_list(int readonly, int is_tls, struct nbdkit_exports *exports);
const char *export_default(int readonly, int is_tls);
const char *export_describe(void *handle);
#endif
