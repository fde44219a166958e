/* SPDX-License-Identifier: BSD-3-Clause */
/* test_check.c - an image and its parents are examined as one, V100 to V111;
 * a repair is told of, and taken back. */
#include <cmocka.h>
#include <stdio.h>

#include "hand_image.h"
#include "io/io_mem.h"
#include "io_fault.h"
#include "job/check.h"
#include "make_image.h"

struct told {
	char text[512]; /* "leaf.vhd:V100 error, ..." without notes */
	unsigned notes;
	unsigned repaired;
	unsigned n;
	unsigned stop_at; /* the callback refuses to hear more; 0: never */
};

static struct fs *fs;
static struct told told;

static int
enter(void **state)
{
	(void)state;
	fs = new_fs();
	memset(&told, 0, sizeof(told));
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	mem_fs_free(fs);
	return 0;
}

static int
hear(const struct vhd_finding *finding, void *user)
{
	static const char *const severity[] = {"note", "warning", "error",
					       "fatal"};
	struct told *t = user;
	char one[64];

	t->n++;
	if (t->n == t->stop_at)
		return 1;
	t->repaired += finding->repaired;
	t->notes += finding->severity == VHD_NOTE;
	if (finding->severity == VHD_NOTE)
		return 0;
	(void)snprintf(one, sizeof(one), "%s%s:%s %s", t->text[0] ? ", " : "",
		       strrchr(finding->path, '/')
			       ? strrchr(finding->path, '/') + 1
			       : finding->path,
		       finding->code, severity[finding->severity]);
	if (strlen(t->text) + strlen(one) < sizeof(t->text))
		strcat(t->text, one);
	return 0;
}

static int
check(struct vhd_check_result *ret, const char *path, uint32_t flags,
      const char *undo)
{
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;

	opts.flags = flags;
	opts.undo = undo;
	opts.found = hear;
	opts.found_user = &told;
	return job_check(ret, fs, path, &opts);
}

static void
expect_chain(const char *path, const char *want)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;

	expect_ok(check(&r, path, VHD_CHECK_CHAIN, NULL), path);
	if (strcmp(told.text, want) != 0)
		fail_msg("expected \"%s\", found \"%s\"", want, told.text);
}

/* Change a byte of a file, and the checksum of the structure it is in. */
static void
poke(const char *path, uint64_t at, const void *bytes, size_t n)
{
	struct io *io = hand_open(fs, path);
	uint8_t header[1024], footer[512];
	uint64_t size;

	assert_int_equal(io->ops->pwrite(io, bytes, n, at), 0);
	assert_int_equal(io->ops->size(&size, io), 0);
	assert_int_equal(io->ops->pread(io, header, 1024, 512), 0);
	hand_seal(header, 1024, 36);
	assert_int_equal(io->ops->pwrite(io, header, 1024, 512), 0);
	assert_int_equal(io->ops->pread(io, footer, 512, 0), 0);
	hand_seal(footer, 512, 64);
	assert_int_equal(io->ops->pwrite(io, footer, 512, 0), 0);
	assert_int_equal(io->ops->pwrite(io, footer, 512, size - 512), 0);
	assert_int_equal(io_close(io), 0);
}

static void
put_chain(void)
{
	put_root(fs, "/base.vhd", 'b');
	put_child_at(fs, "/mid.vhd", 'm', 'b', "base.vhd", NULL);
	put_child_at(fs, "/leaf.vhd", 'l', 'm', "mid.vhd", NULL);
}

/* ---- Chains ------------------------------------------------------------- */

static void
test_nothing_is_wrong_with_a_sound_chain(void **state)
{
	(void)state;
	put_chain();
	expect_chain("/leaf.vhd", "");
}

static void
test_without_chain_the_parent_is_not_looked_for(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;

	(void)state;
	put_child_at(fs, "/leaf.vhd", 'l', 'm', "mid.vhd", NULL);
	expect_ok(check(&r, "/leaf.vhd", 0, NULL), "check");
	assert_int_equal(r.errors, 0);
}

static void
test_a_missing_parent_is_told_of_its_child(void **state)
{
	(void)state;
	put_chain();
	assert_int_equal(fs->ops->unlink(fs, "/base.vhd"), 0);
	expect_chain("/leaf.vhd", "mid.vhd:V100 error");
}

static void
test_another_disk_in_the_parents_place_is_told(void **state)
{
	(void)state;
	put_chain();
	assert_int_equal(fs->ops->unlink(fs, "/base.vhd"), 0);
	put_root(fs, "/base.vhd", 'x');
	expect_chain("/leaf.vhd", "mid.vhd:V101 error");
}

static void
test_a_damaged_parent_is_told_of_itself_and_of_its_child(void **state)
{
	struct io *io;

	(void)state;
	put_chain();
	io = hand_open(fs, "/base.vhd");
	assert_int_equal(io->ops->pwrite(io, "xxxxxxxx", 8, 0), 0);
	assert_int_equal(io_close(io), 0);
	expect_chain("/leaf.vhd", "base.vhd:V05 error, mid.vhd:V108 error");
}

static void
test_a_disk_that_is_its_own_parent_is_a_loop(void **state)
{
	(void)state;
	put_child_at(fs, "/leaf.vhd", 'l', 'l', "leaf.vhd", NULL);
	expect_chain("/leaf.vhd", "leaf.vhd:V103 fatal");
}

static void
test_a_loop_over_two_files_ends(void **state)
{
	(void)state;
	put_child_at(fs, "/a.vhd", 'a', 'b', "b.vhd", NULL);
	put_child_at(fs, "/b.vhd", 'b', 'a', "a.vhd", NULL);
	expect_chain("/a.vhd", "b.vhd:V103 fatal");
}

static void
test_two_files_with_one_uuid_are_an_error(void **state)
{
	(void)state;
	put_root(fs, "/base.vhd", 'a');
	put_child_at(fs, "/mid.vhd", 'm', 'a', "base.vhd", NULL);
	put_child_at(fs, "/leaf.vhd", 'a', 'm', "mid.vhd", NULL);
	expect_chain("/leaf.vhd", "mid.vhd:V104 error");
}

static void
test_a_parents_time_that_differs_is_a_warning(void **state)
{
	(void)state;
	put_chain();
	poke("/leaf.vhd", 512 + 56, "\x01\x02\x03\x04", 4);
	expect_chain("/leaf.vhd", "leaf.vhd:V102 warning");
}

static void
test_a_child_of_another_size_is_a_warning(void **state)
{
	uint8_t size[8];

	(void)state;
	put_chain();
	store_be64(size, MADE_SIZE - 512);
	poke("/leaf.vhd", 48, size, 8);
	poke("/leaf.vhd", 40, size, 8);
	told.text[0] = '\0';
	expect_chain("/leaf.vhd", "leaf.vhd:V106 warning");
}

static void
test_a_plain_disk_as_parent_must_be_allowed(void **state)
{
	(void)state;
	put_child_at(fs, "/leaf.vhd", 'l', 0, "base.raw", NULL);
	assert_int_equal(mem_fs_put(fs, "/base.raw", "raw", 3), 0);
	expect_chain("/leaf.vhd", "leaf.vhd:V54 warning, leaf.vhd:V109 error");
}

static void
test_a_parent_outside_is_refused(void **state)
{
	(void)state;
	put_root(fs, "/secret/base.vhd", 'b');
	put_child_at(fs, "/vm/leaf.vhd", 'l', 'b', "../secret/base.vhd", NULL);
	expect_chain("/vm/leaf.vhd", "leaf.vhd:V110 error");
}

static void
test_a_chain_that_is_too_deep_ends(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;
	struct vhd_open_opts open = VHD_OPEN_OPTS_INIT;

	(void)state;
	put_chain();
	open.max_depth = 2;
	opts.flags = VHD_CHECK_CHAIN;
	opts.open = &open;
	opts.found = hear;
	opts.found_user = &told;
	expect_ok(job_check(&r, fs, "/leaf.vhd", &opts), "check");
	assert_string_equal(told.text, "mid.vhd:V105 fatal");
}

static void
test_a_parent_that_somebody_writes_to_is_a_warning(void **state)
{
	struct io *io;

	(void)state;
	put_chain();
	io = hand_open(fs, "/base.vhd");
	assert_int_equal(io->ops->lock(io, IO_LOCK_WRITE), 0);
	expect_chain("/leaf.vhd", "mid.vhd:V111 warning");
	assert_int_equal(io_close(io), 0);
}

static void
test_a_parent_in_saved_state_is_a_warning(void **state)
{
	(void)state;
	put_chain();
	poke("/base.vhd", 84, "\x01", 1);
	expect_chain("/leaf.vhd", "mid.vhd:V111 warning");
}

/* ---- One file ----------------------------------------------------------- */

static void
test_an_image_in_use_is_busy(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;
	struct io *io;

	(void)state;
	put_root(fs, "/base.vhd", 'b');
	io = hand_open(fs, "/base.vhd");
	assert_int_equal(io->ops->lock(io, IO_LOCK_WRITE), 0);
	assert_int_equal(check(&r, "/base.vhd", 0, NULL), VHD_E_BUSY);
	assert_int_equal(io_close(io), 0);
}

static void
test_a_file_that_is_not_there_is_a_failure(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;

	(void)state;
	assert_int_equal(check(&r, "/none.vhd", 0, NULL), VHD_E_NOTFOUND);
}

static void
test_who_hears_the_findings_can_stop(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;

	(void)state;
	assert_int_equal(mem_fs_put(fs, "/x.vhd", "x", 1), 0);
	told.stop_at = 1;
	assert_int_equal(check(&r, "/x.vhd", 0, NULL), VHD_E_CANCELLED);
}

static void
put_without_copy(void)
{
	struct hand h;

	hand_make(&h);
	memset(h.bytes, 0, 512);
	hand_put(&h, fs, "/x.vhd");
	hand_free(&h);
}

static void
test_a_repair_is_told_and_counted(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;

	(void)state;
	put_without_copy();
	expect_ok(check(&r, "/x.vhd", VHD_CHECK_REPAIR, NULL), "repair");
	assert_string_equal(told.text, "x.vhd:V05 error");
	assert_int_equal(told.repaired, 1);
	assert_int_equal(r.repaired, 1);
	assert_int_equal(r.errors, 0);
}

static void
test_a_dry_run_repairs_nothing(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;

	(void)state;
	put_without_copy();
	job.dry_run = true;
	opts.flags = VHD_CHECK_REPAIR;
	opts.job = &job;
	expect_ok(job_check(&r, fs, "/x.vhd", &opts), "dry run");
	assert_int_equal(r.errors, 1);
	assert_int_equal(r.repaired, 0);
}

static void
test_a_parent_is_not_repaired(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;
	struct io *io;

	(void)state;
	put_chain();
	io = hand_open(fs, "/base.vhd");
	assert_int_equal(io->ops->pwrite(io, "xxxxxxxx", 8, 0), 0);
	assert_int_equal(io_close(io), 0);
	expect_ok(check(&r, "/leaf.vhd", VHD_CHECK_CHAIN | VHD_CHECK_REPAIR,
			NULL),
		  "repair");
	assert_int_equal(r.repaired, 0);
	assert_int_equal(r.errors, 2);
}

static void
test_a_repair_is_taken_back(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;

	(void)state;
	put_without_copy();
	expect_ok(check(&r, "/x.vhd", VHD_CHECK_REPAIR, "/undo"), "repair");
	expect_ok(job_undo(fs, "/x.vhd", "/undo"), "undo");
	expect_ok(check(&r, "/x.vhd", 0, NULL), "check");
	assert_int_equal(r.errors, 1);
}

static void
test_an_undo_file_is_not_overwritten(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;

	(void)state;
	put_without_copy();
	assert_int_equal(mem_fs_put(fs, "/undo", "mine", 4), 0);
	assert_int_equal(check(&r, "/x.vhd", VHD_CHECK_REPAIR, "/undo"),
			 VHD_E_EXISTS);
	expect_ok(check(&r, "/x.vhd", 0, NULL), "check");
	assert_int_equal(r.errors, 1);
}

static void
test_a_repair_of_another_image_is_not_put_into_this_one(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;

	(void)state;
	put_without_copy();
	put_root(fs, "/other.vhd", 'o');
	expect_ok(check(&r, "/x.vhd", VHD_CHECK_REPAIR, "/undo"), "repair");
	assert_int_equal(job_undo(fs, "/other.vhd", "/undo"), VHD_E_POLICY);
}

static void
test_a_repair_is_not_taken_back_after_other_changes(void **state)
{
	struct vhd_check_result r = VHD_CHECK_RESULT_INIT;
	struct io *io;

	(void)state;
	put_without_copy();
	expect_ok(check(&r, "/x.vhd", VHD_CHECK_REPAIR, "/undo"), "repair");
	io = hand_open(fs, "/x.vhd");
	assert_int_equal(io->ops->pwrite(io, "y", 1, 27), 0);
	assert_int_equal(io_close(io), 0);
	assert_int_equal(job_undo(fs, "/x.vhd", "/undo"), VHD_E_POLICY);
}

/* Then it is a failure, and not a verdict. */
static void
test_what_cannot_be_read_is_no_verdict(void **state)
{
	struct fs *memory = fs;
	struct fault fault = {.at = 1, .what = FAULT_EIO};
	bool fired = true;

	(void)state;
	put_chain();
	expect_ok(fault_fs_new(&fs, memory), "a failing file system");
	for (; fired; fault.at++) {
		struct vhd_check_result r = VHD_CHECK_RESULT_INIT;
		int err;

		fault_arm(fs, &fault);
		err = check(&r, "/leaf.vhd", VHD_CHECK_CHAIN, NULL);
		fired = fault_fired(fs);
		if (!err && r.errors && !strstr(told.text, "V10"))
			fail_msg("with a failing %s it finds \"%s\"",
				 fault_hit(fs), told.text);
		memset(&told, 0, sizeof(told));
	}
	fault_fs_free(fs);
	fs = memory;
}

int
main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, enter, leave)
	static const struct CMUnitTest tests[] = {
		T(test_nothing_is_wrong_with_a_sound_chain),
		T(test_without_chain_the_parent_is_not_looked_for),
		T(test_a_missing_parent_is_told_of_its_child),
		T(test_another_disk_in_the_parents_place_is_told),
		T(test_a_damaged_parent_is_told_of_itself_and_of_its_child),
		T(test_a_disk_that_is_its_own_parent_is_a_loop),
		T(test_a_loop_over_two_files_ends),
		T(test_what_cannot_be_read_is_no_verdict),
		T(test_two_files_with_one_uuid_are_an_error),
		T(test_a_parents_time_that_differs_is_a_warning),
		T(test_a_child_of_another_size_is_a_warning),
		T(test_a_plain_disk_as_parent_must_be_allowed),
		T(test_a_parent_outside_is_refused),
		T(test_a_chain_that_is_too_deep_ends),
		T(test_a_parent_that_somebody_writes_to_is_a_warning),
		T(test_a_parent_in_saved_state_is_a_warning),
		T(test_an_image_in_use_is_busy),
		T(test_a_file_that_is_not_there_is_a_failure),
		T(test_who_hears_the_findings_can_stop),
		T(test_a_repair_is_told_and_counted),
		T(test_a_dry_run_repairs_nothing),
		T(test_a_parent_is_not_repaired),
		T(test_a_repair_is_taken_back),
		T(test_an_undo_file_is_not_overwritten),
		T(test_a_repair_of_another_image_is_not_put_into_this_one),
		T(test_a_repair_is_not_taken_back_after_other_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
