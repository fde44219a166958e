/* SPDX-License-Identifier: BSD-3-Clause */
/* uuid.h - make, compare, read and print UUIDs; always as stored bytes. */
#ifndef VHDI_UUID_H
#define VHDI_UUID_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define UUID_TEXT_SIZE 37 /* with its NUL */

void uuid_make(uint8_t ret[static 16]);
bool uuid_equal(const uint8_t a[static 16], const uint8_t b[static 16]);
void uuid_text(char ret[static UUID_TEXT_SIZE], const uint8_t a[static 16]);
bool uuid_read(uint8_t ret[static 16], const char *text);

/* Inline, so that no symbol meets libuuid's function of this name. */
static inline bool
uuid_is_null(const uint8_t a[static 16])
{
	static const uint8_t null[16];

	return memcmp(a, null, 16) == 0;
}
#endif
