/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * out.c - one tree of results, printed as text or as JSON.
 */
#include "out.h"

#include "exit.h"
#include "memory.h"
#include "say.h"
#include "size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LABEL_WIDTH 16

json_t *
out_object(void)
{
	return must(json_object());
}

json_t *
out_array(void)
{
	return must(json_array());
}

void
out_add(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, must(value)) < 0)
		must(NULL);
}

void
out_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, must(value)) < 0)
		must(NULL);
}

/* How many bytes at p form one character of UTF-8; 0: none do.  jansson has
 * the last word on what UTF-8 is. */
static size_t
utf8_length(const char *p)
{
	size_t most = strnlen(p, 4);

	for (size_t n = 1; n <= most; n++) {
		json_t *value = json_stringn(p, n);

		if (value) {
			json_decref(value);
			return n;
		}
	}
	return 0;
}

static json_t *
replace_odd_bytes(const char *text)
{
	static const char odd[] = "\xEF\xBF\xBD";
	char *clean = must(malloc(3 * strlen(text) + 1));
	char *end = clean;
	json_t *value;

	while (*text != '\0') {
		size_t length = utf8_length(text);

		memcpy(end, length ? text : odd, length ? length : 3);
		end += length ? length : 3;
		text += length ? length : 1;
	}
	*end = '\0';
	value = json_string(clean);
	free(clean);
	return value;
}

json_t *
out_string(const char *text)
{
	json_t *value = json_string(text);

	return must(value ? value : replace_odd_bytes(text));
}

void
out_text(json_t *object, const char *key, const char *text)
{
	if (text)
		out_add(object, key, out_string(text));
	else
		out_null(object, key);
}

void
out_number(json_t *object, const char *key, uint64_t number)
{
	out_add(object, key, json_integer((json_int_t)number));
}

void
out_bool(json_t *object, const char *key, bool value)
{
	out_add(object, key, json_boolean(value));
}

void
out_null(json_t *object, const char *key)
{
	out_add(object, key, json_null());
}

void
out_uuid(json_t *object, const char *key, const uint8_t *uuid)
{
	static const char digits[] = "0123456789abcdef";
	char text[37];
	char *end = text;

	if (!uuid) {
		out_null(object, key);
		return;
	}
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*end++ = '-';
		*end++ = digits[uuid[i] >> 4];
		*end++ = digits[uuid[i] & 15];
	}
	*end = '\0';
	out_text(object, key, text);
}

void
out_time(json_t *object, const char *key, int64_t when)
{
	time_t seconds = (time_t)when;
	char text[64] = "";
	struct tm tm;

	if (!gmtime_r(&seconds, &tm)) {
		out_null(object, key);
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	out_text(object, key, text);
}

const char *
get_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

uint64_t
get_number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

bool
get_bool(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool
is_null(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return !value || json_is_null(value);
}

void
out_row(const char *label, const char *format, ...)
{
	char *value = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&value, format, ap) < 0)
		must(NULL);
	va_end(ap);
	printf("%s%s%*s", label, *label ? ":" : "",
	       LABEL_WIDTH - (int)strlen(label), "");
	say_plain(stdout, value);
	putchar('\n');
	free(value);
}

static void
print_row(const json_t *object, const struct row *row)
{
	char human[SIZE_TEXT_MAX];
	uint64_t number = get_number(object, row->key);

	switch (row->kind) {
	case ROW_TEXT:
		out_row(row->label, "%s", get_text(object, row->key));
		break;
	case ROW_NUMBER:
		out_row(row->label, "%" PRIu64, number);
		break;
	case ROW_BOOL:
		out_row(row->label, "%s",
			get_bool(object, row->key) ? "yes" : "no");
		break;
	case ROW_SIZE:
		size_print(human, number);
		if (number < 1024)
			out_row(row->label, "%s", human);
		else
			out_row(row->label, "%s (%" PRIu64 " bytes)", human,
				number);
		break;
	}
}

void
out_rows(const json_t *object, const struct row *rows)
{
	for (; rows->label; rows++) {
		if (!is_null(object, rows->key))
			print_row(object, rows);
	}
}

int
out_result(const json_t *result, bool json, void (*text)(const json_t *result))
{
	if (json) {
		if (json_dumpf(result, stdout, JSON_INDENT(2)) == 0)
			putchar('\n');
	} else {
		text(result);
	}
	return out_finish();
}

int
out_finish(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return EXIT_DONE;
	say("standard output: %s", strerror(errno));
	return EXIT_FAILED;
}
