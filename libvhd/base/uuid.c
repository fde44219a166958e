/* SPDX-License-Identifier: BSD-3-Clause */
/* uuid.c - UUIDs by way of libuuid. */
#include "base/uuid.h"

#include <string.h>

/* libuuid has a function of the same name as one of ours. */
#define uuid_is_null libuuid_is_null
#include <uuid/uuid.h>
#undef uuid_is_null

void
uuid_make(uint8_t ret[static 16])
{
	uuid_generate_random(ret);
}

bool
uuid_equal(const uint8_t a[static 16], const uint8_t b[static 16])
{
	return memcmp(a, b, 16) == 0;
}

void
uuid_text(char ret[static UUID_TEXT_SIZE], const uint8_t a[static 16])
{
	uuid_unparse_lower(a, ret);
}

bool
uuid_read(uint8_t ret[static 16], const char *text)
{
	uuid_t read;

	if (strlen(text) != UUID_TEXT_SIZE - 1 || uuid_parse(text, read) != 0)
		return false;
	memcpy(ret, read, 16);
	return true;
}
