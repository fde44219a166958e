/* SPDX-License-Identifier: BSD-3-Clause */
/* locator.c - paths in and out of parent locators (format 9).
 *
 * A path out of a locator is a hostile string: what comes out of here is
 * valid UTF-8 without NUL, and nothing else is promised.  Whether it may be
 * followed is decided with path_is_absolute() and path_escapes(). */
#include <string.h>

#include "base/arith.h"
#include "base/bytes.h"
#include "base/utf.h"
#include "format/dynhdr.h"

static const char url_plain[] = "-_.!~*'():@&=+$,/"; /* and letters, digits */

uint64_t
locator_space(const struct locator *l)
{
	/* In sectors by the book; in bytes by Windows and most others. */
	if (l->space < SECTOR_SIZE)
		return (uint64_t)l->space * SECTOR_SIZE;
	return l->space;
}

void
locator_code_text(char ret[static 5], uint32_t code)
{
	if (code == PLATFORM_NONE) {
		memcpy(ret, "none", 5);
		return;
	}
	for (int i = 0; i < 4; i++) {
		char c = (char)(code >> (24 - 8 * i) & 0x7f);

		ret[i] = '?';
		if (c >= 0x20 && c < 0x7f && !(code >> (31 - 8 * i) & 1))
			ret[i] = c;
	}
	ret[4] = '\0';
}

/* Text of one-byte characters: the deprecated Windows codes, and URLs.  The
 * code page of the former is not stored; ASCII is the same in all. */
static bool
text_bytes(char *ret, size_t ret_size, const uint8_t *data, size_t length)
{
	const uint8_t *nul = length ? memchr(data, 0, length) : NULL;
	size_t n = nul ? (size_t)(nul - data) : length;

	if (n >= ret_size)
		return false;
	if (n)
		memcpy(ret, data, n);
	ret[n] = '\0';
	return utf8_valid(ret);
}

/* Some writers have mistaken the byte order: text whose every even byte is
 * zero is big-endian. */
static enum utf16_order
order_of(const uint8_t *data, size_t length)
{
	if (length < 2 || data[1] == 0)
		return UTF16_LE;
	for (size_t i = 0; i + 1 < length; i += 2)
		if (data[i])
			return UTF16_LE;
	return UTF16_BE;
}

static bool
text_of(char *ret, size_t ret_size, uint32_t code, const uint8_t *data,
	size_t length)
{
	switch (code) {
	case PLATFORM_W2RU:
	case PLATFORM_W2KU:
		return utf16_to_utf8(ret, ret_size, data, length,
				     order_of(data, length));
	case PLATFORM_WI2R:
	case PLATFORM_WI2K:
	case PLATFORM_MACX:
		return text_bytes(ret, ret_size, data, length);
	default:
		return false;
	}
}

bool
locator_text(char *ret, size_t ret_size, uint32_t code, const uint8_t *data,
	     size_t length)
{
	if (ret_size == 0)
		return false;
	if (text_of(ret, ret_size, code, data, length) && ret[0])
		return true;
	ret[0] = '\0';
	return false;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What the %XX at from stands for; -1: nothing, or NUL, which no path has. */
static int
percent_value(const uint8_t *from, size_t left)
{
	int high = left > 2 ? hex_value((char)from[1]) : -1;
	int low = high < 0 ? -1 : hex_value((char)from[2]);

	return low < 0 || high * 16 + low == 0 ? -1 : high * 16 + low;
}

static bool
starts(const uint8_t *data, size_t length, const char *with)
{
	size_t n = strlen(with);

	return length >= n && memcmp(data, with, n) == 0;
}

/* Where in a URL does the path begin?  The host is dropped when it is this
 * one; "." and ".." in its place belong to the path, as XenServer writes it;
 * any other host stays in front as //host. */
static size_t
url_path(const uint8_t *url, size_t length)
{
	size_t scheme = strlen("file:"), host = scheme + 2, end = host;

	if (!starts(url, length, "file:"))
		return 0;
	if (!starts(url, length, "file://"))
		return scheme;
	while (end < length && url[end] != '/')
		end++;
	if (end == host || end == length)
		return host;
	if (starts(url + host, length - host, "./") ||
	    starts(url + host, length - host, "../"))
		return host;
	if (starts(url + host, length - host, "localhost/"))
		return end;
	return scheme;
}

static bool
decode_url(char *ret, size_t ret_size, const uint8_t *data, size_t length)
{
	size_t used = 0, n = strnlen((const char *)data, length);

	for (size_t i = url_path(data, n); i < n; i++) {
		int c = data[i];

		if (c == '%') {
			c = percent_value(data + i, n - i);
			i += 2;
		}
		if (c < 0 || used + 1 >= ret_size)
			return false;
		ret[used++] = (char)c;
	}
	ret[used] = '\0';
	return used > 0 && utf8_valid(ret);
}

static void
turn_slashes(char *text)
{
	for (; *text; text++)
		if (*text == '\\')
			*text = '/';
}

bool
locator_decode(char *ret, size_t ret_size, uint32_t code, const uint8_t *data,
	       size_t length)
{
	if (ret_size == 0)
		return false;
	if (code == PLATFORM_MACX) {
		if (length && decode_url(ret, ret_size, data, length))
			return true;
		ret[0] = '\0';
		return false;
	}
	if (!locator_text(ret, ret_size, code, data, length))
		return false;
	turn_slashes(ret);
	return true;
}

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       (c >= 'a' && c <= 'z');
}

static bool
has_drive(const char *path)
{
	return is_alnum(path[0]) && path[0] > '9' && path[1] == ':';
}

static bool
is_windows(const char *path)
{
	return has_drive(path) || strncmp(path, "\\\\", 2) == 0;
}

/* Relative Windows paths begin with a dot. */
static const char *
front_of(uint32_t code, const char *path)
{
	bool dotted =
		strncmp(path, "./", 2) == 0 || strncmp(path, "../", 3) == 0;

	if (code == PLATFORM_W2RU)
		return dotted ? "" : "./";
	return "";
}

static bool
encode_windows(uint8_t *ret, size_t ret_size, size_t *ret_length, uint32_t code,
	       const char *path)
{
	const char *front = front_of(code, path);
	char text[MAX_PATH_TEXT + 2];
	size_t n = strlen(front), length = strlen(path);

	if (code == PLATFORM_W2RU && path_is_absolute(path))
		return false;
	/* A POSIX name may hold a backslash; Windows could not name it. */
	if (strchr(path, '\\') && !is_windows(path))
		return false;
	if (n + length >= sizeof(text))
		return false;
	memcpy(text, front, n);
	memcpy(text + n, path, length + 1);
	for (char *c = text; *c; c++)
		if (*c == '/')
			*c = '\\';
	if (!utf8_to_utf16(ret, ret_size, &n, text, UTF16_LE) ||
	    order_of(ret, n) != UTF16_LE)
		return false;
	*ret_length = n;
	return true;
}

static bool
put(uint8_t *ret, size_t ret_size, size_t *used, const char *text, size_t n)
{
	if (ret_size - *used < n)
		return false;
	memcpy(ret + *used, text, n);
	*used += n;
	return true;
}

static bool
encode_url(uint8_t *ret, size_t ret_size, size_t *ret_length, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	const char *front = "file://./";
	size_t used = 0;

	if (path[0] == '/')
		front = "file://";
	else if (strncmp(path, "./", 2) == 0)
		path += 2;
	if (!utf8_valid(path) ||
	    !put(ret, ret_size, &used, front, strlen(front)))
		return false;
	for (; *path; path++) {
		uint8_t b = (uint8_t)*path;
		char escape[3] = {'%', hex[b >> 4], hex[b & 15]};
		bool plain = is_alnum(*path) || strchr(url_plain, *path);

		if (!put(ret, ret_size, &used, plain ? path : escape,
			 plain ? 1 : 3))
			return false;
	}
	*ret_length = used;
	return true;
}

bool
locator_encode(uint8_t *ret, size_t ret_size, size_t *ret_length, uint32_t code,
	       const char *path)
{
	if (!path[0])
		return false;
	switch (code) {
	case PLATFORM_W2RU:
	case PLATFORM_W2KU:
		return encode_windows(ret, ret_size, ret_length, code, path);
	case PLATFORM_MACX:
		return encode_url(ret, ret_size, ret_length, path);
	default:
		return false;
	}
}

bool
path_is_absolute(const char *path)
{
	return path[0] == '/' || path[0] == '\\' || has_drive(path);
}

/* Any "..", wherever it stands: a directory before it may be a link. */
bool
path_escapes(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/\\");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += n + (path[n] != '\0');
	}
	return false;
}
