/* SPDX-License-Identifier: BSD-3-Clause */
/* test_check_footer.c - the check of footers and header, V01 to V66, on
 * images of which one thing is wrong. */
#include <cmocka.h>

#include "look.h"

static struct fs *fs;
static struct hand h;

static int
enter(void **state)
{
	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	mem_fs_free(fs);
	hand_free(&h);
	return 0;
}

static void
expect(const char *want)
{
	hand_put(&h, fs, "disk.vhd");
	expect_found(fs, "disk.vhd", want);
}

/* With a field of both footers, or of the header, set to a number. */
static void
expect_field(size_t field, uint64_t value, unsigned bytes, const char *want)
{
	hand_free(&h);
	hand_make(&h);
	for (unsigned i = 0; i < bytes; i++)
		h.bytes[field + i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
	if (field < 512)
		hand_copy_footer(&h);
	hand_seal_all(&h);
	expect(want);
}

static void
test_nothing_is_wrong_with_a_sound_image(void **state)
{
	struct findings f;

	(void)state;
	hand_make(&h);
	hand_put(&h, fs, "disk.vhd");
	look_at(&f, fs, "disk.vhd");
	if (f.n)
		fail_msg("found %s: %s", f.list[0].code, f.list[0].message);
	findings_free(&f);
}

static void
test_nothing_is_wrong_with_a_sound_child(void **state)
{
	(void)state;
	hand_make_child(&h);
	expect("");
}

static void
test_each_field_of_the_footer_is_judged(void **state)
{
	(void)state;
	expect_field(8, 0, 4, "V12 warning");
	expect_field(8, 0x102, 4, "V13 warning");
	expect_field(12, 0x20000, 4, "V11 fatal");
	expect_field(12, 0x10001, 4, "V11 warning");
	expect_field(16, UINT64_MAX, 8, "V17 fatal");
	expect_field(16, 256, 8, "V17 fatal");
	expect_field(40, 0, 8, "V23 warning");
	expect_field(48, 0, 8, "V19 fatal");
	expect_field(48, HAND_SIZE - 1, 8, "V19 error, V23 warning");
	expect_field(56, 0xffff, 2, "V24 warning");
	expect_field(60, 5, 4, "V15 fatal");
	expect_field(68, 0, 8, "");
	expect_field(84, 2, 1, "V28 warning");
	expect_field(300, 1, 1, "V29 warning");
}

static void
test_each_field_of_the_header_is_judged(void **state)
{
	(void)state;
	expect_field(512, 'x', 1, "V40 fatal");
	expect_field(512 + 8, 0xffffffff, 8, "V43 warning");
	expect_field(512 + 16, UINT64_MAX - 511, 8, "V45 fatal");
	expect_field(512 + 16, HAND_TABLE + 2, 8, "V44 error, V71 error");
	expect_field(512 + 24, 0x20000, 4, "V42 fatal");
	expect_field(512 + 28, 0, 4, "V51 fatal");
	expect_field(512 + 28, 3, 4, "V49 fatal");
	expect_field(512 + 28, 5, 4, "");
	expect_field(512 + 32, 3 << 20, 4, "V47 fatal");
	expect_field(512 + 40, 1, 1, "V53 warning");
	expect_field(512 + 60, 1, 4, "V52 warning");
	expect_field(512 + 1000, 1, 1, "V52 warning");
}

static void
test_each_field_of_a_locator_is_judged(void **state)
{
	static const struct {
		size_t field;
		uint32_t value;
		const char *want;
	} cases[] = {
		{0, 0, "V56 warning, V59 warning"},
		{0, 0x58585858, "V56 warning, V58 warning"},
		{4, 700, "V64 warning"},
		{4, 0, "V63 warning"},
		{8, 0, "V63 warning"},
		{8, 19, "V63 warning"},
		{8, 22, "V63 warning"},
		{12, 1, "V60 warning"},
		{16, 1, "V61 error"},
		{20, 0x1002, "V62 warning, V63 warning"},
		{20, HAND_TABLE, "V46 error, V61 error, V63 warning"},
		{20, HAND_BLOCK_0, "V61 error, V70 error"},
		{20, HAND_END - 2, "V61 error, V62 warning, V63 warning"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		hand_free(&h);
		hand_make_child(&h);
		store_be32((uint8_t *)hand_header(&h)->loc + cases[i].field,
			   cases[i].value);
		hand_seal_all(&h);
		expect(cases[i].want);
	}
}

static void
test_a_wrong_checksum_of_the_header_is_fatal(void **state)
{
	(void)state;
	hand_make(&h);
	h.bytes[HAND_HEADER + 36] ^= 1;
	expect("V41 fatal");
}

static void
test_a_short_file_is_fatal(void **state)
{
	(void)state;
	hand_make(&h);
	h.length = 510;
	expect("V01 fatal");
}

static void
test_a_file_without_footers_is_fatal(void **state)
{
	(void)state;
	hand_make(&h);
	memset(h.bytes, 0, 512);
	memset(h.bytes + HAND_END, 0, 512);
	expect("V03 fatal");
}

static void
test_a_vhdx_is_named(void **state)
{
	(void)state;
	hand_make(&h);
	memcpy(h.bytes, "vhdxfile", 8);
	memset(h.bytes + HAND_END, 0, 512);
	expect("V02 fatal");
}

static void
test_both_checksums_wrong_is_fatal(void **state)
{
	(void)state;
	hand_make(&h);
	h.bytes[64] ^= 1;
	h.bytes[HAND_END + 64] ^= 1;
	expect("V07 fatal");
}

static void
test_a_missing_copy_is_an_error(void **state)
{
	(void)state;
	hand_make(&h);
	memset(h.bytes, 0, 512);
	expect("V05 error");
}

static void
test_an_end_footer_lost_in_growing_is_a_warning(void **state)
{
	(void)state;
	hand_make(&h);
	memset(h.bytes + HAND_END, 0, 512);
	h.length += 3 << 16;
	expect("V04 warning");
}

static void
test_an_end_footer_cut_off_behind_a_block_is_an_error(void **state)
{
	(void)state;
	hand_make(&h);
	h.length = HAND_BLOCK_2 + 512 + HAND_BLOCK;
	expect("V04 error");
}

static void
test_a_damaged_end_footer_is_an_error(void **state)
{
	(void)state;
	hand_make(&h);
	h.bytes[HAND_END + 64] ^= 1;
	expect("V04 error, V07 error");
}

static void
test_copies_that_differ_are_an_error(void **state)
{
	(void)state;
	hand_make(&h);
	h.bytes[28]++;
	hand_seal_all(&h);
	expect("V06 error");
}

/* Growing to 2.5 MiB has reached one of the two footers. */
static void
test_an_interrupted_change_of_the_footer_is_a_warning(void **state)
{
	(void)state;
	hand_make(&h);
	store_be32(hand_header(&h)->bat_entries, 5);
	store_be64(hand_footer(&h, 0)->current_size, HAND_SIZE + HAND_BLOCK);
	memcpy(hand_footer(&h, 0)->geometry, "\x00\x4b\x04\x11", 4);
	hand_seal_all(&h);
	expect("V06 warning");
}

static void
test_a_file_that_tapdisk_has_is_told_as_such(void **state)
{
	(void)state;
	hand_make(&h);
	memset(h.bytes + HAND_END, 0xc7, 512);
	expect("V31 error");
}

/* ---- Fixed disks -------------------------------------------------------- */

#define FIXED_SIZE 0x100000u

static void
make_fixed(void)
{
	struct disk_footer *f;

	hand_make(&h);
	memset(h.bytes, 0, 2 * HAND_LENGTH);
	memset(h.bytes, 'd', 4096);
	f = hand_footer(&h, FIXED_SIZE);
	hand_fill_footer(f);
	store_be32(f->disk_type, 2);
	memset(f->data_offset, 0xff, 8);
	store_be64(f->original_size, FIXED_SIZE);
	store_be64(f->current_size, FIXED_SIZE);
	memcpy(f->geometry, "\x00\x1e\x04\x11", 4);
	hand_seal((uint8_t *)f, 512, 64);
	h.length = FIXED_SIZE + 512;
}

static void
test_nothing_is_wrong_with_a_sound_fixed_disk(void **state)
{
	(void)state;
	make_fixed();
	expect("");
}

static void
test_a_fixed_disk_may_begin_with_a_footer_of_its_guest(void **state)
{
	(void)state;
	make_fixed();
	hand_fill_footer(hand_footer(&h, 0));
	hand_seal(h.bytes, 512, 64);
	expect("");
}

static void
test_a_fixed_disk_that_was_cut_is_an_error(void **state)
{
	(void)state;
	make_fixed();
	memmove(h.bytes + FIXED_SIZE - 512, h.bytes + FIXED_SIZE, 512);
	h.length -= 512;
	expect("V21 error");
}

static void
test_zeros_behind_a_fixed_disk_are_a_warning(void **state)
{
	(void)state;
	make_fixed();
	h.length += 1024;
	expect("V08 warning");
}

/* Further than anybody would look back for it. */
static void
test_the_footer_in_front_of_a_hole_is_found(void **state)
{
	struct io *io;

	(void)state;
	make_fixed();
	hand_put(&h, fs, "disk.vhd");
	io = hand_open(fs, "disk.vhd");
	assert_int_equal(io->ops->truncate(io, UINT64_C(3) << 30), 0);
	assert_int_equal(io_close(io), 0);
	expect_found(fs, "disk.vhd", "V03 error");
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, enter, leave)
	static const struct CMUnitTest tests[] = {
		T(test_nothing_is_wrong_with_a_sound_image),
		T(test_nothing_is_wrong_with_a_sound_child),
		T(test_each_field_of_the_footer_is_judged),
		T(test_each_field_of_the_header_is_judged),
		T(test_each_field_of_a_locator_is_judged),
		T(test_a_wrong_checksum_of_the_header_is_fatal),
		T(test_a_short_file_is_fatal),
		T(test_a_file_without_footers_is_fatal),
		T(test_a_vhdx_is_named),
		T(test_both_checksums_wrong_is_fatal),
		T(test_a_missing_copy_is_an_error),
		T(test_an_end_footer_lost_in_growing_is_a_warning),
		T(test_an_end_footer_cut_off_behind_a_block_is_an_error),
		T(test_a_damaged_end_footer_is_an_error),
		T(test_copies_that_differ_are_an_error),
		T(test_an_interrupted_change_of_the_footer_is_a_warning),
		T(test_a_file_that_tapdisk_has_is_told_as_such),
		T(test_nothing_is_wrong_with_a_sound_fixed_disk),
		T(test_a_fixed_disk_may_begin_with_a_footer_of_its_guest),
		T(test_a_fixed_disk_that_was_cut_is_an_error),
		T(test_zeros_behind_a_fixed_disk_are_a_warning),
		T(test_the_footer_in_front_of_a_hole_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
