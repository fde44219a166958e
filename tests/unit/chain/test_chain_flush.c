/* SPDX-License-Identifier: BSD-3-Clause */
/* test_chain_flush.c - a guest's flush in the middle of a push flushes each of
 * the two files twice at most. */
#include <cmocka.h>
#include <string.h>

#include "io_fault.h"
#include "job/jobs.h"
#include "make_chain.h"

#define BLOCK  4096u
#define BLOCKS 32u
#define SIZE   (BLOCKS * BLOCK)

struct guest {
	struct chain *c;
	unsigned base, disk; /* flushes of either file */
	unsigned rounds;
};

static void
count(struct fs *fs, enum fault_kind kind, const char *name, void *user)
{
	struct guest *guest = user;

	(void)fs;
	if (kind == FAULT_FLUSH)
		*(strstr(name, "base") ? &guest->base : &guest->disk) += 1;
}

/* The first block was moved, the last one is not there yet. */
static int
write_and_flush(const struct vhd_progress *p, void *user)
{
	struct guest *guest = user;
	uint8_t data[512];

	if (!p->done || !guest->c->moved.bits)
		return 0;
	memset(data, 'g', sizeof(data));
	guest->base = guest->disk = 0;
	expect_ok(chain_pwrite(guest->c, data, 512, 0, 0), "write");
	expect_ok(chain_pwrite(guest->c, data, 512, SIZE - BLOCK, 0), "write");
	if (guest->base + guest->disk)
		fail_msg("two writes flushed %u times",
			 guest->base + guest->disk);
	expect_ok(chain_flush(guest->c), "flush");
	if (guest->base > 2 || guest->disk > 2)
		fail_msg("a flush flushed the parent %u and the leaf %u times",
			 guest->base, guest->disk);
	guest->rounds += guest->base && guest->disk;
	return 0;
}

static void
test_a_flush_beside_a_push_takes_two_of_each_file(void **unused)
{
	AUTO(mem_fs_free) struct fs *memory = new_fs();
	AUTO(fault_fs_free) struct fs *fs = NULL;
	struct vhd_create_opts create = VHD_CREATE_OPTS_INIT;
	struct vhd_merge_opts merge = VHD_MERGE_OPTS_INIT;
	struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;
	struct guest guest = {0};

	(void)unused;
	assert_int_equal(fault_fs_new(&fs, memory), 0);
	create.virtual_size = SIZE;
	create.block_size = BLOCK;
	expect_ok(job_create(fs, "/base.vhd", &create), "base");
	create.parent = "/base.vhd";
	expect_ok(job_create(fs, "/disk.vhd", &create), "disk");
	write_pattern(fs, "/disk.vhd", 0, SIZE - BLOCK, 'b');
	guest.c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	fault_set_hook(fs, count, &guest);
	opts.progress = write_and_flush;
	opts.progress_user = &guest;
	opts.rate = 100 * BLOCK;
	merge.job = &opts;
	expect_ok(job_merge(guest.c, &merge), "merge");
	assert_true(guest.rounds > 0);
	close_disk(guest.c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_flush_beside_a_push_takes_two_of_each_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
