/* SPDX-License-Identifier: BSD-3-Clause */
/* utf.h - UTF-8 to and from UTF-16, strictly: no lone surrogate, no overlong
 * form, no code point above U+10FFFF. */
#ifndef VHDI_UTF_H
#define VHDI_UTF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum utf16_order { UTF16_BE, UTF16_LE };

/* UTF-16 bytes to NUL-terminated UTF-8.  Stops at a NUL unit; an odd last
 * byte is ignored.  False when the text is malformed or ret is too small; ret
 * is then "". */
bool utf16_to_utf8(char *ret, size_t ret_size, const uint8_t *from,
		   size_t from_bytes, enum utf16_order order);

/* NUL-terminated UTF-8 to UTF-16 without terminator.  *ret_bytes is what it
 * takes.  False when the text is malformed or does not fit. */
bool utf8_to_utf16(uint8_t *ret, size_t ret_size, size_t *ret_bytes,
		   const char *from, enum utf16_order order);

bool utf8_valid(const char *text);

/* Copy text for a person's eyes: control characters and malformed bytes
 * become \xNN, so that a hostile name cannot drive a terminal.  Truncates on
 * a character boundary.  Always terminates. */
void utf8_printable(char *ret, size_t ret_size, const char *text);
#endif
