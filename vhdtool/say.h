/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * say.h - messages to the person at the terminal, on stderr.
 */
#ifndef VHDTOOL_SAY_H
#define VHDTOOL_SAY_H
#include <stdio.h>

/* "vhdtool: sentence". */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Say what the library said about err; returns the exit status for it. */
int say_err(int err);

/* Print text that came out of an image or a file name, its control
 * characters as \xNN: it may be hostile to a terminal. */
void say_plain(FILE *to, const char *text);
#endif
