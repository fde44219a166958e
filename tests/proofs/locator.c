/* SPDX-License-Identifier: BSD-3-Clause */
/* locator.c - whatever five bytes a locator of whatever kind has, and whatever
 * room there is, the path ends within it and is valid text. */
#include "base/utf.h"
#include "format/dynhdr.h"
#include "proof.h"

#define MOST 5u

/* CBMC has no idea of these two. */
size_t
strnlen(const char *text, size_t most)
{
	size_t n = 0;

	while (n < most && text[n])
		n++;
	return n;
}

void *
memchr(const void *bytes, int what, size_t n)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n; i++)
		if (b[i] == what)
			return (void *)(b + i);
	return NULL;
}

static void
check_text(const char *text, size_t room)
{
	size_t n = 0;

	while (n < room && text[n])
		n++;
	CLAIM(n > 0 && n < room);
	CLAIM(utf8_valid(text));
}

int
main(void)
{
	uint8_t data[MOST];
	char text[MOST];
	size_t length, room;
	uint32_t code;
	bool as_path;

	GIVEN(length <= MOST && room <= MOST);
	text[MOST - 1] = '#';
	if ((as_path ? locator_decode : locator_text)(text, room, code, data,
						      length))
		check_text(text, room);
	CLAIM(room == MOST || text[MOST - 1] == '#');
	return 0;
}
