/* SPDX-License-Identifier: BSD-3-Clause */
/* test_pull.c - a pull beside a guest that trims what was copied. */
#include "job/job.h"
#include "job/pull.h"
#include "make_chain.h"

#define BLOCK (2u << 20)

/* It trims the last block after every step of the job. */
static int
trim(const struct vhd_progress *progress, void *user)
{
	(void)progress;
	expect_ok(chain_discard(user, 3 * BLOCK, BLOCK, 0), "trim");
	return 0;
}

static void
expect_zero(struct chain *c, const char *when)
{
	char byte = '?';

	expect_ok(chain_pread(c, &byte, 1, 3 * BLOCK), when);
	if (byte)
		fail_msg("%s: '%c' of the root shows, which the end of the "
			 "middle hid",
			 when, byte);
}

/* P22: until the link is changed, and afterwards, what the end of the parent
 * hides stays hidden. */
static void
test_trim_uncovers_nothing_that_a_shorter_parent_hid(void **state)
{
	struct fs *fs = new_fs();
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct vhd_job_opts how = VHD_JOB_OPTS_INIT;
	struct chain *c = NULL;
	struct job job;

	(void)state;
	put_sized(fs, "/root.vhd", 4 * BLOCK, 'r', 0);
	fill_image(fs, "/root.vhd", 4 * BLOCK, 'r');
	put_sized(fs, "/middle.vhd", 2 * BLOCK, 'm', 'r');
	put_sized(fs, "/leaf.vhd", 4 * BLOCK, 'l', 'm');
	expect_ok(chain_open(&c, fs, "/leaf.vhd", &opts), "open");
	expect_zero(c, "before");
	how.progress = trim;
	how.progress_user = c;
	how.rate = 8 * BLOCK; /* an eighth of a second for each */
	job_start(&job, &how);
	expect_ok(pull_layer(c, &job, 0), "pull");
	expect_zero(c, "after");
	close_disk(c);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_trim_uncovers_nothing_that_a_shorter_parent_hid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
