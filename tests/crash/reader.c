/* SPDX-License-Identifier: BSD-3-Clause */
/* reader.c - a reader of small images, written from the specification. */
#include "reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/iszero.h"

#define MOST_BLOCKS  10240
#define MOST_USED    64
#define NOWHERE      UINT64_MAX
#define BITMAP_BYTES 512u /* blocks of up to 2 MiB */

struct reader {
	const struct mem_data *file;
	char *why;
	size_t why_size;
	bool differencing;
	uint64_t size, table, header;
	uint32_t entries, blocks, block_size;
	uint32_t used[MOST_USED], nused;
	uint8_t bat[MOST_BLOCKS * 4];
};

#define COMPLAIN(reader, ...)                                                  \
	((void)snprintf((reader)->why, (reader)->why_size, __VA_ARGS__), false)

static bool
read_at(struct reader *reader, void *buf, size_t len, uint64_t offset)
{
	uint64_t size = mem_data_size(reader->file);

	if (offset > size || len > size - offset)
		return COMPLAIN(reader,
				"%zu bytes at %" PRIu64
				" lie past the end, %" PRIu64,
				len, offset, size);
	mem_data_read(reader->file, buf, len, offset);
	return true;
}

/* The complement of the sum of all bytes but the field's own. */
static bool
checksum_ok(const uint8_t *bytes, size_t len, size_t field)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += bytes[i];
	for (size_t i = field; i < field + 4; i++)
		sum -= bytes[i];
	return ~sum == load_be32(bytes + field);
}

static bool
is_footer(const uint8_t *f)
{
	uint32_t type = load_be32(f + 60);

	return memcmp(f, "conectix", 8) == 0 && checksum_ok(f, 512, 64) &&
	       (type == 3 || type == 4);
}

/* The end one counts, if it is there; the copy at 0 must be. */
static bool
read_footer(struct reader *reader)
{
	uint8_t start[512], end[512];
	const uint8_t *f = end;

	if (!read_at(reader, start, 512, 0) ||
	    !read_at(reader, end, 512, mem_data_size(reader->file) - 512))
		return false;
	if (!is_footer(start))
		return COMPLAIN(reader, "D1: no footer at 0");
	if (!is_footer(end))
		f = start;
	reader->differencing = load_be32(f + 60) == 4;
	reader->header = load_be64(f + 16);
	reader->size = load_be64(f + 48);
	return true;
}

static bool
read_header(struct reader *reader)
{
	uint8_t h[1024];

	if (!read_at(reader, h, sizeof(h), reader->header))
		return false;
	if (memcmp(h, "cxsparse", 8) != 0 || !checksum_ok(h, 1024, 36))
		return COMPLAIN(reader, "D1: no header at %" PRIu64,
				reader->header);
	reader->table = load_be64(h + 16);
	reader->entries = load_be32(h + 28);
	reader->block_size = load_be32(h + 32);
	if (reader->entries > MOST_BLOCKS ||
	    (uint64_t)reader->entries * reader->block_size < reader->size)
		return COMPLAIN(reader, "D1: %u entries for %" PRIu64 " bytes",
				reader->entries, reader->size);
	reader->blocks = (uint32_t)((reader->size + reader->block_size - 1) /
				    reader->block_size);
	return read_at(reader, reader->bat, reader->entries * 4u,
		       reader->table);
}

static uint64_t
region_of(const struct reader *reader, uint32_t block)
{
	uint32_t value = load_be32(reader->bat + 4u * block);

	return value == UINT32_MAX ? NOWHERE : (uint64_t)value * 512;
}

/* From there on; most of a long table is all ones. */
static bool
next_used(uint32_t *block, const struct reader *reader)
{
	static const uint8_t none[64] = {[0 ... 63] = 0xff};
	uint32_t b = *block;

	while (b + 16 <= reader->blocks &&
	       !memcmp(reader->bat + 4u * b, none, 64))
		b += 16;
	while (b < reader->blocks && region_of(reader, b) == NOWHERE)
		b++;
	*block = b;
	return b < reader->blocks;
}

static bool
overlap(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a < b + b_len && b < a + a_len;
}

static bool
check_region(struct reader *reader, uint32_t block)
{
	uint64_t bytes = BITMAP_BYTES + reader->block_size;
	uint64_t at = region_of(reader, block);

	if (at == NOWHERE)
		return true;
	if (at + bytes > mem_data_size(reader->file))
		return COMPLAIN(reader,
				"D2: block %u at %" PRIu64
				" ends past %" PRIu64,
				block, at, mem_data_size(reader->file));
	if (overlap(at, bytes, 0, 512) ||
	    overlap(at, bytes, reader->header, 1024) ||
	    overlap(at, bytes, reader->table, reader->entries * 4u))
		return COMPLAIN(reader,
				"D2: block %u at %" PRIu64 " lies on metadata",
				block, at);
	for (uint32_t i = 0; i < reader->nused; i++)
		if (overlap(at, bytes, region_of(reader, reader->used[i]),
			    bytes))
			return COMPLAIN(reader,
					"D2: blocks %u and %u overlap at "
					"%" PRIu64,
					reader->used[i], block, at);
	if (reader->nused == MOST_USED)
		return COMPLAIN(reader, "D2: too many blocks");
	reader->used[reader->nused++] = block;
	return true;
}

/* One sector of an allocated block. */
static bool
read_sector(uint32_t *ret, struct reader *reader, const uint8_t *bitmap,
	    uint64_t data, uint32_t sector)
{
	uint32_t i = sector % (reader->block_size / 512);
	bool set = bitmap[i / 8] & (0x80 >> i % 8);
	uint8_t bytes[512];

	if (!read_at(reader, bytes, 512, data + 512 * i))
		return false;
	if (set)
		*ret = oracle_value(bytes, sector);
	else if (!reader->differencing && !is_zero(bytes, 512))
		return COMPLAIN(reader, "D6: data under a clear bit, sector %u",
				sector);
	if (*ret == VALUE_BAD)
		return COMPLAIN(reader,
				"sector %u holds what was never written to "
				"it: %02x%02x%02x%02x %02x%02x%02x%02x",
				sector, bytes[0], bytes[1], bytes[2], bytes[3],
				bytes[4], bytes[5], bytes[6], bytes[7]);
	return true;
}

static bool
read_block(uint32_t *values, struct reader *reader, uint32_t block)
{
	uint32_t per = reader->block_size / 512;
	uint64_t at = region_of(reader, block);
	uint8_t bitmap[BITMAP_BYTES];

	if (at == NOWHERE || block * per >= ORACLE_SECTORS)
		return true;
	if (!read_at(reader, bitmap, sizeof(bitmap), at))
		return false;
	if (!is_zero(bitmap + per / 8, BITMAP_BYTES - per / 8))
		return COMPLAIN(reader,
				"D2: block %u has no bitmap: bits past its %u "
				"sectors are set",
				block, per);
	for (uint32_t s = block * per;
	     s < (block + 1) * per && s < ORACLE_SECTORS &&
	     s < reader->size / 512;
	     s++)
		if (!read_sector(&values[s], reader, bitmap, at + BITMAP_BYTES,
				 s))
			return false;
	return true;
}

bool
reader_read(struct reader_view *ret, const struct mem_data *file, char *why,
	    size_t why_size)
{
	struct reader reader;

	reader.file = file;
	reader.why = why;
	reader.why_size = why_size;
	reader.nused = 0;

	if (!read_footer(&reader) || !read_header(&reader))
		return false;
	ret->size = reader.size;
	ret->differencing = reader.differencing;
	for (int i = 0; i < ORACLE_SECTORS; i++)
		ret->values[i] =
			reader.differencing ? VALUE_PARENT : VALUE_ZERO;
	for (uint32_t b = 0; next_used(&b, &reader); b++)
		if (!check_region(&reader, b))
			return false;
	for (uint32_t b = 0; next_used(&b, &reader); b++)
		if (!read_block(ret->values, &reader, b))
			return false;
	return true;
}

bool
reader_at_rest(const struct mem_data *file)
{
	uint64_t size = mem_data_size(file);
	uint8_t start[512], end[512];

	if (size < 1024)
		return false;
	mem_data_read(file, start, 512, 0);
	mem_data_read(file, end, 512, size - 512);
	return memcmp(start, end, 512) == 0;
}
