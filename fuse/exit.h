/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exit.h - what vhdfuse's exit status means; the table is in vhdfuse(1), and
 * the numbers are those of vhdtool.
 */
#ifndef VHDFUSE_EXIT_H
#define VHDFUSE_EXIT_H
#include <vhd.h>

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOSPACE = 4,
	EXIT_IN_USE = 5,
	EXIT_PARENT = 6,
	EXIT_POLICY = 7,
};

static inline int
exit_from_err(int err)
{
	switch (err) {
	case VHD_OK:
		return EXIT_DONE;
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
	default:
		return EXIT_FAILED;
	}
}
#endif
