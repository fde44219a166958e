/* SPDX-License-Identifier: BSD-3-Clause */
/* utf.c - UTF-8 and UTF-16, one code point at a time.
 *
 * Decoding is strict everywhere: what is malformed is refused, never
 * repaired, so that no two spellings of a path can mean the same file. */
#include "base/utf.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define MALFORMED UINT32_MAX

static bool
is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

/* How long is the character that starts with this byte?  0: none does. */
static size_t
sequence_length(uint8_t lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if ((lead & 0xf0) == 0xe0)
		return 3;
	return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

/* The code point at text, which ends with a NUL; *ret_length is set unless it
 * is MALFORMED. */
static uint32_t
utf8_next(size_t *ret_length, const char *text)
{
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *b = (const uint8_t *)text;
	size_t n = sequence_length(b[0]);
	uint32_t c;

	if (n == 0)
		return MALFORMED;
	c = n == 1 ? b[0] : b[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((b[i] & 0xc0) != 0x80)
			return MALFORMED;
		c = c << 6 | (b[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || is_surrogate(c))
		return MALFORMED;
	*ret_length = n;
	return c;
}

/* Write one code point; how many bytes that took. */
static size_t
utf8_put(char ret[static 4], uint32_t c)
{
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xc0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		ret[0] = (char)(0xe0 | c >> 12);
		ret[1] = (char)(0x80 | (c >> 6 & 0x3f));
		ret[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	ret[0] = (char)(0xf0 | c >> 18);
	ret[1] = (char)(0x80 | (c >> 12 & 0x3f));
	ret[2] = (char)(0x80 | (c >> 6 & 0x3f));
	ret[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static uint16_t
load_unit(const uint8_t *at, enum utf16_order order)
{
	return order == UTF16_LE ? load_le16(at) : load_be16(at);
}

static void
store_unit(uint8_t *at, uint32_t unit, enum utf16_order order)
{
	if (order == UTF16_LE)
		store_le16(at, (uint16_t)unit);
	else
		store_be16(at, (uint16_t)unit);
}

/* The code point at from, which holds left >= 2 bytes. */
static uint32_t
utf16_next(size_t *ret_length, const uint8_t *from, size_t left,
	   enum utf16_order order)
{
	uint32_t high = load_unit(from, order), low;

	*ret_length = 2;
	if (!is_surrogate(high))
		return high;
	if (high >= 0xdc00 || left < 4)
		return MALFORMED;
	low = load_unit(from + 2, order);
	if (low < 0xdc00 || low > 0xdfff)
		return MALFORMED;
	*ret_length = 4;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

bool
utf16_to_utf8(char *ret, size_t ret_size, const uint8_t *from,
	      size_t from_bytes, enum utf16_order order)
{
	size_t used = 0, length;

	if (ret_size == 0)
		return false;
	ret[0] = '\0';
	for (size_t i = 0; from_bytes - i >= 2; i += length) {
		char text[4];
		uint32_t c;
		size_t n;

		c = utf16_next(&length, from + i, from_bytes - i, order);
		if (c == 0)
			break;
		n = c == MALFORMED ? 0 : utf8_put(text, c);
		if (n == 0 || ret_size - used <= n) {
			ret[0] = '\0';
			return false;
		}
		memcpy(ret + used, text, n);
		used += n;
	}
	ret[used] = '\0';
	return true;
}

bool
utf8_to_utf16(uint8_t *ret, size_t ret_size, size_t *ret_bytes,
	      const char *from, enum utf16_order order)
{
	size_t used = 0, length;

	for (; *from; from += length) {
		uint32_t c = utf8_next(&length, from);
		size_t n = c > 0xffff ? 4 : 2;

		if (c == MALFORMED || ret_size - used < n)
			return false;
		if (n == 4) {
			c -= 0x10000;
			store_unit(ret + used, 0xd800 + (c >> 10), order);
			store_unit(ret + used + 2, 0xdc00 + (c & 0x3ff), order);
		} else {
			store_unit(ret + used, c, order);
		}
		used += n;
	}
	*ret_bytes = used;
	return true;
}

bool
utf8_valid(const char *text)
{
	size_t length;

	for (; *text; text += length)
		if (utf8_next(&length, text) == MALFORMED)
			return false;
	return true;
}

/* Characters that move a cursor, or turn the writing direction round. */
static bool
is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c ||
	       (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

void
utf8_printable(char *ret, size_t ret_size, const char *text)
{
	size_t used = 0, length;

	if (ret_size == 0)
		return;
	for (; *text; text += length) {
		uint32_t c = utf8_next(&length, text);
		char escape[5];
		bool plain = c != MALFORMED && !is_control(c);

		if (!plain) /* this byte; the rest of its sequence follows */
			length = 1;
		if (ret_size - used <= (plain ? length : 4))
			break;
		(void)snprintf(escape, sizeof(escape), "\\x%02x",
			       (unsigned)(uint8_t)*text);
		memcpy(ret + used, plain ? text : escape, plain ? length : 4);
		used += plain ? length : 4;
	}
	ret[used] = '\0';
}
