/* SPDX-License-Identifier: BSD-3-Clause */
/* utf16.c - whatever six bytes of UTF-16 say, and whatever room there is, the
 * text ends within it and is valid. */
#include "base/utf.h"
#include "proof.h"

int
main(void)
{
	uint8_t from[6];
	char text[8];
	size_t bytes, room;
	bool big_endian;

	GIVEN(bytes <= sizeof(from));
	GIVEN(room > 0 && room <= sizeof(text));
	text[sizeof(text) - 1] = '#';
	if (utf16_to_utf8(text, room, from, bytes,
			  big_endian ? UTF16_BE : UTF16_LE)) {
		size_t n = 0;

		while (n < room && text[n])
			n++;
		CLAIM(n < room);
		CLAIM(utf8_valid(text));
	}
	CLAIM(room == sizeof(text) || text[sizeof(text) - 1] == '#');
	return 0;
}
