/* SPDX-License-Identifier: BSD-3-Clause */
/* oracle.c - sets of values that a sector may have. */
#include "oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/iszero.h"
#include "crash_seen.h"

void
oracle_fill(uint8_t ret[512], uint32_t sector, uint32_t value)
{
	if (value == VALUE_ZERO) {
		memset(ret, 0, 512);
		return;
	}
	for (int i = 0; i < 512; i += 8) {
		store_be32(ret + i, sector);
		store_be32(ret + i + 4, value);
	}
}

uint32_t
oracle_value(const uint8_t bytes[512], uint32_t sector)
{
	uint32_t value = load_be32(bytes + 4);
	uint8_t want[512];

	if (is_zero(bytes, 512))
		return VALUE_ZERO;
	oracle_fill(want, sector, value);
	if (value < VALUE_FIRST || memcmp(bytes, want, 512) != 0)
		return VALUE_BAD;
	return value;
}

static void
start_sector(struct oracle_sector *s, uint32_t value)
{
	*s = (struct oracle_sector){.may = {value}, .n = 1, .now = value};
}

void
oracle_start(struct oracle *oracle, uint32_t value)
{
	for (int i = 0; i < ORACLE_SECTORS; i++)
		start_sector(&oracle->sector[i], value);
}

void
oracle_adopt(struct oracle *oracle, const uint32_t *values)
{
	for (int i = 0; i < ORACLE_SECTORS; i++)
		start_sector(&oracle->sector[i], values[i]);
}

void
oracle_write(struct oracle *oracle, uint32_t sector, uint32_t value)
{
	struct oracle_sector *s = &oracle->sector[sector];

	if (s->n == ORACLE_MOST)
		abort();
	s->may[s->n++] = value;
	s->now = value;
	s->doubted = false;
}

void
oracle_doubt(struct oracle *oracle, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		oracle->sector[i].doubted = true;
}

/* What is there now is to be kept; of a doubted one, whatever it is. */
void
oracle_flush_begin(struct oracle *oracle)
{
	for (int i = 0; i < ORACLE_SECTORS; i++) {
		struct oracle_sector *s = &oracle->sector[i];

		s->taken = s->now;
		s->taken_n = s->doubted ? 0 : s->n;
	}
}

/* What was taken, and what came after. */
void
oracle_flush_done(struct oracle *oracle)
{
	for (int i = 0; i < ORACLE_SECTORS; i++) {
		struct oracle_sector *s = &oracle->sector[i];
		uint32_t later = s->n - s->taken_n;

		if (!s->taken_n)
			continue;
		memmove(s->may + 1, s->may + s->taken_n,
			later * sizeof(*s->may));
		s->may[0] = s->taken;
		s->n = later + 1;
	}
}

void
oracle_settle(struct oracle *oracle, uint32_t sector)
{
	start_sector(&oracle->sector[sector], oracle->sector[sector].now);
}

bool
oracle_allows(const struct oracle *oracle, uint32_t sector, uint32_t value)
{
	const struct oracle_sector *s = &oracle->sector[sector];

	for (uint32_t i = 0; i < s->n; i++)
		if (s->may[i] == value)
			return true;
	return false;
}

uint64_t
oracle_hash(const struct oracle *oracle)
{
	uint64_t hash = 0;

	for (uint32_t i = 0; i < ORACLE_SECTORS; i++)
		for (uint32_t k = 0; k < oracle->sector[i].n; k++) {
			uint64_t value = oracle->sector[i].may[k];

			hash += crash_hash(&value, sizeof(value), i);
		}
	return hash;
}

void
oracle_text(char *ret, uint32_t ret_size, const struct oracle *oracle,
	    uint32_t sector)
{
	const struct oracle_sector *s = &oracle->sector[sector];
	int at = snprintf(ret, ret_size, "sector %u may read", sector);

	for (uint32_t i = 0; i < s->n && at > 0 && (uint32_t)at < ret_size; i++)
		at += snprintf(ret + at, ret_size - (uint32_t)at, "%s %u",
			       i ? "," : "", s->may[i]);
}
