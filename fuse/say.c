/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * say.c - messages: on the terminal or in the system's log.
 */
#include <stdarg.h>

#include "say.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#define SENTENCE 2048

static bool to_log, holding;
static char held[512];

/* Control characters, which names of files may hold, as \xNN. */
static void
make_plain(char *to, size_t room, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t used = 0;

	for (; *p != '\0' && used + 5 < room; p++) {
		/* C1 controls arrive as the two bytes C2 80 to C2 9F. */
		bool c1 = p[0] == 0xC2 && p[1] >= 0x80 && p[1] < 0xA0;

		if (c1)
			p++;
		if (c1 || *p < 0x20 || *p == 0x7F)
			used += (size_t)snprintf(to + used, room - used,
						 "\\x%02x", *p);
		else
			to[used++] = (char)*p;
	}
	to[used] = '\0';
}

static void
say_list(const char *format, va_list ap)
{
	char sentence[SENTENCE], plain[SENTENCE];

	vsnprintf(sentence, sizeof(sentence), format, ap);
	make_plain(plain, sizeof(plain), sentence);
	if (to_log)
		syslog(LOG_ERR, "%s", plain);
	else
		fprintf(stderr, "vhdfuse: %s\n", plain);
}

void
say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_list(format, ap);
	va_end(ap);
}

void
say_sometimes(const char *format, ...)
{
	static _Atomic time_t last;
	struct timespec now;
	time_t before;
	va_list ap;

	clock_gettime(CLOCK_MONOTONIC, &now);
	before = atomic_exchange(&last, now.tv_sec);
	if (before == now.tv_sec)
		return;
	va_start(ap, format);
	say_list(format, ap);
	va_end(ap);
}

void
say_to_log(void)
{
	openlog("vhdfuse", LOG_PID, LOG_DAEMON);
	to_log = true;
}

/* Their pieces arrive one by one. */
static void
hold(const char *piece)
{
	size_t used = strlen(held);

	snprintf(held + used, sizeof(held) - used, "%s", piece);
	held[strcspn(held, "\n")] = '\0';
}

void
say_fuse(enum fuse_log_level level, const char *format, va_list ap)
{
	char line[512];

	if (level > FUSE_LOG_WARNING) { /* asked for with -d */
		vfprintf(stderr, format, ap);
		return;
	}
	vsnprintf(line, sizeof(line), format, ap);
	line[strcspn(line, "\n")] = '\0';
	if (holding)
		hold(line);
	else
		say("%s", line);
}

void
say_hold(void)
{
	held[0] = '\0';
	holding = true;
}

const char *
say_held(void)
{
	holding = false;
	return held;
}
