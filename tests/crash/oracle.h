/* SPDX-License-Identifier: BSD-3-Clause */
/* oracle.h - what each sector of a disk may read after a power cut: its value
 * as of the last flush that returned, or any that was written later.
 *
 * A value is a number that names one write; its sector is filled with it and
 * with the number of the sector, so that another sector's data, or half of
 * one, is told from its own. */
#ifndef VHD_CRASH_ORACLE_H
#define VHD_CRASH_ORACLE_H
#include <stdbool.h>
#include <stdint.h>

#define ORACLE_SECTORS 80
#define ORACLE_MOST    40 /* values between two flushes */

#define VALUE_PARENT 0u /* not stored in a differencing image */
#define VALUE_ZERO   1u
#define VALUE_FIRST  2u /* the first that a write may have */
#define VALUE_BAD    UINT32_MAX

struct oracle_sector {
	uint32_t may[ORACLE_MOST];
	uint32_t n;
	uint32_t now;
	uint32_t taken; /* what a flush under way is to keep */
	uint32_t taken_n;
	bool doubted;
};

struct oracle {
	struct oracle_sector sector[ORACLE_SECTORS];
};

void oracle_fill(uint8_t ret[512], uint32_t sector, uint32_t value);
uint32_t oracle_value(const uint8_t bytes[512], uint32_t sector);

/* Every sector is this, durably. */
void oracle_start(struct oracle *oracle, uint32_t value);
/* Every sector is what a crash, or a look, says it is, durably. */
void oracle_adopt(struct oracle *oracle, const uint32_t *values);

void oracle_write(struct oracle *oracle, uint32_t sector, uint32_t value);
/* The last write of these failed: any value may be there until the next. */
void oracle_doubt(struct oracle *oracle, uint32_t first, uint32_t count);
void oracle_flush_begin(struct oracle *oracle);
void oracle_flush_done(struct oracle *oracle);
/* A durable write of one sector returned. */
void oracle_settle(struct oracle *oracle, uint32_t sector);

bool oracle_allows(const struct oracle *oracle, uint32_t sector,
		   uint32_t value);
/* A number that tells what it allows. */
uint64_t oracle_hash(const struct oracle *oracle);
/* "sector 7 may read 3, 9 (now)". */
void oracle_text(char *ret, uint32_t ret_size, const struct oracle *oracle,
		 uint32_t sector);
#endif
