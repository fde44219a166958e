/* SPDX-License-Identifier: BSD-3-Clause */
/* door.c - what the functions of vhd.h have in common.
 *
 * A struct of options or of results begins with its size, so that a program
 * built against an older or a newer header is understood. */
#include "door.h"

#include <string.h>

#include "base/error.h"

/* Fields that the caller does not know are zero; fields that we do not know
 * must be. */
int
door_copy(void *to, size_t to_size, const void *from)
{
	const unsigned char *bytes = from;
	size_t size;

	memset(to, 0, to_size);
	if (!from) {
		memcpy(to, &to_size, sizeof(to_size));
		return 0;
	}
	memcpy(&size, from, sizeof(size));
	if (size < sizeof(size) || size > 4096)
		return fail(VHD_E_INVALID,
			    "an options struct was not started with its "
			    "_INIT macro (its size is %zu)",
			    size);
	for (size_t i = to_size; i < size; i++)
		if (bytes[i])
			return fail(VHD_E_INVALID,
				    "an option that this version of libvhd "
				    "does not know is set");
	memcpy(to, from, size < to_size ? size : to_size);
	return 0;
}

void
door_give(void *ret, const void *from, size_t size)
{
	size_t known;

	memcpy(&known, ret, sizeof(known));
	if (known > size)
		known = size;
	memcpy((char *)ret + sizeof(known), (const char *)from + sizeof(known),
	       known - sizeof(known));
}

int
door_need(const void *argument, const char *name)
{
	if (argument)
		return 0;
	return fail(VHD_E_INVALID, "the argument %s is NULL", name);
}

int
door_job_opts(const struct vhd_job_opts **ret, struct vhd_job_opts *room,
	      const struct vhd_job_opts *opts)
{
	*ret = opts ? room : NULL;
	return opts ? door_copy(room, sizeof(*room), opts) : 0;
}
