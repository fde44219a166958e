/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * say.c - messages to the person at the terminal.
 */
#include "say.h"

#include "cmd.h"
#include "exit.h"

#include <stdarg.h>
#include <stdio.h>

void
say_plain(FILE *to, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p != '\0'; p++) {
		/* C1 controls arrive as the two bytes C2 80 to C2 9F. */
		if (p[0] == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0)
			fprintf(to, "\\x%02x", *++p);
		else if (*p < 0x20 || *p == 0x7F)
			fprintf(to, "\\x%02x", *p);
		else
			fputc(*p, to);
	}
}

void
say(const char *format, ...)
{
	char sentence[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	fputs("vhdtool: ", stderr);
	say_plain(stderr, sentence);
	fputc('\n', stderr);
}

int
say_err(int err)
{
	if (err == VHD_E_CANCELLED && interrupted())
		say("interrupted; every image is consistent, and the same "
		    "command carries on");
	else
		say("%s", vhd_last_message());
	return exit_from_err(err);
}
