/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * say.h - messages: on the terminal, and in the system's log once there is no
 * terminal any more.
 */
#ifndef VHDFUSE_SAY_H
#define VHDFUSE_SAY_H
#include <fuse_log.h>

/* "vhdfuse: sentence". */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for what a guest can cause: at most one a second. */
void say_sometimes(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* From now on messages go to the system's log. */
void say_to_log(void);

/* libfuse's messages.  From say_hold() on they are kept instead of shown, until
 * say_held() returns them; "" if there was none. */
void say_fuse(enum fuse_log_level level, const char *format, va_list ap);
void say_hold(void);
const char *say_held(void);
#endif
