/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exit.h - what vhdtool's exit status means; the table is in vhdtool(1).
 */
#ifndef VHDTOOL_EXIT_H
#define VHDTOOL_EXIT_H
#include <vhd.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_FOUND = 3, /* check: damage; compare: a difference */
	EXIT_NOSPACE = 4,
	EXIT_IN_USE = 5,
	EXIT_PARENT = 6,
	EXIT_POLICY = 7,
	EXIT_INTERRUPTED = 8,
};

static inline int
exit_from_err(int err)
{
	switch (err) {
	case VHD_OK:
		return EXIT_DONE;
	case VHD_E_DIFFERS:
		return EXIT_FOUND;
	case VHD_E_NOSPACE:
		return EXIT_NOSPACE;
	case VHD_E_BUSY:
		return EXIT_IN_USE;
	case VHD_E_NOPARENT:
	case VHD_E_PARENT:
		return EXIT_PARENT;
	case VHD_E_POLICY:
	case VHD_E_CHILDREN:
		return EXIT_POLICY;
	case VHD_E_CANCELLED:
		return EXIT_INTERRUPTED;
	default:
		return EXIT_FAILED;
	}
}
#endif
