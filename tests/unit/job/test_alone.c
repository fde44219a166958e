/* SPDX-License-Identifier: BSD-3-Clause */
/* test_alone.c - jobs on a child that was opened without its parent, which
 * nobody can tell the content of. */
#include "job/jobs.h"
#include "make_chain.h"

#define ALONE (VHD_OPEN_RDWR | VHD_OPEN_NOPARENT)

static struct fs *fs;

/* A child whose zeros hide what its parent has. */
static int
enter(void **state)
{
	(void)state;
	fs = new_fs();
	put_sized(fs, "/parent.vhd", MADE_SIZE, 'p', 0);
	fill_image(fs, "/parent.vhd", MADE_SIZE, 'p');
	put_sized(fs, "/disk.vhd", MADE_SIZE, 'd', 'p');
	write_pattern(fs, "/disk.vhd", 0, MADE_BLOCK, 0);
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	mem_fs_free(fs);
	return 0;
}

static void
expect_refused(struct chain *c, int err)
{
	char byte = '?';

	assert_int_equal(err, VHD_E_NOPARENT);
	close_disk(c);
	c = open_disk(fs, "/disk.vhd", 0);
	expect_ok(chain_pread(c, &byte, 1, 0), "read");
	assert_int_equal(byte, 0);
	close_disk(c);
}

static void
what_hides_the_parent_is_not_compacted_away(void **state)
{
	struct chain *c = open_disk(fs, "/disk.vhd", ALONE);

	(void)state;
	expect_refused(c, job_compact(c, VHD_COMPACT_PUNCH, NULL));
}

static void
a_child_does_not_grow_over_what_its_parent_may_have(void **state)
{
	struct chain *c = open_disk(fs, "/disk.vhd", ALONE);

	(void)state;
	expect_refused(c, job_resize(c, 2 * MADE_SIZE, 0, NULL));
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	static const struct CMUnitTest tests[] = {
		T(what_hides_the_parent_is_not_compacted_away),
		T(a_child_does_not_grow_over_what_its_parent_may_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
