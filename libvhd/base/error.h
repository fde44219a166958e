/* SPDX-License-Identifier: BSD-3-Clause */
/* error.h - fail with a code and one sentence.
 *
 * Where a failure is discovered, say so once:
 *	return fail(VHD_E_CORRUPT, "%s: block %u lies past the end", ...);
 * and return the code untouched from there up.  The sentence has no full
 * stop and no function name; it names the file, the value found, the value
 * allowed and, after a semicolon, what to do.  It is kept per thread in a
 * fixed buffer, so nothing is allocated on the way out. */
#ifndef VHDI_ERROR_H
#define VHDI_ERROR_H
#include <stddef.h>

#include <vhd.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* What one thread knows about its last failure; enough to carry it to
 * another thread. */
struct error {
	int code;
	int sys; /* errno, 0 when the system was not at fault */
	char message[512];
};

/* Set the sentence and return code, which is never 0. */
int fail(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

/* The same when the system refused: sys is the errno it gave.  ENOSPC, EDQUOT
 * and EFBIG become VHD_E_NOSPACE, ENOMEM VHD_E_NOMEM, ENOENT
 * VHD_E_NOTFOUND, EEXIST VHD_E_EXISTS, others VHD_E_IO.  The text of the error
 * is added. */
int fail_sys(int sys, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

int fail_nomem(void);

/* Put a sentence in front of the present one: "fmt: old". */
int fail_more(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), cold));

/* The failure of this thread, to keep or to hand to another thread. */
void error_save(struct error *ret);
int error_restore(const struct error *from); /* returns its code */

const char *error_message(void);
int error_sys(void);
const char *error_name(int code);
int error_errno_of(int code); /* nearest errno for a code */
#endif
