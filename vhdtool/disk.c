/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disk.c - open a disk with the options that commands share.
 */
#include "disk.h"

#include "exit.h"
#include "say.h"

struct vhd_open_opts
disk_opts(uint32_t flags, const struct chain_args *chain)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;

	opts.flags = flags;
	if (chain) {
		opts.search = chain->search.items;
		opts.nsearch = chain->search.count;
		if (chain->raw_parent)
			opts.flags |= VHD_OPEN_RAW_PARENT;
	}
	return opts;
}

int
disk_open(vhd_t **ret, const char *path, uint32_t flags,
	  const struct chain_args *chain)
{
	struct vhd_open_opts opts = disk_opts(flags, chain);

	return vhd_open(ret, path, &opts);
}

int
disk_close(vhd_t **disk)
{
	vhd_t *closing = *disk;
	int err;

	*disk = NULL;
	err = vhd_close(closing);
	return err ? say_err(err) : EXIT_DONE;
}

void
disk_drop(vhd_t **disk)
{
	(void)vhd_close(*disk);
}
