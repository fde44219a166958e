/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_seen.c - a set of numbers, which forgets all of them when it is
 * full. */
#include "crash_seen.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST (1u << 12)
#define ROOM_MOST  (1u << 22)

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93u;
	return x ^ x >> 32;
}

uint64_t
crash_hash(const void *bytes, size_t length, uint64_t seed)
{
	const uint8_t *at = bytes;
	uint64_t hash = mix(seed + 1), word;

	for (size_t i = 0; i + 8 <= length; i += 8) {
		memcpy(&word, at + i, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return mix(hash);
}

static bool
put(uint64_t *slots, size_t room, uint64_t hash)
{
	size_t i = (size_t)hash & (room - 1);

	while (slots[i] && slots[i] != hash)
		i = (i + 1) & (room - 1);
	if (slots[i])
		return false;
	slots[i] = hash;
	return true;
}

static void
grow(struct crash_seen *seen)
{
	size_t room = seen->room ? seen->room * 4 : ROOM_FIRST;
	uint64_t *slots;

	if (room > ROOM_MOST) {
		memset(seen->slots, 0, seen->room * sizeof(*slots));
		seen->n = 0;
		return;
	}
	slots = calloc(room, sizeof(*slots));
	if (!slots)
		abort();
	for (size_t i = 0; i < seen->room; i++)
		if (seen->slots[i])
			(void)put(slots, room, seen->slots[i]);
	free(seen->slots);
	seen->slots = slots;
	seen->room = room;
}

bool
crash_seen_add(struct crash_seen *seen, uint64_t hash)
{
	if (2 * seen->n >= seen->room)
		grow(seen);
	if (!put(seen->slots, seen->room, hash ? hash : 1)) {
		seen->repeated++;
		return false;
	}
	seen->n++;
	return true;
}

void
crash_seen_free(struct crash_seen *seen)
{
	free(seen->slots);
	seen->slots = NULL;
	seen->n = seen->room = 0;
}
