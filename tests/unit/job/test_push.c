/* SPDX-License-Identifier: BSD-3-Clause */
/* test_push.c - the progress of a merge beside a guest that writes. */
#include <cmocka.h>
#include <stdlib.h>

#include "job/jobs.h"
#include "make_chain.h"

#define PIECE (64u << 10)

/* A guest that writes once to block 2, while block 1 is being moved. */
struct guest {
	struct chain *c;
	bool wrote;
	uint64_t total; /* said after block 1, before block 2 */
};

static int
write_once(const struct vhd_progress *progress, void *user)
{
	static const uint8_t data[PIECE] = {1};
	struct guest *g = user;

	if (!g->wrote && !strcmp(progress->phase, "merge"))
		expect_ok(chain_pwrite(g->c, data, PIECE,
				       2 * MADE_BLOCK + PIECE, 0),
			  "write");
	g->wrote = !strcmp(progress->phase, "merge");
	if (progress->done == PIECE)
		g->total = progress->total;
	return 0;
}

static void
test_what_guests_write_meanwhile_is_in_the_total(void **state)
{
	struct fs *fs = new_fs();
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct guest guest = {0};

	(void)state;
	put_root(fs, "/p.vhd", 'p');
	put_child_at(fs, "/c.vhd", 'c', 'p', "p.vhd", NULL);
	write_pattern(fs, "/c.vhd", MADE_BLOCK, PIECE, 2);
	write_pattern(fs, "/c.vhd", 2 * MADE_BLOCK, PIECE, 2);
	guest.c = open_disk(fs, "/c.vhd", VHD_OPEN_RDWR);
	job.progress = write_once;
	job.progress_user = &guest;
	job.rate = 4 * PIECE; /* a quarter of a second for each */
	opts.job = &job;
	expect_ok(job_merge(guest.c, &opts), "merge");
	close_disk(guest.c);
	assert_int_equal(guest.total, 3 * PIECE);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_what_guests_write_meanwhile_is_in_the_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
