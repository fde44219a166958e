/* SPDX-License-Identifier: BSD-3-Clause */
/* test_check_bat.c - the check of where blocks are, V70 to V81, and of what
 * they hold, V82 to V87. */
#include <cmocka.h>

#include "look.h"

static struct fs *fs;
static struct hand h;

static int
enter(void **state)
{
	(void)state;
	assert_int_equal(mem_fs_new(&fs), 0);
	hand_make(&h);
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

/* Notes too. */
static void
expect(const char *want)
{
	struct findings f;
	char got[256];

	hand_put(&h, fs, "disk.vhd");
	look_at(&f, fs, "disk.vhd");
	look_text(got, sizeof(got), &f, VHD_NOTE);
	if (strcmp(got, want) != 0)
		fail_msg("expected \"%s\", found \"%s\"%s%s", want, got,
			 f.n ? ": " : "", f.n ? f.list[0].message : "");
	findings_free(&f);
}

static void
expect_bad(const char *want)
{
	hand_put(&h, fs, "disk.vhd");
	expect_found(fs, "disk.vhd", want);
}

static void
test_a_block_over_metadata_is_an_error(void **state)
{
	(void)state;
	hand_entry(&h, 1, 0);
	expect_bad("V70 error, V74 error, V82 warning");
}

static void
test_a_block_is_told_once_though_it_is_over_two_structures(void **state)
{
	struct findings f;

	(void)state;
	hand_entry(&h, 1, 0);
	hand_put(&h, fs, "disk.vhd");
	look_at(&f, fs, "disk.vhd");
	assert_int_equal(f.count[V70], 1);
	findings_free(&f);
}

static void
test_a_block_past_the_end_is_an_error(void **state)
{
	(void)state;
	hand_entry(&h, 1, 0xfffffffe);
	expect_bad("V71 error");
}

static void
test_a_block_over_the_end_footer_is_an_error(void **state)
{
	(void)state;
	hand_entry(&h, 2, (HAND_LENGTH - HAND_BLOCK - 512) / 512);
	expect_bad("V72 error, V82 warning");
}

static void
test_one_place_named_twice_is_an_error(void **state)
{
	(void)state;
	hand_entry(&h, 3, HAND_BLOCK_0 / 512);
	expect_bad("V73 error");
}

static void
test_an_entry_past_the_disk_is_a_warning(void **state)
{
	(void)state;
	store_be32(hand_header(&h)->bat_entries, 6);
	hand_seal_all(&h);
	hand_entry(&h, 5, 99);
	expect("V50 note, V76 warning");
}

static void
test_blocks_out_of_order_are_noted(void **state)
{
	(void)state;
	hand_entry(&h, 0, HAND_BLOCK_2 / 512);
	hand_entry(&h, 2, HAND_BLOCK_0 / 512);
	expect("V81 note");
}

static void
test_an_old_footer_in_dead_space_is_noted(void **state)
{
	(void)state;
	memcpy(h.bytes + HAND_BLOCK_2 - 512, h.bytes, 512);
	expect("V80 note");
}

static void
test_space_that_nothing_names_is_noted(void **state)
{
	(void)state;
	hand_entry(&h, 0, UINT32_MAX);
	hand_entry(&h, 1, HAND_BLOCK_2 / 512);
	hand_entry(&h, 2, UINT32_MAX);
	memmove(h.bytes + HAND_END + HAND_BLOCK, h.bytes + HAND_END, 512);
	memset(h.bytes + HAND_END, 0, 512);
	h.length += HAND_BLOCK;
	expect("V79 note");
}

static void
test_data_under_a_clear_bit_is_a_warning(void **state)
{
	(void)state;
	h.bytes[HAND_BLOCK_0 + 5] = 0xfe;
	expect("V82 warning");
}

static void
test_zeros_under_a_clear_bit_are_right(void **state)
{
	(void)state;
	h.bytes[HAND_BLOCK_0 + 5] = 0xfe;
	memset(h.bytes + HAND_BLOCK_0 + 512 + 47 * 512, 0, 512);
	expect("");
}

static void
test_data_without_a_bit_is_a_warning(void **state)
{
	(void)state;
	memset(h.bytes + HAND_BLOCK_0, 0, 128);
	expect("V83 warning");
}

static void
test_a_block_that_stores_nothing_is_noted(void **state)
{
	(void)state;
	memset(h.bytes + HAND_BLOCK_0, 0, 512 + HAND_BLOCK);
	expect("V83 note");
}

static void
test_bits_behind_the_block_are_noted(void **state)
{
	(void)state;
	h.bytes[HAND_BLOCK_0 + 511] = 1;
	expect("V84 note");
}

static void
test_a_block_of_zeros_is_noted(void **state)
{
	(void)state;
	memset(h.bytes + HAND_BLOCK_0 + 512, 0, HAND_BLOCK);
	expect("V85 note");
}

static void
test_leftovers_in_a_child_are_noted(void **state)
{
	(void)state;
	hand_free(&h);
	hand_make_child(&h);
	h.bytes[HAND_BLOCK_0] = 0x7f;
	expect("V86 note");
}

static void
test_no_data_is_read_when_told_so(void **state)
{
	struct findings f;
	struct io *io;

	(void)state;
	memset(h.bytes + HAND_BLOCK_0, 0, 128);
	hand_put(&h, fs, "disk.vhd");
	io = hand_open(fs, "disk.vhd");
	look_io(&f, io, VHD_CHECK_NO_DATA);
	assert_int_equal(f.n, 0);
	findings_free(&f);
	assert_int_equal(io_close(io), 0);
}

static void
test_findings_of_one_kind_are_told_up_to_a_limit(void **state)
{
	struct findings f;
	const struct vhd_finding *last;

	(void)state;
	store_be32(hand_header(&h)->bat_entries, 104);
	hand_seal_all(&h);
	for (uint32_t i = 4; i < 104; i++)
		hand_entry(&h, i, i);
	hand_put(&h, fs, "disk.vhd");
	look_at(&f, fs, "disk.vhd");
	last = &f.list[f.n - 1];
	assert_int_equal(f.with[VHD_WARNING], 100);
	assert_int_equal(f.n, 1 + CHECK_EACH + 1);
	assert_string_equal(last->code, "V76");
	assert_string_equal(last->message, "and 80 more of this kind");
	findings_free(&f);
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, enter, leave)
	static const struct CMUnitTest tests[] = {
		T(test_a_block_over_metadata_is_an_error),
		T(test_a_block_is_told_once_though_it_is_over_two_structures),
		T(test_a_block_past_the_end_is_an_error),
		T(test_a_block_over_the_end_footer_is_an_error),
		T(test_one_place_named_twice_is_an_error),
		T(test_an_entry_past_the_disk_is_a_warning),
		T(test_blocks_out_of_order_are_noted),
		T(test_an_old_footer_in_dead_space_is_noted),
		T(test_space_that_nothing_names_is_noted),
		T(test_data_under_a_clear_bit_is_a_warning),
		T(test_zeros_under_a_clear_bit_are_right),
		T(test_data_without_a_bit_is_a_warning),
		T(test_a_block_that_stores_nothing_is_noted),
		T(test_bits_behind_the_block_are_noted),
		T(test_a_block_of_zeros_is_noted),
		T(test_leftovers_in_a_child_are_noted),
		T(test_no_data_is_read_when_told_so),
		T(test_findings_of_one_kind_are_told_up_to_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
