/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * snapshot.h - what the snapshot commands share.
 */
#ifndef VHDTOOL_SNAPSHOT_H
#define VHDTOOL_SNAPSHOT_H
#include "opt.h"
#include "value.h"

#include <vhd.h>

/* Where a tree is. */
struct tree_place {
	struct words search;
	bool raw_parent;
};

#define OPT_PLACE(type, member)                                                \
	{                                                                      \
		.name = "search",                                              \
		.value = "DIR",                                                \
		.help = "look for images of the tree in DIR too; may be "      \
			"repeated",                                            \
		.read = value_words,                                           \
		.to = offsetof(type, member.search),                           \
	},                                                                     \
	{                                                                      \
		.name = "raw-parent",                                          \
		.help = "allow a parent that is a raw disk, not a VHD",        \
		.to = offsetof(type, member.raw_parent),                       \
	}

struct vhd_snapshot_opts snapshot_opts(const struct tree_place *place);
#endif
