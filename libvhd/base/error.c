/* SPDX-License-Identifier: BSD-3-Clause */
/* error.c - the last failure of each thread.
 *
 * The sentence lives in thread-local storage of fixed size: failing needs no
 * memory and leaves nothing behind when the thread ends.  Every sentence
 * passes through utf8_printable(), because the names in it come from files
 * and end up on terminals. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf.h"

static _Thread_local struct error last;

static int
keep(int code, int sys, const char *sentence)
{
	last.code = code;
	last.sys = sys;
	utf8_printable(last.message, sizeof(last.message), sentence);
	return code;
}

int
fail(int code, const char *fmt, ...)
{
	char sentence[sizeof(last.message)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	return keep(code, 0, sentence);
}

static int
code_of_errno(int sys)
{
	switch (sys) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return VHD_E_NOSPACE;
	case ENOMEM:
		return VHD_E_NOMEM;
	case ENOENT:
		return VHD_E_NOTFOUND;
	case EEXIST:
		return VHD_E_EXISTS;
	default:
		return VHD_E_IO;
	}
}

int
fail_sys(int sys, const char *fmt, ...)
{
	char sentence[sizeof(last.message)];
	char reason[128];
	char whole[sizeof(sentence) + sizeof(reason) + 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	errno = sys; /* %m is strerror() made safe for threads */
	(void)snprintf(reason, sizeof(reason), "%m");
	errno = sys;
	(void)snprintf(whole, sizeof(whole), "%s: %s", sentence, reason);
	return keep(code_of_errno(sys), sys, whole);
}

int
fail_nomem(void)
{
	return keep(VHD_E_NOMEM, ENOMEM, "out of memory");
}

int
fail_more(int code, const char *fmt, ...)
{
	char front[sizeof(last.message)];
	char whole[2 * sizeof(last.message) + 2];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(front, sizeof(front), fmt, ap);
	va_end(ap);
	(void)snprintf(whole, sizeof(whole), "%s: %s", front, last.message);
	return keep(code, last.sys, whole);
}

void
error_save(struct error *ret)
{
	*ret = last;
}

int
error_restore(const struct error *from)
{
	last = *from;
	return last.code;
}

const char *
error_message(void)
{
	return last.message;
}

int
error_sys(void)
{
	return last.sys;
}

/* What each code is called, and the errno a FUSE or NBD client gets for it. */
static const struct {
	const char *name;
	int nearest;
} codes[] = {
	[-VHD_OK] = {"ok", 0},
	[-VHD_E_NOMEM] = {"out of memory", ENOMEM},
	[-VHD_E_IO] = {"input/output", EIO},
	[-VHD_E_INVALID] = {"invalid", EINVAL},
	[-VHD_E_RANGE] = {"range", EINVAL},
	[-VHD_E_FORMAT] = {"not a vhd", EINVAL},
	[-VHD_E_CORRUPT] = {"corrupt", EIO},
	[-VHD_E_UNSUPPORTED] = {"unsupported", ENOTSUP},
	[-VHD_E_NOPARENT] = {"no parent", ENOENT},
	[-VHD_E_PARENT] = {"wrong parent", EINVAL},
	[-VHD_E_READONLY] = {"read only", EROFS},
	[-VHD_E_BUSY] = {"busy", EBUSY},
	[-VHD_E_TOOBIG] = {"too big", EFBIG},
	[-VHD_E_CANCELLED] = {"cancelled", ECANCELED},
	[-VHD_E_DIFFERS] = {"differs", EINVAL},
	[-VHD_E_NOSPACE] = {"no space", ENOSPC},
	[-VHD_E_POLICY] = {"policy", EPERM},
	[-VHD_E_CHILDREN] = {"has children", EBUSY},
	[-VHD_E_EXISTS] = {"exists", EEXIST},
	[-VHD_E_NOTFOUND] = {"not found", ENOENT},
};
#define NCODES ((int)(sizeof(codes) / sizeof(codes[0])))

static bool
is_known(int code)
{
	return code <= 0 && code > -NCODES;
}

const char *
error_name(int code)
{
	return is_known(code) ? codes[-code].name : "unknown";
}

int
error_errno_of(int code)
{
	return is_known(code) ? codes[-code].nearest : EIO;
}
