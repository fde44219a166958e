/* SPDX-License-Identifier: BSD-3-Clause */
/* test_push.c - a merge beside a guest that writes: its progress, and what is
 * left when there is no space to end it. */
#include <cmocka.h>
#include <stdlib.h>

#include "io_fault.h"
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

#define FULL                                                                   \
	(&(struct fault){.at = 1,                                              \
			 .kinds = FAULT_WRITE,                                 \
			 .what = FAULT_ENOSPC,                                 \
			 .sticky = true})

static int
fill_up(const struct vhd_progress *progress, void *user)
{
	if (!strcmp(progress->phase, "merge") && progress->done)
		fault_arm(user, FULL);
	return 0;
}

/* The leaf of three, with two blocks, of which one was moved when there was no
 * space, not even to clear it. */
static struct chain *
stopped_disk(struct fs *fs)
{
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct chain *c;

	put_root(fs, "/a.vhd", 'a');
	put_child_at(fs, "/b.vhd", 'b', 'a', "a.vhd", NULL);
	put_child_at(fs, "/c.vhd", 'c', 'b', "b.vhd", NULL);
	write_pattern(fs, "/b.vhd", MADE_BLOCK + PIECE, PIECE, 1);
	write_pattern(fs, "/c.vhd", MADE_BLOCK, PIECE, 2);
	write_pattern(fs, "/c.vhd", 2 * MADE_BLOCK, PIECE, 2);
	c = open_disk(fs, "/c.vhd", VHD_OPEN_RDWR);
	job.progress = fill_up;
	job.progress_user = fs;
	job.rate = 4 * PIECE;
	opts.job = &job;
	assert_int_equal(job_merge(c, &opts), VHD_E_NOSPACE);
	assert_true(moved_has(c, MADE_BLOCK));
	return c;
}

static void
test_no_job_begins_before_a_stopped_push_is_cleared(void **state)
{
	struct fs *below = new_fs(), *fs;
	struct chain *c;

	(void)state;
	expect_ok(fault_fs_new(&fs, below), "a file system that fills up");
	c = stopped_disk(fs);
	assert_int_equal(job_resize(c, c->size + MADE_BLOCK, 0, NULL),
			 VHD_E_NOSPACE);
	fault_arm(fs, &(struct fault){.at = 0});
	expect_ok(job_resize(c, c->size + MADE_BLOCK, 0, NULL), "resize");
	assert_null(c->moved.bits);
	close_disk(c);
	fault_fs_free(fs);
	mem_fs_free(below);
}

struct late_guest {
	struct chain *c;
	uint8_t data[PIECE];
	bool wrote;
};

/* When the block of the layer below the leaf has been copied. */
static int
write_late(const struct vhd_progress *progress, void *user)
{
	struct late_guest *g = user;

	if (!g->wrote && !strcmp(progress->phase, "merge") && progress->done) {
		memset(g->data, 9, PIECE);
		expect_ok(chain_pwrite(g->c, g->data, PIECE, MADE_BLOCK, 0),
			  "write");
		g->wrote = true;
	}
	return 0;
}

static void
test_a_longer_merge_after_a_stopped_one_loses_no_write(void **state)
{
	struct fs *below = new_fs(), *fs;
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct late_guest guest = {0};

	(void)state;
	expect_ok(fault_fs_new(&fs, below), "a file system that fills up");
	guest.c = stopped_disk(fs);
	fault_arm(fs, &(struct fault){.at = 0});
	opts.into = 2;
	job.progress = write_late;
	job.progress_user = &guest;
	job.rate = 4 * PIECE;
	opts.job = &job;
	expect_ok(job_merge(guest.c, &opts), "merge");
	assert_true(guest.wrote);
	expect_ok(chain_pread(guest.c, guest.data, PIECE, MADE_BLOCK), "read");
	assert_int_equal(guest.data[0], 9);
	close_disk(guest.c);
	fault_fs_free(fs);
	mem_fs_free(below);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_what_guests_write_meanwhile_is_in_the_total),
		cmocka_unit_test(
			test_no_job_begins_before_a_stopped_push_is_cleared),
		cmocka_unit_test(
			test_a_longer_merge_after_a_stopped_one_loses_no_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
