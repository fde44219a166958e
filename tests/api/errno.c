/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * errno.c - vhd_errno() tells what the system said, and where it said nothing
 * the nearest errno of the failure.
 */
#include <errno.h>
#include <stdio.h>
#include <vhd.h>

static int
check(const char *what, int want_err, int err, int want_errno)
{
	if (err == want_err && vhd_errno() == want_errno)
		return 0;
	printf("FAIL api-errno: vhd_errno() fits the failure\n"
	       "  %s\n  expected: %s, errno %d\n  got:      %s, errno %d\n",
	       what, vhd_err_name(want_err), want_errno, vhd_err_name(err),
	       vhd_errno());
	return 1;
}

int
main(int argc, char *argv[])
{
	vhd_t *disk = NULL;
	int failed = 0;

	(void)argc;
	failed |= check("open a file that is not there", VHD_E_NOTFOUND,
			vhd_open(&disk, "/nonexistent/disk.vhd", NULL), ENOENT);
	failed |= check("open this program", VHD_E_FORMAT,
			vhd_open(&disk, argv[0], NULL), EINVAL);
	failed |= check("open no path", VHD_E_INVALID,
			vhd_open(&disk, NULL, NULL), EINVAL);
	return failed;
}
