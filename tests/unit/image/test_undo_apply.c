/* SPDX-License-Identifier: BSD-3-Clause */
/* test_undo_apply.c - what a repair has changed is put back, or nothing is. */
#include <cmocka.h>

#include "image/undo_format.h"
#include "io_fault.h"
#include "mend.h"

/* ---- Failures ----------------------------------------------------------- */

static void
fail_everywhere(const struct damage *damage, struct fs *fs, struct hand *h)
{
	bool fired = true, changed;
	struct mem_data *mended;

	print_message("%s\n", damage->name);
	assert_int_equal(repair(&changed, fs, UNDO), 0);
	assert_int_equal(mem_fs_get_data(&mended, fs, DISK), 0);
	for (uint64_t n = 1; fired; n++) {
		struct fs *faulty;
		int err;

		assert_int_equal(mem_fs_put_data(fs, DISK, mended), 0);
		assert_int_equal(fault_fs_new(&faulty, fs), 0);
		fault_arm(faulty,
			  &(struct fault){.at = n, .what = FAULT_SHORT});
		err = put_back(faulty);
		fired = fault_fired(faulty);
		if (err && !fired)
			fail_msg("failed by itself: %s", error_message());
		if (put_back(fs) != 0)
			fail_msg("after a failing %s: %s", fault_hit(faulty),
				 error_message());
		assert_true(holds(fs, h));
		fault_fs_free(faulty);
	}
	mem_data_free(mended);
}

static void
test_after_any_failure_it_can_be_done_again(void **state)
{
	(void)state;
	each_damage(fail_everywhere);
}

/* ---- What is refused ---------------------------------------------------- */

/* A file of bytes as `change` leaves them. */
static void
change_file(struct fs *fs, const char *path,
	    size_t (*change)(uint8_t *bytes, size_t length))
{
	struct mem_data *data;
	uint8_t *bytes;
	size_t length;

	assert_int_equal(mem_fs_get_data(&data, fs, path), 0);
	length = (size_t)mem_data_size(data);
	bytes = calloc(1, length + 512);
	assert_non_null(bytes);
	mem_data_read(data, bytes, length, 0);
	mem_data_free(data);
	length = change(bytes, length);
	assert_int_equal(mem_fs_put(fs, path, bytes, length), 0);
	free(bytes);
}

/* After the change to path nothing is put back. */
static void
expect_refused(const char *path,
	       size_t (*change)(uint8_t *bytes, size_t length), int code,
	       const char *text)
{
	static const struct damage damage = {.make = damage_end_sum};
	struct mem_data *was, *is;
	struct hand h;
	struct fs *fs = put_damaged(&damage, &h);
	bool changed;

	assert_int_equal(repair(&changed, fs, UNDO), 0);
	change_file(fs, path, change);
	assert_int_equal(mem_fs_get_data(&was, fs, DISK), 0);
	assert_int_equal(put_back(fs), code);
	if (!strstr(error_message(), text))
		fail_msg("\"%s\" does not say \"%s\"", error_message(), text);
	assert_int_equal(mem_fs_get_data(&is, fs, DISK), 0);
	assert_int_equal(mem_data_size(was), mem_data_size(is));
	hand_free(&h);
	h.bytes = calloc(2, mem_data_size(was));
	h.length = mem_data_size(was);
	mem_data_read(was, h.bytes, h.length, 0);
	assert_true(holds(fs, &h));
	mem_data_free(was);
	mem_data_free(is);
	hand_free(&h);
	mem_fs_free(fs);
}

static size_t
cut_within_header(uint8_t *bytes, size_t length)
{
	(void)bytes;
	assert_true(length > UNDO_HEADER_SIZE);
	return UNDO_HEADER_SIZE - 1;
}

static size_t
another_version(uint8_t *bytes, size_t length)
{
	bytes[11]++;
	return length;
}

static size_t
damaged_header(uint8_t *bytes, size_t length)
{
	bytes[20] ^= 1;
	return length;
}

static size_t
another_uuid(uint8_t *bytes, size_t length)
{
	memset(bytes + 16, 'x', 16);
	memset(bytes + 12, 0, 4);
	store_be32(bytes + 12, undo_crc(bytes, UNDO_HEADER_SIZE));
	return length;
}

static size_t
one_byte_of_the_footer(uint8_t *bytes, size_t length)
{
	bytes[length - 100] ^= 1;
	return length;
}

static size_t
another_sector(uint8_t *bytes, size_t length)
{
	memmove(bytes + length, bytes + length - 512, 512);
	return length + 512;
}

static void
test_what_is_no_undo_file_is_refused(void **state)
{
	(void)state;
	expect_refused(UNDO, cut_within_header, VHD_E_FORMAT,
		       "not an undo file");
	expect_refused(UNDO, another_version, VHD_E_FORMAT, "not an undo file");
	expect_refused(UNDO, damaged_header, VHD_E_FORMAT, "not an undo file");
}

static void
test_the_undo_file_of_another_image_is_refused(void **state)
{
	(void)state;
	expect_refused(UNDO, another_uuid, VHD_E_POLICY, "another UUID");
}

static void
test_an_image_that_was_changed_since_is_left_alone(void **state)
{
	(void)state;
	expect_refused(DISK, one_byte_of_the_footer, VHD_E_POLICY,
		       "changed since");
	expect_refused(DISK, another_sector, VHD_E_POLICY, "changed since");
}

/* The repair was stopped while it kept a piece, so did not change it yet. */
static size_t
cut_within_last_record(uint8_t *bytes, size_t length)
{
	(void)bytes;
	return length - 1;
}

static void
test_a_record_that_is_not_whole_is_passed_over(void **state)
{
	static const struct damage damage = {.make = damage_end_sum};
	struct hand h;
	struct fs *fs = put_damaged(&damage, &h);
	bool changed;

	(void)state;
	assert_int_equal(repair(&changed, fs, UNDO), 0);
	hand_put(&h, fs, DISK);
	change_file(fs, UNDO, cut_within_last_record);
	assert_int_equal(put_back(fs), 0);
	assert_true(holds(fs, &h));
	hand_free(&h);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_after_any_failure_it_can_be_done_again),
		cmocka_unit_test(test_what_is_no_undo_file_is_refused),
		cmocka_unit_test(
			test_the_undo_file_of_another_image_is_refused),
		cmocka_unit_test(
			test_an_image_that_was_changed_since_is_left_alone),
		cmocka_unit_test(
			test_a_record_that_is_not_whole_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
