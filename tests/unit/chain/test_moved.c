/* SPDX-License-Identifier: BSD-3-Clause */
/* test_moved.c - a guest at work in the middle of a push. */
#include <cmocka.h>
#include <string.h>

#include "job/jobs.h"
#include "make_chain.h"

#define SMALL 4096u
#define LARGE 65536u

/* While the push sleeps, one block is moved and the next is not. */
struct guest {
	struct chain *c;
	unsigned writes;
};

static void
expect_neighbour(struct chain *c)
{
	uint8_t data[SMALL], want[SMALL];

	memset(want, 'b', sizeof(want));
	expect_ok(chain_pread(c, data, SMALL, SMALL), "read");
	assert_memory_equal(data, want, SMALL);
}

static int
write_and_read(const struct vhd_progress *p, void *user)
{
	struct guest *guest = user;
	uint8_t data[SMALL];

	if (!p->done || guest->writes++)
		return 0;
	expect_neighbour(guest->c);
	memset(data, 'c', sizeof(data));
	expect_ok(chain_pwrite(guest->c, data, SMALL, 0, 0), "write");
	expect_neighbour(guest->c);
	return 0;
}

/* P3: a block is moved, not those beside it in a larger block below. */
static void
write_to_moved_block_leaves_its_neighbours(void **unused)
{
	AUTO(mem_fs_free) struct fs *fs = new_fs();
	struct vhd_create_opts create = VHD_CREATE_OPTS_INIT;
	struct vhd_merge_opts merge = VHD_MERGE_OPTS_INIT;
	struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;
	struct guest guest = {0};

	(void)unused;
	create.virtual_size = LARGE;
	create.block_size = LARGE;
	expect_ok(job_create(fs, "/base.vhd", &create), "base");
	write_pattern(fs, "/base.vhd", 0, LARGE, 'a');
	create.block_size = SMALL;
	create.parent = "/base.vhd";
	expect_ok(job_create(fs, "/disk.vhd", &create), "disk");
	write_pattern(fs, "/disk.vhd", 0, 2 * SMALL, 'b');
	guest.c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	opts.progress = write_and_read;
	opts.progress_user = &guest;
	opts.rate = 10 * SMALL;
	merge.job = &opts;
	expect_ok(job_merge(guest.c, &merge), "merge");
	assert_true(guest.writes > 0);
	close_disk(guest.c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_to_moved_block_leaves_its_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
