/* SPDX-License-Identifier: BSD-3-Clause */
/* hostile_files.c - what a file may claim, and a guest may write, without
 * getting more than it has: the classes of mistakes that other programs for
 * disk images made, each tried through the public interface. */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/dynhdr.h"
#include "hand_image.h"
#include "scratch.h"
#include <vhd.h>

#define FIXED_SIZE (1u << 20)

static struct scratch scratch;

static int
enter(void **state)
{
	(void)state;
	scratch_make(&scratch);
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	scratch_remove(&scratch);
	return 0;
}

static void
expect_ok(int err, const char *what)
{
	if (err)
		fail_msg("%s failed with \"%s\"", what, vhd_last_message());
}

static void
expect_error(int err, int code, const char *text)
{
	if (err != code)
		fail_msg("expected \"%s\", came \"%s\" (%s)",
			 vhd_err_name(code), vhd_err_name(err),
			 err ? vhd_last_message() : "no error");
	if (!strstr(vhd_last_message(), text))
		fail_msg("\"%s\" does not mention \"%s\"", vhd_last_message(),
			 text);
}

static int
open_disk(vhd_t **ret, const char *path, uint32_t flags)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;

	opts.flags = flags;
	return vhd_open(ret, path, &opts);
}

static void
save(const char *path, const uint8_t *bytes, uint64_t length)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, (size_t)length, f), length);
	assert_int_equal(fclose(f), 0);
}

/* ---- A guest of a fixed disk -------------------------------------------- */

/* A fixed disk in which the guest wrote those bytes reads like that, and is
 * the disk that it was, when it is opened again and when it is checked. */
static void
expect_harmless(const void *bytes, size_t length, uint64_t offset)
{
	static uint8_t want[FIXED_SIZE], got[FIXED_SIZE];
	struct vhd_create_opts create = VHD_CREATE_OPTS_INIT;
	struct vhd_check_result found = VHD_CHECK_RESULT_INIT;
	struct vhd_info info = VHD_INFO_INIT;
	const char *path = scratch_path(&scratch, "fixed.vhd");
	vhd_t *disk = NULL;

	memset(want, 0, sizeof(want));
	memcpy(want + offset, bytes, length);
	create.type = VHD_TYPE_FIXED;
	create.virtual_size = FIXED_SIZE;
	create.flags = VHD_CREATE_FORCE;
	expect_ok(vhd_create(path, &create), "creating");
	expect_ok(open_disk(&disk, path, VHD_OPEN_RDWR), "opening");
	expect_ok(vhd_pwrite(disk, bytes, length, offset, 0), "writing");
	expect_ok(vhd_close(disk), "closing");
	expect_ok(open_disk(&disk, path, VHD_OPEN_RDWR), "opening again");
	expect_ok(vhd_get_info(&info, disk, 0), "looking");
	assert_int_equal(info.type, VHD_TYPE_FIXED);
	assert_int_equal(info.footer_copies, VHD_FOOTER_EQUAL);
	assert_int_equal(vhd_size(disk), FIXED_SIZE);
	assert_int_equal(vhd_depth(disk), 1);
	expect_ok(vhd_pread(disk, got, FIXED_SIZE, 0), "reading");
	assert_memory_equal(got, want, FIXED_SIZE);
	expect_ok(vhd_close(disk), "closing again");
	expect_ok(vhd_check(&found, path, NULL), "checking");
	assert_int_equal(found.errors + found.warnings, 0);
}

static void
test_a_guest_that_writes_a_footer_changes_nothing(void **state)
{
	struct hand h;

	(void)state;
	hand_make_child(&h);
	expect_harmless(h.bytes, HAND_BLOCK_0, 0);
	expect_harmless(h.bytes, 512, FIXED_SIZE - 512);
	expect_harmless(h.bytes, HAND_BLOCK_0, FIXED_SIZE - HAND_BLOCK_0);
	hand_free(&h);
}

static void
test_a_guest_that_writes_a_poisoned_footer_changes_nothing(void **state)
{
	uint8_t poison[512];

	(void)state;
	memset(poison, 0xc7, sizeof(poison));
	expect_harmless(poison, 512, 0);
	expect_harmless(poison, 512, FIXED_SIZE - 512);
}

static void
test_a_guest_that_writes_another_format_changes_nothing(void **state)
{
	(void)state;
	expect_harmless("vhdxfile", 8, 0);
	expect_harmless("QFI\xfb\0\0\0\3", 8, 0);
	expect_harmless("KDMV\1\0\0\0", 8, 0);
	expect_harmless("QED\0", 4, 0);
	expect_harmless("\x1f\x8b\x08", 3, 0);
	expect_harmless("\x7f\x10\xda\xbe", 4, 64);
	expect_harmless("\x55\xaa", 2, 510);
}

static void
test_a_plain_disk_is_not_taken_for_an_image(void **state)
{
	static uint8_t plain[FIXED_SIZE];
	const char *path = scratch_path(&scratch, "plain.img");
	vhd_t *disk = NULL;

	(void)state;
	memcpy(plain + 510, "\x55\xaa", 2);
	save(path, plain, sizeof(plain));
	expect_error(open_disk(&disk, path, 0), VHD_E_FORMAT, "-f raw");
	expect_error(open_disk(&disk, path, VHD_OPEN_DAMAGED), VHD_E_FORMAT,
		     "-f raw");
	expect_error(open_disk(&disk, path, VHD_OPEN_RDWR), VHD_E_FORMAT,
		     "-f raw");
}

/* ---- Tables -------------------------------------------------------------- */

/* Written to: refused.  Read: an error for what is not there, no harm. */
static void
expect_read_only(struct hand *h, const char *why)
{
	static uint8_t got[HAND_SIZE];
	const char *path = scratch_path(&scratch, "table.vhd");
	vhd_t *disk = NULL;
	int err;

	save(path, h->bytes, h->length);
	expect_error(open_disk(&disk, path, VHD_OPEN_RDWR), VHD_E_CORRUPT, why);
	expect_ok(open_disk(&disk, path, 0), "reading only");
	err = vhd_pread(disk, got, HAND_SIZE, 0);
	assert_true(err == 0 || err == VHD_E_CORRUPT);
	expect_ok(vhd_close(disk), "closing");
	hand_free(h);
}

static void
test_entries_that_share_a_place_are_not_written_to(void **state)
{
	struct hand h;

	(void)state;
	hand_make(&h);
	hand_entry(&h, 1, BAT_UNUSED);
	hand_entry(&h, 3, HAND_BLOCK_0 / 512);
	expect_read_only(&h, "overlap");
	hand_make(&h);
	hand_entry(&h, 3, HAND_BLOCK_0 / 512 + 1);
	expect_read_only(&h, "overlap");
}

static void
test_entries_over_metadata_are_not_written_to(void **state)
{
	static const uint32_t places[] = {0, 1, HAND_TABLE / 512};
	struct hand h;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		hand_make(&h);
		hand_entry(&h, 3, places[i]);
		expect_read_only(&h, " 3 ");
	}
}

static void
test_entries_outside_the_file_are_not_written_to(void **state)
{
	static const uint32_t places[] = {HAND_LENGTH / 512, 0x7fffffff,
					  0x80000000, BAT_UNUSED - 1};
	struct hand h;

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		hand_make(&h);
		hand_entry(&h, 3, places[i]);
		expect_read_only(&h, " 3 ");
	}
}

/* ---- Sizes, with little memory ------------------------------------------ */

#define SPARE_MEMORY (128u << 20)

static void
set_memory(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
}

static rlim_t
memory_in_use(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu", &pages), 1);
	assert_int_equal(fclose(f), 0);
	return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Whatever is done to the file, memory suffices. */
static void
use_with_little_memory(const char *path, int want)
{
	static uint8_t got[65536];
	struct vhd_check_result found = VHD_CHECK_RESULT_INIT;
	const char *const paths[] = {path};
	vhd_tree_t *tree = NULL;
	vhd_t *disk = NULL;
	int err;

	set_memory(memory_in_use() + SPARE_MEMORY);
	err = open_disk(&disk, path, VHD_OPEN_NOPARENT);
	if (err != want)
		fail_msg("opening gave %d (%s), not %d", err,
			 err ? vhd_last_message() : "", want);
	if (!err) {
		err = vhd_pread(disk, got, sizeof(got), 0);
		assert_true(err == 0 || err == VHD_E_CORRUPT);
		expect_ok(vhd_close(disk), "closing");
	}
	err = open_disk(&disk, path, VHD_OPEN_NOPARENT | VHD_OPEN_DAMAGED);
	assert_int_not_equal(err, VHD_E_NOMEM);
	if (!err)
		expect_ok(vhd_close(disk), "closing");
	expect_ok(vhd_check(&found, path, NULL), "checking");
	expect_ok(vhd_tree_scan(&tree, paths, 1), "scanning");
	vhd_tree_free(tree);
	set_memory(RLIM_INFINITY);
}

/* The image again, as long as the file system takes, its end footer at the
 * end; false where that is too long for it. */
static bool
save_long(const char *path, const struct hand *h, uint64_t length)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	bool ok;

	assert_true(fd >= 0);
	ok = ftruncate(fd, (off_t)length) == 0;
	if (ok) {
		assert_int_equal(pwrite(fd, h->bytes, HAND_END, 0), HAND_END);
		assert_int_equal(pwrite(fd, h->bytes, 512, (off_t)length - 512),
				 512);
	}
	assert_int_equal(close(fd), 0);
	return ok;
}

static const char *
save_longest(const struct hand *h)
{
	const char *path = scratch_path(&scratch, "long.vhd");
	uint64_t length = UINT64_C(1) << 62;

	while (!save_long(path, h, length))
		length /= 2;
	return path;
}

static void
test_a_table_of_many_entries_takes_no_memory(void **state)
{
	struct hand h;

	(void)state;
	hand_make(&h);
	store_be32(hand_header(&h)->bat_entries, 0xffffffff);
	hand_seal_all(&h);
	save(scratch_path(&scratch, "short.vhd"), h.bytes, h.length);
	use_with_little_memory(scratch.path, VHD_E_CORRUPT);
	use_with_little_memory(save_longest(&h), 0);
	hand_free(&h);
}

/* With a hole for a table, which is long enough. */
static void
claim_size(struct hand *h, uint32_t block_size)
{
	hand_make(h);
	store_be32(hand_header(h)->bat_entries, 1u << 22);
	store_be32(hand_header(h)->block_size, block_size);
	store_be64(hand_header(h)->bat_offset, UINT64_C(1) << 40);
	store_be64(hand_footer(h, 0)->current_size, (uint64_t)block_size << 22);
	hand_copy_footer(h);
	hand_seal_all(h);
}

static void
test_a_disk_of_2_tib_takes_little_memory(void **state)
{
	struct hand h;

	(void)state;
	claim_size(&h, 512u << 10);
	use_with_little_memory(save_longest(&h), 0);
	hand_free(&h);
}

/* Of what the size may make it ask for, next to nothing is touched. */
static void
test_a_disk_of_a_pebibyte_touches_little_memory(void **state)
{
	struct rusage before, after;
	vhd_t *disk = NULL;
	struct hand h;
	int err;

	(void)state;
	claim_size(&h, 256u << 20);
	assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
	err = open_disk(&disk, save_longest(&h), 0);
	if (err)
		assert_int_equal(err, VHD_E_NOMEM);
	else
		expect_ok(vhd_close(disk), "closing");
	assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
	assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, 65536);
	hand_free(&h);
}

static void
test_every_shortened_file_is_refused_or_read(void **state)
{
	struct hand h;
	uint64_t length;

	(void)state;
	hand_make(&h);
	for (length = 0; length < HAND_LENGTH; length += 511) {
		const char *path = scratch_path(&scratch, "cut.vhd");
		static uint8_t got[HAND_SIZE];
		struct vhd_check_result found = VHD_CHECK_RESULT_INIT;
		vhd_t *disk = NULL;

		if (length > HAND_BLOCK_0 && length < HAND_BLOCK_2)
			length = HAND_BLOCK_2;
		else if (length > HAND_BLOCK_2 + 8192 &&
			 length < HAND_END - 8192)
			length = HAND_END - 8192;
		save(path, h.bytes, length);
		expect_ok(vhd_check(&found, path, NULL), "checking");
		if (open_disk(&disk, path, 0) != 0)
			continue;
		(void)vhd_pread(disk, got, HAND_SIZE, 0);
		expect_ok(vhd_close(disk), "closing");
	}
	hand_free(&h);
}

static void
test_a_footer_of_511_bytes_is_read(void **state)
{
	static uint8_t got[HAND_SIZE];
	const char *path = scratch_path(&scratch, "old.vhd");
	struct hand h;
	vhd_t *disk = NULL;

	(void)state;
	hand_make(&h);
	save(path, h.bytes, h.length - 1);
	expect_ok(open_disk(&disk, path, 0), "opening");
	expect_ok(vhd_pread(disk, got, HAND_SIZE, 0), "reading");
	assert_int_equal(got[0], 'a');
	expect_ok(vhd_close(disk), "closing");
	hand_free(&h);
}

/* Where bits or sizes do not count, what is written is lost, or goes where
 * something else is. */
static void
test_a_disk_is_not_written_to_in_a_way_that_is_for_salvage(void **state)
{
	static const uint32_t ways[] = {VHD_OPEN_DAMAGED, VHD_OPEN_SIZE_CHS,
					VHD_OPEN_IGNORE_BITMAP};
	const char *path = scratch_path(&scratch, "sound.vhd");
	vhd_t *disk = NULL;
	struct hand h;

	(void)state;
	hand_make(&h);
	save(path, h.bytes, h.length);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		expect_ok(open_disk(&disk, path, ways[i]), "reading only");
		expect_ok(vhd_close(disk), "closing");
		expect_error(open_disk(&disk, path, ways[i] | VHD_OPEN_RDWR),
			     VHD_E_INVALID, "cannot be opened for writing");
	}
	hand_free(&h);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		T(test_a_guest_that_writes_a_footer_changes_nothing),
		T(test_a_guest_that_writes_a_poisoned_footer_changes_nothing),
		T(test_a_guest_that_writes_another_format_changes_nothing),
		T(test_a_plain_disk_is_not_taken_for_an_image),
		T(test_entries_that_share_a_place_are_not_written_to),
		T(test_entries_over_metadata_are_not_written_to),
		T(test_entries_outside_the_file_are_not_written_to),
		T(test_a_table_of_many_entries_takes_no_memory),
		T(test_a_disk_of_2_tib_takes_little_memory),
		T(test_a_disk_of_a_pebibyte_touches_little_memory),
		T(test_every_shortened_file_is_refused_or_read),
		T(test_a_footer_of_511_bytes_is_read),
		T(test_a_disk_is_not_written_to_in_a_way_that_is_for_salvage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
