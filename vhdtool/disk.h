/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disk.h - open a disk with the options that commands share.
 */
#ifndef VHDTOOL_DISK_H
#define VHDTOOL_DISK_H
#include "opt.h"
#include "value.h"

#include <vhd.h>

/* How the parents of an image are found. */
struct chain_args {
	struct words search;
	bool raw_parent;
};

#define OPT_CHAIN(type, member)                                                \
	{                                                                      \
		.name = "search",                                              \
		.value = "DIR",                                                \
		.help = "look for parents in DIR too; may be repeated",        \
		.read = value_words,                                           \
		.to = offsetof(type, member.search),                           \
	},                                                                     \
	{                                                                      \
		.name = "raw-parent",                                          \
		.help = "allow a parent that is a raw disk, not a VHD",        \
		.to = offsetof(type, member.raw_parent),                       \
	}

/* For a command that only looks: also while another process writes. */
#define DISK_LOOK (VHD_OPEN_RDONLY | VHD_OPEN_NOLOCK)

struct vhd_open_opts disk_opts(uint32_t flags, const struct chain_args *chain);

/* As vhd_open(); chain may be NULL. */
int disk_open(vhd_t **ret, const char *path, uint32_t flags,
	      const struct chain_args *chain);

/* Close *disk, saying what is wrong; returns the exit status. */
int disk_close(vhd_t **disk);

/* For a disk that was only read: it closes itself. */
#define AUTO_DISK __attribute__((cleanup(disk_drop)))
void disk_drop(vhd_t **disk);
#endif
