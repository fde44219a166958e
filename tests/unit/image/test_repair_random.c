/* SPDX-License-Identifier: BSD-3-Clause */
/* test_repair_random.c - whatever is wrong with an image: what could be read
 * before a repair can be read after it and is the same, a second repair has
 * nothing to do, and the undo file gives every byte back.
 *
 * REPAIR_SEED and REPAIR_ROUNDS in the environment choose other images. */
#include <cmocka.h>

#include "base/arith.h"
#include "damages.h"
#include "image/image.h"
#include "look.h"

#define DISK   "disk.vhd"
#define UNDO   "disk.undo"
#define PIECE  32768u
#define PIECES (HAND_SIZE / PIECE)

struct content {
	uint8_t bytes[HAND_SIZE];
	bool readable[PIECES];
};

static uint64_t state_of_random;
static uint64_t round_number;

/* xorshift; the same on every machine. */
static uint32_t
any(uint32_t below)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return (uint32_t)(state_of_random >> 11) % below;
}

static uint64_t
from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void
damage_byte(struct hand *h)
{
	static const uint32_t zones[][2] = {
		{0, 512},        {HAND_HEADER, 1024}, {HAND_TABLE, 64},
		{HAND_END, 512}, {HAND_BLOCK_0, 512}, {0x800, 1024},
		{0, HAND_LENGTH}};
	static const uint8_t values[] = {0, 1, 2, 4, 0x7f, 0x80, 0xff};
	const uint32_t *zone = zones[any(7)];
	uint8_t value = values[any(7)];

	if (any(2))
		value = (uint8_t)any(256);
	h->bytes[zone[0] + any(zone[1])] = value;
}

static void
make_some(struct hand *h)
{
	damages[any(NDAMAGES)].make(h);
	for (uint32_t n = any(6); n > 0; n--)
		damage_byte(h);
	if (!any(4))
		hand_entry(h, any(5), HAND_BLOCK_0 / 512);
	if (!any(4))
		h->length = h->length + any(5000) - 2500;
	if (any(4))
		hand_seal(h->bytes + HAND_HEADER, 1024, 36);
	if (any(2))
		hand_seal(h->bytes, 512, 64);
	if (any(2))
		hand_copy_footer(h);
}

static void
read_content(struct content *ret, struct fs *fs)
{
	struct io *io = NULL;
	struct image *img;

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(fs->ops->open(&io, fs, DISK, 0), 0);
	if (image_open(&img, io, IMAGE_DAMAGED) != 0)
		return;
	for (uint64_t i = 0; i < PIECES; i++) {
		uint64_t at = i * PIECE;

		if (range_ok(at, PIECE, img->size))
			ret->readable[i] =
				!image_pread(img, ret->bytes + at, PIECE, at);
	}
	assert_int_equal(image_close(img), 0);
}

static void
expect_kept(const struct content *before, const struct content *after)
{
	for (uint64_t i = 0; i < PIECES; i++) {
		if (!before->readable[i])
			continue;
		if (!after->readable[i])
			fail_msg("round %u: byte %u could be read before",
				 (unsigned)round_number, (unsigned)(i * PIECE));
		if (memcmp(before->bytes + i * PIECE, after->bytes + i * PIECE,
			   PIECE) != 0)
			fail_msg("round %u: the content changed at byte %u",
				 (unsigned)round_number, (unsigned)(i * PIECE));
	}
}

static void
expect_bytes(struct fs *fs, const struct hand *h)
{
	struct mem_data *data;
	uint8_t *bytes = malloc(h->length);

	assert_int_equal(mem_fs_get_data(&data, fs, DISK), 0);
	if (mem_data_size(data) != h->length)
		fail_msg("round %u: the size is not put back",
			 (unsigned)round_number);
	mem_data_read(data, bytes, h->length, 0);
	if (memcmp(bytes, h->bytes, h->length) != 0)
		fail_msg("round %u: not every byte is put back",
			 (unsigned)round_number);
	free(bytes);
	mem_data_free(data);
}

static void
put_back(struct fs *fs, struct io *io)
{
	struct io *kept = NULL;

	assert_int_equal(fs->ops->open(&kept, fs, UNDO, 0), 0);
	if (undo_apply(io, kept) != 0)
		fail_msg("round %u: %s", (unsigned)round_number,
			 error_message());
	assert_int_equal(io_close(kept), 0);
}

static struct undo *
new_undo(struct fs *fs, struct io *io, uint64_t size)
{
	struct found found = {.file_size = 0};
	struct undo *undo = NULL;

	(void)!find_footer(&found, io, IMAGE_DAMAGED);
	assert_int_equal(undo_new(&undo, fs, UNDO, found.footer.uuid, size), 0);
	return undo;
}

static void
try_one(struct fs *fs, const struct hand *h)
{
	static struct content before, after;
	struct io *io = hand_open(fs, DISK);
	struct undo *undo = new_undo(fs, io, h->length);
	bool changed, again;

	read_content(&before, fs);
	assert_int_equal(repair_io(&changed, io, undo), 0);
	undo_free(undo);
	assert_int_equal(repair_io(&again, io, NULL), 0);
	if (again)
		fail_msg("round %u: a second repair had something to do",
			 (unsigned)round_number);
	read_content(&after, fs);
	expect_kept(&before, &after);
	if (changed)
		put_back(fs, io);
	expect_bytes(fs, h);
	assert_int_equal(io_close(io), 0);
}

static void
test_repairs_of_random_damage_keep_what_can_be_read(void **state)
{
	uint64_t rounds = from_environment("REPAIR_ROUNDS", 400);
	uint64_t seed = from_environment("REPAIR_SEED", 1);

	(void)state;
	for (round_number = 0; round_number < rounds; round_number++) {
		struct fs *fs;
		struct hand h;

		state_of_random =
			(seed << 32 | round_number) * 0x9e3779b97f4a7c15 | 1;
		make_some(&h);
		assert_int_equal(mem_fs_new(&fs), 0);
		hand_put(&h, fs, DISK);
		try_one(fs, &h);
		mem_fs_free(fs);
		hand_free(&h);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_repairs_of_random_damage_keep_what_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
