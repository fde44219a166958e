/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * report.h - tell nbdkit, and through it the client, what failed.
 */
#ifndef NBDKIT_VHD_REPORT_H
#define NBDKIT_VHD_REPORT_H

/* Log the sentence of the library's last failure in this thread, and choose
 * the error that the client sees; returns -1, for callbacks to return. */
int report(void);

/* The same with an error of our own. */
int report_errno(int sys, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
#endif
