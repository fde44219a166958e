/* SPDX-License-Identifier: BSD-3-Clause */
/* test_repair.c - a repair mends what is wrong and nothing else, wherever it
 * is stopped; and it can be taken back. */
#include <cmocka.h>

#include "damages.h"
#include "image/image.h"
#include "io_crash.h"
#include "io_fault.h"
#include "look.h"
#include "mend.h"

/* ---- Helpers ------------------------------------------------------------ */

/* The first mebibyte and a half of the disk; the rest was never stored. */
static uint8_t *
content_of(const struct fs *fs, const char *why)
{
	uint8_t *content = malloc(3 * HAND_BLOCK);
	struct image *img;
	struct io *io;

	assert_int_equal(fs->ops->open(&io, fs, DISK, 0), 0);
	if (image_open(&img, io, IMAGE_DAMAGED) != 0)
		fail_msg("%s: cannot be opened: %s", why, error_message());
	assert_int_equal(image_pread(img, content, 3 * HAND_BLOCK, 0), 0);
	assert_int_equal(image_close(img), 0);
	return content;
}

static void
expect_content(const struct fs *fs, const uint8_t *want, const char *why)
{
	uint8_t *got = content_of(fs, why);

	if (memcmp(got, want, 3 * HAND_BLOCK) != 0)
		fail_msg("%s: the guest reads something else", why);
	free(got);
}

/* ---- The tests ---------------------------------------------------------- */

static void
is_found(const struct damage *damage, struct fs *fs, struct hand *h)
{
	(void)h;
	print_message("%s\n", damage->name);
	expect_found(fs, DISK, damage->found);
}

static void
test_each_damage_is_what_it_should_be(void **state)
{
	(void)state;
	each_damage(is_found);
}

static void
is_mended(const struct damage *damage, struct fs *fs, struct hand *h)
{
	uint8_t *content = content_of(fs, damage->name);
	struct findings f;
	bool changed;

	(void)h;
	print_message("%s\n", damage->name);
	assert_int_equal(repair(&changed, fs, NULL), 0);
	assert_true(changed);
	expect_sound(fs, DISK);
	look_at(&f, fs, DISK);
	for (size_t i = 0; i < f.n; i++)
		if (f.list[i].repairable)
			fail_msg("%s is left: %s", f.list[i].code,
				 f.list[i].message);
	findings_free(&f);
	expect_content(fs, content, damage->name);
	free(content);
}

static void
test_each_damage_is_mended_and_the_content_kept(void **state)
{
	(void)state;
	each_damage(is_mended);
}

static void
is_mended_once(const struct damage *damage, struct fs *fs, struct hand *h)
{
	bool changed;

	(void)h;
	print_message("%s\n", damage->name);
	assert_int_equal(repair(&changed, fs, NULL), 0);
	assert_int_equal(repair(&changed, fs, UNDO), 0);
	assert_false(changed);
	assert_int_not_equal(put_back(fs), 0); /* there is no undo file */
}

static void
test_a_second_repair_changes_nothing(void **state)
{
	(void)state;
	each_damage(is_mended_once);
}

/* With one more byte it would be where nobody looks. */
static void
test_a_short_footer_at_an_odd_place_is_left(void **state)
{
	static const struct damage odd = {.make = damage_end_odd};
	struct hand h;
	struct fs *fs = put_damaged(&odd, &h);
	bool changed;

	(void)state;
	expect_found(fs, DISK, "V09 warning");
	assert_int_equal(repair(&changed, fs, NULL), 0);
	assert_true(holds(fs, &h));
	expect_found(fs, DISK, "V09 warning");
	hand_free(&h);
	mem_fs_free(fs);
}

static void
is_put_back(const struct damage *damage, struct fs *fs, struct hand *h)
{
	bool changed;

	print_message("%s\n", damage->name);
	assert_int_equal(repair(&changed, fs, UNDO), 0);
	assert_false(holds(fs, h));
	if (put_back(fs) != 0)
		fail_msg("%s", error_message());
	assert_true(holds(fs, h));
}

static void
test_every_byte_is_put_back(void **state)
{
	(void)state;
	each_damage(is_put_back);
}

/* ---- Crashes ------------------------------------------------------------ */

struct crash {
	const struct damage *damage;
	const struct hand *h;
	const uint8_t *content;
	uint64_t states;
	bool undo;
};

/* A state must read the same, and be put right by repairing again, or be put
 * back as it was. */
static int
survives(const struct crash_state *state, void *user)
{
	struct crash *crash = user;
	bool changed;

	expect_content(state->fs, crash->content, crash->damage->name);
	if (crash->undo) {
		int err = put_back(state->fs);

		if (err && err != VHD_E_NOTFOUND && err != VHD_E_FORMAT)
			fail_msg("%s: %s", crash->damage->name,
				 error_message());
		if (!holds(state->fs, crash->h))
			fail_msg("%s: not put back after a crash",
				 crash->damage->name);
		return 0;
	}
	assert_int_equal(repair(&changed, state->fs, NULL), 0);
	expect_sound(state->fs, DISK);
	expect_content(state->fs, crash->content, crash->damage->name);
	return 0;
}

static void
on_flush(struct fs *fs, void *user)
{
	const struct crash_limits limits = {
		.exhaustive = 32, .sampled = 24, .seed = 1};
	struct crash *crash = user;

	assert_int_equal(
		crash_each_state(&crash->states, fs, &limits, survives, crash),
		0);
}

static void
crash_everywhere(const struct damage *damage, struct fs *memory, struct hand *h,
		 bool undo)
{
	struct crash crash = {.damage = damage, .h = h, .undo = undo};
	uint8_t *content = content_of(memory, damage->name);
	struct fs *fs;
	bool changed;

	crash.content = content;
	assert_int_equal(crash_fs_from(&fs, memory), 0);
	crash_set_hook(fs, on_flush, &crash);
	assert_int_equal(repair(&changed, fs, undo ? UNDO : NULL), 0);
	crash_set_hook(fs, NULL, NULL);
	print_message("%s: %u states\n", damage->name, (unsigned)crash.states);
	assert_true(crash.states > 0);
	crash_fs_free(fs);
	free(content);
}

static void
crash_in_repair(const struct damage *damage, struct fs *fs, struct hand *h)
{
	crash_everywhere(damage, fs, h, false);
}

static void
crash_with_undo(const struct damage *damage, struct fs *fs, struct hand *h)
{
	crash_everywhere(damage, fs, h, true);
}

static void
test_a_crash_in_a_repair_is_survived(void **state)
{
	(void)state;
	each_damage(crash_in_repair);
}

static void
test_a_crash_in_a_repair_can_be_taken_back(void **state)
{
	(void)state;
	each_damage(crash_with_undo);
}

/* ---- Failures ----------------------------------------------------------- */

static void
fail_everywhere(const struct damage *damage, struct fs *fs, struct hand *h)
{
	uint8_t *content = content_of(fs, damage->name);
	bool fired = true, changed;

	print_message("%s\n", damage->name);
	for (uint64_t n = 1; fired; n++) {
		struct fs *faulty;
		int err;

		hand_put(h, fs, DISK);
		assert_int_equal(fault_fs_new(&faulty, fs), 0);
		fault_arm(faulty, &(struct fault){.at = n});
		err = repair(&changed, faulty, NULL);
		fired = fault_fired(faulty);
		fault_fs_free(faulty);
		if (err && !fired)
			fail_msg("failed by itself: %s", error_message());
		expect_content(fs, content, damage->name);
		assert_int_equal(repair(&changed, fs, NULL), 0);
		expect_sound(fs, DISK);
	}
	free(content);
}

static void
test_a_failure_in_a_repair_can_be_mended_by_another(void **state)
{
	(void)state;
	each_damage(fail_everywhere);
}

/* ---- What is refused ---------------------------------------------------- */

static void
test_an_image_in_use_by_tapdisk_is_left_alone(void **state)
{
	struct hand h;
	struct fs *fs = put_damaged(&damages[0], &h);
	bool changed;

	(void)state;
	memset(h.bytes + h.length - 512, 0xc7, 512);
	hand_put(&h, fs, DISK);
	assert_int_equal(repair(&changed, fs, NULL), 0);
	assert_true(holds(fs, &h));
	hand_free(&h);
	mem_fs_free(fs);
}

static void
test_with_overlapping_blocks_only_the_footers_are_mended(void **state)
{
	struct hand h;
	struct fs *fs;
	bool changed;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	damage_reserved(&h);
	hand_entry(&h, 1, HAND_BLOCK_0 / 512);
	memset(h.bytes, 0, 512);
	hand_put(&h, fs, DISK);
	expect_found(fs, DISK, "V05 error, V52 warning, V73 error");
	assert_int_equal(repair(&changed, fs, NULL), 0);
	expect_found(fs, DISK, "V52 warning, V73 error");
	hand_free(&h);
	mem_fs_free(fs);
}

static void
test_the_copy_is_not_written_where_a_block_is(void **state)
{
	struct hand h;
	struct fs *fs;
	bool changed;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	hand_make(&h);
	memset(h.bytes, 'g', 512);
	hand_entry(&h, 1, 0);
	hand_put(&h, fs, DISK);
	assert_int_equal(repair(&changed, fs, NULL), 0);
	assert_true(holds(fs, &h));
	hand_free(&h);
	mem_fs_free(fs);
}

static void
test_the_copy_is_not_written_where_the_table_is(void **state)
{
	struct hand h;
	struct fs *fs;
	bool changed;

	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	hand_make(&h);
	memcpy(h.bytes, h.bytes + HAND_TABLE, 512);
	store_be64(hand_header(&h)->bat_offset, 0);
	hand_seal(h.bytes + HAND_HEADER, 1024, 36);
	hand_put(&h, fs, DISK);
	assert_int_equal(repair(&changed, fs, NULL), 0);
	assert_true(holds(fs, &h));
	hand_free(&h);
	mem_fs_free(fs);
}

/* With a sum that says all is well, the footer would lose bits as the map. */
static void
test_a_map_over_the_end_footer_is_another_map(void **state)
{
	struct disk_batmap *map;
	struct fs *fs = NULL;
	uint32_t sum = 0;
	bool changed;
	struct hand h;

	(void)state;
	damage_tap(&h, 0);
	map = (struct disk_batmap *)(h.bytes + 0x800);
	store_be64(map->offset, HAND_END);
	for (size_t i = 0; i < 512; i++)
		sum += h.bytes[HAND_END + i];
	store_be32(map->checksum, ~sum);
	assert_int_equal(mem_fs_new(&fs), 0);
	hand_put(&h, fs, DISK);
	assert_int_equal(repair(&changed, fs, NULL), 0);
	assert_true(changed);
	expect_found(fs, DISK, "");
	hand_free(&h);
	mem_fs_free(fs);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_damage_is_what_it_should_be),
		cmocka_unit_test(
			test_each_damage_is_mended_and_the_content_kept),
		cmocka_unit_test(test_a_second_repair_changes_nothing),
		cmocka_unit_test(test_a_short_footer_at_an_odd_place_is_left),
		cmocka_unit_test(test_every_byte_is_put_back),
		cmocka_unit_test(test_a_crash_in_a_repair_is_survived),
		cmocka_unit_test(test_a_crash_in_a_repair_can_be_taken_back),
		cmocka_unit_test(
			test_a_failure_in_a_repair_can_be_mended_by_another),
		cmocka_unit_test(test_an_image_in_use_by_tapdisk_is_left_alone),
		cmocka_unit_test(
			test_with_overlapping_blocks_only_the_footers_are_mended),
		cmocka_unit_test(test_the_copy_is_not_written_where_a_block_is),
		cmocka_unit_test(
			test_the_copy_is_not_written_where_the_table_is),
		cmocka_unit_test(test_a_map_over_the_end_footer_is_another_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
