/* SPDX-License-Identifier: BSD-3-Clause */
/* test_find.c - which footer counts, and what is said when none does. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "image/find.h"
#include "image/image.h"
#include "make_image.h"

#define DISK "/disk.vhd"

static const uint8_t zeros[4096];

static int
find_in(struct found *ret, struct fs *fs, unsigned flags)
{
	struct io *io = NULL;
	int err;

	expect_ok(fs->ops->open(&io, fs, DISK, 0), DISK);
	err = find_footer(ret, io, flags);
	expect_ok(io_close(io), DISK);
	return err;
}

static void
expect_defects(struct fs *fs, unsigned flags, unsigned want)
{
	struct found f;

	expect_ok(find_in(&f, fs, flags), "finding the footer");
	if (f.defects != want)
		fail_msg("defects are %#x, not %#x", f.defects, want);
}

static void
expect_error(struct fs *fs, unsigned flags, int code, const char *text)
{
	struct found f;
	int err = find_in(&f, fs, flags);

	if (err != code)
		fail_msg("it ended with %d (%s), not %d", err,
			 err ? error_message() : "no error", code);
	if (!strstr(error_message(), text))
		fail_msg("\"%s\" does not mention \"%s\"", error_message(),
			 text);
}

static void
put_fixed(struct fs *fs, uint64_t size)
{
	put_formatted(
		fs, DISK,
		&(struct image_create){.type = VHD_TYPE_FIXED, .size = size});
}

/* Rewrite one footer with another size. */
static void
put_footer(struct fs *fs, const struct footer *f, uint64_t offset)
{
	struct disk_footer disk;

	footer_encode(&disk, f);
	patch(fs, DISK, offset, &disk, sizeof(disk));
}

static void
test_sound_images_have_no_defect(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, DISK, 'a');
	expect_defects(fs, 0, 0);
	expect_ok(fs->ops->unlink(fs, DISK), "unlink");
	put_fixed(fs, 1 << 20);
	expect_defects(fs, 0, 0);
	mem_fs_free(fs);
}

static void
test_copy_counts_when_the_end_is_gone(void **state)
{
	struct fs *fs = new_fs();
	struct found f;

	(void)state;
	put_root(fs, DISK, 'a');
	patch(fs, DISK, length_of(fs, DISK) - 512, zeros, 512);
	expect_ok(find_in(&f, fs, 0), "finding the copy");
	assert_int_equal(f.defects, DEFECT_END_MISSING);
	assert_int_equal(f.footer.type, VHD_TYPE_DYNAMIC);
	assert_true(f.footer_offset == NO_OFFSET);
	mem_fs_free(fs);
}

static void
test_end_counts_when_the_copy_is_gone(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, DISK, 'a');
	patch(fs, DISK, 0, zeros, 512);
	expect_defects(fs, 0, DEFECT_START_BAD);
	mem_fs_free(fs);
}

static void
test_interrupted_resize_is_told_from_damage(void **state)
{
	struct fs *fs = new_fs();
	struct found f;

	(void)state;
	put_root(fs, DISK, 'a');
	expect_ok(find_in(&f, fs, 0), "finding the footer");
	footer_set_size(&f.footer, 4 << 20);
	put_footer(fs, &f.footer, 0);
	expect_defects(fs, 0, DEFECT_HALF_UPDATE);
	f.footer.uuid[0]++;
	put_footer(fs, &f.footer, 0);
	expect_defects(fs, 0, DEFECT_DIFFER);
	mem_fs_free(fs);
}

static void
test_guest_cannot_turn_its_fixed_disk_into_another(void **state)
{
	struct fs *fs = new_fs();
	struct disk_dynhdr header;
	struct footer evil;
	struct dynhdr hdr;
	struct found f;

	(void)state;
	put_fixed(fs, 1 << 20);
	footer_init(&evil, VHD_TYPE_DIFFERENCING, 1 << 20, uuid_of('e'), 0,
		    "win ");
	put_footer(fs, &evil, 0);
	dynhdr_init(&hdr, 1536, 1, 2 << 20);
	dynhdr_encode(&header, &hdr);
	patch(fs, DISK, 512, &header, sizeof(header));
	expect_ok(find_in(&f, fs, 0), "finding the footer");
	assert_int_equal(f.footer.type, VHD_TYPE_FIXED);
	assert_int_equal(f.defects, 0);
	mem_fs_free(fs);
}

static void
test_footer_of_511_bytes_is_read(void **state)
{
	struct fs *fs = new_fs();
	struct io *io = NULL;
	struct found f;

	(void)state;
	put_fixed(fs, 1 << 20);
	expect_ok(fs->ops->open(&io, fs, DISK, FS_OPEN_WRITE), DISK);
	expect_ok(io->ops->truncate(io, (1 << 20) + 511), "cutting a byte");
	expect_ok(io_close(io), DISK);
	expect_ok(find_in(&f, fs, 0), "finding the footer");
	assert_int_equal(f.defects, DEFECT_SHORT_FOOTER);
	assert_int_equal(f.tail_length, 511);
	assert_int_equal(f.footer_offset, 1 << 20);
	mem_fs_free(fs);
}

static void
test_fixed_disk_in_front_of_padding_is_found(void **state)
{
	struct fs *fs = new_fs();
	struct found f;

	(void)state;
	put_fixed(fs, 1 << 20);
	patch(fs, DISK, (2 << 20) - 4096, zeros, 4096);
	expect_ok(find_in(&f, fs, 0), "finding the footer");
	assert_int_equal(f.defects, DEFECT_DATA_AFTER);
	assert_int_equal(f.footer_offset, 1 << 20);
	expect_error(fs, FIND_NO_SCAN, VHD_E_FORMAT, "not a VHD");
	patch(fs, DISK, (2 << 20) - 10, "data", 4);
	expect_error(fs, 0, VHD_E_FORMAT, "not a VHD");
	expect_defects(fs, IMAGE_DAMAGED, DEFECT_DATA_AFTER);
	mem_fs_free(fs);
}

static void
test_cut_fixed_disk_is_damage(void **state)
{
	struct fs *fs = new_fs();
	struct footer f;

	(void)state;
	put_fixed(fs, 1 << 20);
	footer_init(&f, VHD_TYPE_FIXED, 2 << 20, uuid_of('f'), 0, "win ");
	put_footer(fs, &f, 1 << 20);
	expect_error(fs, 0, VHD_E_CORRUPT, "2097152");
	expect_defects(fs, IMAGE_DAMAGED, 0);
	mem_fs_free(fs);
}

static void
test_wrong_header_checksum_is_for_salvage_only(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_root(fs, DISK, 'a');
	patch(fs, DISK, 512 + 0x300, "x", 1);
	expect_error(fs, 0, VHD_E_CORRUPT, "header");
	expect_defects(fs, IMAGE_DAMAGED, DEFECT_BAD_HEADER_SUM);
	mem_fs_free(fs);
}

static void
test_wrong_footer_checksum_is_damage(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_fixed(fs, 1 << 20);
	patch(fs, DISK, (1 << 20) + 511, "\1", 1);
	expect_error(fs, 0, VHD_E_CORRUPT, "checksum");
	mem_fs_free(fs);
}

static void
test_poison_is_named(void **state)
{
	struct fs *fs = new_fs();
	uint8_t poison[512];

	(void)state;
	memset(poison, 0xc7, sizeof(poison));
	put_root(fs, DISK, 'a');
	patch(fs, DISK, length_of(fs, DISK) - 512, poison, 512);
	expect_error(fs, 0, VHD_E_CORRUPT, "tapdisk");
	expect_defects(fs, IMAGE_DAMAGED, DEFECT_END_MISSING);
	mem_fs_free(fs);
}

static void
test_other_formats_are_named(void **state)
{
	static const struct {
		const char *magic, *name;
	} other[] = {
		{"vhdxfile", "VHDX"}, {"QFI\xfb", "QCOW2"}, {"KDMV", "VMDK"}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fs *fs = new_fs();

		expect_ok(mem_fs_put(fs, DISK, zeros, sizeof(zeros)), "put");
		patch(fs, DISK, 0, other[i].magic, strlen(other[i].magic));
		expect_error(fs, 0, VHD_E_FORMAT, other[i].name);
		mem_fs_free(fs);
	}
}

static void
test_short_files_are_no_vhd(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	for (size_t n = 0; n < 2100; n += 150) {
		expect_ok(mem_fs_put(fs, DISK, zeros, n), "put");
		expect_error(fs, 0, VHD_E_FORMAT, "not a VHD");
		expect_error(fs, IMAGE_DAMAGED, VHD_E_FORMAT, "not a VHD");
	}
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_images_have_no_defect),
		cmocka_unit_test(test_copy_counts_when_the_end_is_gone),
		cmocka_unit_test(test_end_counts_when_the_copy_is_gone),
		cmocka_unit_test(test_interrupted_resize_is_told_from_damage),
		cmocka_unit_test(
			test_guest_cannot_turn_its_fixed_disk_into_another),
		cmocka_unit_test(test_footer_of_511_bytes_is_read),
		cmocka_unit_test(test_fixed_disk_in_front_of_padding_is_found),
		cmocka_unit_test(test_cut_fixed_disk_is_damage),
		cmocka_unit_test(
			test_wrong_header_checksum_is_for_salvage_only),
		cmocka_unit_test(test_wrong_footer_checksum_is_damage),
		cmocka_unit_test(test_poison_is_named),
		cmocka_unit_test(test_other_formats_are_named),
		cmocka_unit_test(test_short_files_are_no_vhd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
