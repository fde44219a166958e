/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.c - sizes, times, UUIDs and the like on the command line.
 */
#include "value.h"

#include "memory.h"
#include "size.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A VHD counts seconds in 32 bits from 2000-01-01 (format 3.3). */
#define TIME_FIRST INT64_C(946684800)
#define TIME_LAST  (TIME_FIRST + UINT32_MAX)

const char *
value_text(void *ret, const char *text, const struct choice *choices)
{
	(void)choices;
	if (*text == '\0')
		return "something that is not empty";
	*(const char **)ret = text;
	return NULL;
}

const char *
value_words(void *ret, const char *text, const struct choice *choices)
{
	struct words *words = ret;

	(void)choices;
	if (*text == '\0')
		return "something that is not empty";
	words->items = must(reallocarray(words->items, words->count + 1,
					 sizeof(*words->items)));
	words->items[words->count++] = text;
	return NULL;
}

static const char *
list_choices(const struct choice *choices)
{
	static char list[128];
	size_t used = 0;

	for (const struct choice *c = choices; c->word; c++) {
		const char *comma = c == choices ? ""
				    : c[1].word  ? ", "
						 : " or ";

		used += (size_t)snprintf(list + used, sizeof(list) - used,
					 "%s%s", comma, c->word);
		if (used >= sizeof(list))
			break;
	}
	return list;
}

const char *
value_choice(void *ret, const char *text, const struct choice *choices)
{
	for (const struct choice *c = choices; c->word; c++) {
		if (strcmp(c->word, text) == 0) {
			*(int *)ret = c->value;
			return NULL;
		}
	}
	return list_choices(choices);
}

const char *
value_size(void *ret, const char *text, const struct choice *choices)
{
	(void)choices;
	if (!size_parse(ret, text))
		return "a size such as 127G or 512M";
	return NULL;
}

const char *
value_size_change(void *ret, const char *text, const struct choice *choices)
{
	struct size_change *change = ret;
	struct size_change read = {.relative = *text == '+'};

	(void)choices;
	if (!size_parse(&read.bytes, text + (read.relative ? 1 : 0)))
		return "a size such as 127G, or +10G for ten more";
	*change = read;
	return NULL;
}

const char *
value_block_size(void *ret, const char *text, const struct choice *choices)
{
	uint64_t size;

	(void)choices;
	if (!size_parse(&size, text) || size == 0 || size > UINT32_MAX)
		return "a size such as 2M or 512K";
	*(uint32_t *)ret = (uint32_t)size;
	return NULL;
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *digit = NULL;

	if (c != '\0')
		digit = strchr(digits, tolower((unsigned char)c));
	return digit ? (int)(digit - digits) : -1;
}

const char *
value_uuid(void *ret, const char *text, const struct choice *choices)
{
	static const char form[] =
		"a UUID such as 1b4e28ba-2fa1-11d2-883f-b9a761bde3fb";
	struct uuid_value *uuid = ret;
	struct uuid_value read = {.given = true};

	(void)choices;
	if (strlen(text) != 36)
		return form;
	for (size_t i = 0; i < sizeof(read.bytes); i++) {
		int high, low;

		if (i == 4 || i == 6 || i == 8 || i == 10) {
			if (*text++ != '-')
				return form;
		}
		high = hex_digit(text[0]);
		low = hex_digit(text[1]);
		if (high < 0 || low < 0)
			return form;
		read.bytes[i] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	*uuid = read;
	return NULL;
}

/* "@1319716800". */
static bool
read_seconds(int64_t *ret, const char *text)
{
	char *end;

	if (!isdigit((unsigned char)text[1]))
		return false;
	*ret = strtoll(text + 1, &end, 10);
	return *end == '\0';
}

/* Days, or days and seconds, of the calendar; always UTC. */
static bool
read_calendar(int64_t *ret, const char *text)
{
	static const char *const forms[] = {
		"%Y-%m-%dT%H:%M:%SZ",
		"%Y-%m-%d",
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);

		if (end && *end == '\0') {
			*ret = timegm(&tm);
			return true;
		}
	}
	return false;
}

const char *
value_time(void *ret, const char *text, const struct choice *choices)
{
	int64_t when;
	bool ok;

	(void)choices;
	ok = *text == '@' ? read_seconds(&when, text)
			  : read_calendar(&when, text);
	if (!ok || when < TIME_FIRST || when > TIME_LAST)
		return "a time from 2000 to 2136 such as "
		       "2011-10-27T12:00:00Z, 2011-10-27 or @1319716800";
	*(int64_t *)ret = when;
	return NULL;
}

const char *
value_creator(void *ret, const char *text, const struct choice *choices)
{
	char *creator = ret;
	size_t length = strlen(text);

	(void)choices;
	if (length == 0 || length > 4)
		return "one to four characters such as 'win ' or 'vpc '";
	memset(creator, ' ', 4);
	memcpy(creator, text, length);
	creator[4] = '\0';
	return NULL;
}
