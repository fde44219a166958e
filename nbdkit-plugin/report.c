/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.c - tell nbdkit, and through it the client, what failed.
 */
#include "report.h"

#include "plugin.h"

#include <errno.h>
#include <vhd.h>

/* NBD knows few errors, and what it does not know becomes EINVAL on the wire,
 * as if the client had asked for something foolish. */
static int
nearest(int sys)
{
	switch (sys) {
	case EPERM:
	case EROFS:
	case ENOMEM:
	case EINVAL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case ENOTSUP:
	case ESHUTDOWN:
		return sys;
	case EACCES:
		return EPERM;
	default:
		return EIO;
	}
}

int
report(void)
{
	nbdkit_error("%s", vhd_last_message());
	nbdkit_set_error(nearest(vhd_errno()));
	return -1;
}

int
report_errno(int sys, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	nbdkit_verror(format, ap);
	va_end(ap);
	nbdkit_set_error(nearest(sys));
	return -1;
}
