/* SPDX-License-Identifier: BSD-3-Clause */
/* damages.h - images that a repair can mend, each with one thing wrong. */
#ifndef VHD_TEST_DAMAGES_H
#define VHD_TEST_DAMAGES_H
#include "hand_image.h"

static inline void
damage_end_lost(struct hand *h)
{
	hand_make(h);
	memset(h->bytes + HAND_END, 0, 512);
	h->length += 5 * 4096;
}

static inline void
damage_end_cut(struct hand *h)
{
	hand_make(h);
	h->length = HAND_BLOCK_2 + 512 + HAND_BLOCK;
}

static inline void
damage_end_sum(struct hand *h)
{
	hand_make(h);
	h->bytes[HAND_END + 64] ^= 1;
}

/* Something lies behind: it is kept. */
static inline void
damage_end_buried(struct hand *h)
{
	damage_end_lost(h);
	memset(h->bytes + HAND_LENGTH + 100, 'x', 1000);
	h->length += 100;
}

static inline void
damage_end_in_block(struct hand *h)
{
	hand_make(h);
	memcpy(h->bytes + HAND_BLOCK_2 + HAND_BLOCK, h->bytes, 512);
	h->length = HAND_BLOCK_2 + 512 + HAND_BLOCK;
}

/* With zeros behind that are cut off before the file grows again. */
static inline void
damage_end_in_block_and_zeros(struct hand *h)
{
	damage_end_in_block(h);
	h->length += 454;
}

/* Only the end footer tells the size, and it is not where it will be. */
static inline void
damage_end_in_block_and_copy(struct hand *h)
{
	damage_end_in_block_and_zeros(h);
	h->bytes[49] = 0x47;
	hand_seal(h->bytes, 512, 64);
}

static inline void
damage_end_short(struct hand *h)
{
	hand_make(h);
	h->length--;
}

static inline void
damage_end_odd(struct hand *h)
{
	hand_make(h);
	memmove(h->bytes + HAND_END - 1, h->bytes + HAND_END, 511);
	h->length -= 2;
}

static inline void
damage_copy(struct hand *h)
{
	hand_make(h);
	memset(h->bytes, 'x', 512);
}

static inline void
damage_differ(struct hand *h)
{
	hand_make(h);
	h->bytes[28]++;
	hand_seal_all(h);
}

static inline void
damage_features(struct hand *h)
{
	hand_make(h);
	store_be32(hand_footer(h, 0)->features, 0);
	hand_copy_footer(h);
	hand_seal_all(h);
}

static inline void
damage_next_header(struct hand *h)
{
	hand_make(h);
	memset(hand_header(h)->data_offset, 0, 4);
	hand_seal_all(h);
}

static inline void
damage_reserved(struct hand *h)
{
	hand_make(h);
	hand_header(h)->reserved2[200] = 1;
	hand_seal_all(h);
}

static inline void
damage_locator(struct hand *h)
{
	hand_make_child(h);
	store_be32(hand_header(h)->loc[0].reserved, 1);
	store_be32(hand_header(h)->loc[5].length, 5);
	hand_seal_all(h);
}

static inline void
damage_no_relative_path(struct hand *h)
{
	hand_make_child(h);
	memset(hand_header(h)->loc, 0, sizeof(hand_header(h)->loc));
	hand_seal_all(h);
}

static inline void
damage_end_and_header(struct hand *h)
{
	damage_no_relative_path(h);
	memset(h->bytes + HAND_END, 0, 512);
	h->length += 3000;
}

static inline void
damage_far_entry(struct hand *h)
{
	hand_make(h);
	store_be32(hand_header(h)->bat_entries, 200);
	hand_seal_all(h);
	hand_entry(h, 7, 99);
	hand_entry(h, 199, 99);
}

static inline void
damage_stray_bits(struct hand *h)
{
	hand_make(h);
	memset(h->bytes + HAND_BLOCK_0, 0xff, 512);
	memset(h->bytes + HAND_BLOCK_2, 0xff, 512);
}

static inline void
damage_empty_block(struct hand *h)
{
	hand_make(h);
	memset(h->bytes + HAND_BLOCK_2, 0, 512 + HAND_BLOCK);
}

/* XenServer's: the header of the map at 0x800, the map at 0xa00. */
static inline void
damage_tap(struct hand *h, uint8_t map)
{
	struct disk_batmap *b;

	hand_make(h);
	memcpy(hand_footer(h, 0)->creator_app, "tap", 4);
	store_be32(hand_footer(h, 0)->creator_version, 0x10003);
	hand_copy_footer(h);
	hand_seal_all(h);
	memset(h->bytes + 0x800, 0, 0x400);
	b = (struct disk_batmap *)(h->bytes + 0x800);
	memcpy(b->cookie, "tdbatmap", 8);
	store_be64(b->offset, 0xa00);
	store_be32(b->sectors, 1);
	store_be32(b->version, 0x10002);
	store_be32(b->checksum, ~(uint32_t)map);
	h->bytes[0xa00] = map;
}

static inline void
damage_batmap(struct hand *h)
{
	damage_tap(h, 0xa0);
	h->bytes[0xa00] = 0x80;
}

static inline void
damage_batmap_lies(struct hand *h)
{
	damage_tap(h, 0xf0);
	h->bytes[HAND_BLOCK_0 + 3] = 0;
	memset(h->bytes + HAND_BLOCK_0 + 512 + 24 * 512, 0, 8 * 512);
}

struct damage {
	const char *name;
	void (*make)(struct hand *h);
	const char *found; /* notes left out */
};

static const struct damage damages[] = {
	{"end lost", damage_end_lost, "V04 warning"},
	{"end cut", damage_end_cut, "V04 error"},
	{"end checksum", damage_end_sum, "V04 error, V07 error"},
	{"end buried", damage_end_buried, "V04 warning, V09 warning"},
	{"end in a block", damage_end_in_block, "V72 error"},
	{"end in a block and zeros", damage_end_in_block_and_zeros,
	 "V09 warning, V72 error"},
	{"end in a block and copy", damage_end_in_block_and_copy,
	 "V06 warning, V09 warning, V72 error"},
	{"end short", damage_end_short, ""},
	{"copy", damage_copy, "V05 error"},
	{"copies differ", damage_differ, "V06 error"},
	{"features", damage_features, "V12 warning"},
	{"next header", damage_next_header, "V43 warning"},
	{"reserved bytes", damage_reserved, "V52 warning"},
	{"locator", damage_locator, "V59 warning, V60 warning"},
	{"no W2ru", damage_no_relative_path, "V56 warning"},
	{"end and header", damage_end_and_header,
	 "V04 warning, V09 warning, V56 warning"},
	{"entries past the disk", damage_far_entry, "V76 warning"},
	{"bits past the block", damage_stray_bits, ""},
	{"empty block", damage_empty_block, ""},
	{"batmap checksum", damage_batmap, "V88 warning"},
	{"batmap lies", damage_batmap_lies, "V89 error"},
};

#define NDAMAGES (sizeof(damages) / sizeof(damages[0]))
#endif
