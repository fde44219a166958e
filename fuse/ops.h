/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ops.h - requests of the kernel, answered from a view.
 */
#ifndef VHDFUSE_OPS_H
#define VHDFUSE_OPS_H
#include "view.h"

#include <fuse_lowlevel.h>

/* What a session works on: its user data. */
struct ops_state {
	struct view view;
	bool parallel_writes; /* the kernel knows of them */
	void (*ready)(void);  /* called once the kernel has answered */
};

extern const struct fuse_lowlevel_ops ops;
#endif
