/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plugin.h - the version of nbdkit's interface that every file here uses.
 */
#ifndef NBDKIT_VHD_PLUGIN_H
#define NBDKIT_VHD_PLUGIN_H
#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>
#endif
