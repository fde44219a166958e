/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_locator.c - a code and any bytes as a parent locator; and the same
 * bytes as a path and as a text for people. */
#include "fuzz.h"

#include <string.h>

#include "base/utf.h"
#include "format/dynhdr.h"

static const uint32_t codes[] = {PLATFORM_W2RU, PLATFORM_W2KU, PLATFORM_MACX,
				 PLATFORM_WI2R, PLATFORM_WI2K, PLATFORM_MAC,
				 PLATFORM_NONE, 0x78787878};

/* What was made from a path is that path again, "./" in front forgiven. */
static void
comes_back(uint32_t code, const char *path)
{
	static uint8_t data[MAX_LOCATOR_BYTES];
	static char again[MAX_LOCATOR_BYTES];
	const char *a = again;
	size_t n;

	if (!locator_encode(data, sizeof(data), &n, code, path))
		return;
	CHECK(n <= sizeof(data));
	CHECK(locator_decode(again, sizeof(again), code, data, n));
	if (strncmp(path, "./", 2) == 0)
		path += 2;
	if (strncmp(a, "./", 2) == 0)
		a += 2;
	for (; *path && *a; path++, a++)
		CHECK(*path == *a || (*path == '\\' && *a == '/'));
	CHECK(!*path && !*a);
}

static void
read_as(uint32_t code, const uint8_t *data, size_t size)
{
	char path[MAX_PATH_TEXT], text[MAX_PATH_TEXT];
	bool ok = locator_decode(path, sizeof(path), code, data, size);

	CHECK(ok == (path[0] != '\0'));
	if (!ok)
		return;
	CHECK(utf8_valid(path));
	CHECK(code == PLATFORM_MACX || !strchr(path, '\\'));
	if (locator_text(text, sizeof(text), code, data, size))
		CHECK(utf8_valid(text));
	else
		CHECK(code == PLATFORM_MACX);
	(void)path_is_absolute(path);
	(void)path_escapes(path);
	comes_back(PLATFORM_W2RU, path);
	comes_back(PLATFORM_W2KU, path);
	comes_back(PLATFORM_MACX, path);
}

static void
show(const char *text, size_t room)
{
	char shown[64];

	room = 1 + room % sizeof(shown);
	utf8_printable(shown, room, text);
	CHECK(utf8_valid(shown) && strlen(shown) < room);
	for (const char *c = shown; *c; c++)
		CHECK((uint8_t)*c >= 0x20 && *c != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	read_as(codes[data[0] % 8], data + 1, size - 1);
	text = malloc(size);
	CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	show(text, data[0]);
	if (utf8_valid(text))
		for (int i = 0; i < 3; i++)
			comes_back(codes[i], text);
	free(text);
	return 0;
}
