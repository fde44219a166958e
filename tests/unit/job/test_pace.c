/* SPDX-License-Identifier: BSD-3-Clause */
/* test_pace.c - for how long a job rests, told by a clock of the test. */
#include "job/pace.h"
#include "make_chain.h"

#define MS INT64_C(1000000)

struct bed {
	struct fs *fs;
	struct chain *c;
	struct pace pace;
};

static struct bed
new_bed(void)
{
	struct bed b = {.fs = new_fs()};

	put_root(b.fs, "/disk.vhd", 'd');
	b.c = open_disk(b.fs, "/disk.vhd", VHD_OPEN_RDWR);
	pace_start(&b.pace, b.c, 0);
	return b;
}

static void
free_bed(struct bed *b)
{
	close_disk(b->c);
	mem_fs_free(b->fs);
}

static void
test_idle_guests_need_no_rest(void **state)
{
	struct bed b = new_bed();

	(void)state;
	assert_int_equal(pace_rest(&b.pace, 5 * MS), 0);
	assert_false(b.pace.busy);
	free_bed(&b);
}

/* Every kind of request. */
static void
visit(struct chain *c, int kind)
{
	char byte[SECTOR_SIZE] = "x";

	switch (kind) {
	case 0:
		expect_ok(chain_pread(c, byte, sizeof(byte), 0), "read");
		break;
	case 1:
		expect_ok(chain_pwrite(c, byte, sizeof(byte), 0, 0), "write");
		break;
	case 2:
		expect_ok(chain_pwrite(c, byte, 1, 7, 0), "write of a byte");
		break;
	case 3:
		expect_ok(chain_zero(c, 0, SECTOR_SIZE, 0), "zero");
		break;
	default:
		expect_ok(chain_discard(c, 0, SECTOR_SIZE, 0), "discard");
	}
}

static void
test_guests_get_as_long_as_the_work_took(void **state)
{
	struct bed b = new_bed();

	(void)state;
	for (int kind = 0; kind < 5; kind++) {
		pace_resume(&b.pace, 100 * MS);
		visit(b.c, kind);
		assert_int_equal(pace_rest(&b.pace, 103 * MS), 3 * MS);
		assert_true(b.pace.busy);
	}
	free_bed(&b);
}

static void
test_what_came_while_it_rested_is_over(void **state)
{
	struct bed b = new_bed();

	(void)state;
	visit(b.c, 0);
	assert_int_equal(pace_rest(&b.pace, 2 * MS), 2 * MS);
	visit(b.c, 0);
	pace_resume(&b.pace, 4 * MS);
	assert_int_equal(pace_rest(&b.pace, 6 * MS), 0);
	free_bed(&b);
}

static void
test_who_waits_for_a_flush_is_a_guest(void **state)
{
	struct bed b = new_bed();

	(void)state;
	b.c->flush_callers = 1;
	assert_int_equal(pace_rest(&b.pace, 2 * MS), 2 * MS);
	b.c->flush_callers = 0;
	assert_int_equal(pace_rest(&b.pace, 2 * MS), 0);
	free_bed(&b);
}

static void
test_a_rest_is_short_however_long_the_work(void **state)
{
	struct bed b = new_bed();

	(void)state;
	visit(b.c, 1);
	assert_in_range(pace_rest(&b.pace, 3600 * 1000 * MS), 1, 1000 * MS);
	free_bed(&b);
}

static void
test_a_disk_at_rest_has_no_guests(void **state)
{
	struct pace pace = {0};

	(void)state;
	pace_resume(&pace, 0);
	assert_int_equal(pace_rest(&pace, 5 * MS), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_guests_need_no_rest),
		cmocka_unit_test(test_guests_get_as_long_as_the_work_took),
		cmocka_unit_test(test_what_came_while_it_rested_is_over),
		cmocka_unit_test(test_who_waits_for_a_flush_is_a_guest),
		cmocka_unit_test(test_a_rest_is_short_however_long_the_work),
		cmocka_unit_test(test_a_disk_at_rest_has_no_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
