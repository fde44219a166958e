/* SPDX-License-Identifier: BSD-3-Clause */
/* test_chain_flush.c - a guest's flush in the middle of a push flushes each of
 * the two files twice at most; and when one of them cannot be flushed, that is
 * the end of the disk (P24, P25). */
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
	struct fs *fs;
	const char *victim;  /* the file whose flush fails */
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
strike(struct fs *fs, enum fault_kind kind, const char *name, void *user)
{
	const struct fault fault = {.at = 1, .kinds = FAULT_FLUSH};
	struct guest *guest = user;

	if (guest->victim && kind == FAULT_FLUSH && strstr(name, guest->victim))
		fault_arm(fs, &fault);
}

static void
expect_no_more(struct guest *guest)
{
	const struct fault changes = {.kinds = FAULT_WRITE | FAULT_FLUSH |
					       FAULT_PUNCH | FAULT_TRUNCATE};
	uint8_t data[512];

	fault_arm(guest->fs, &changes);
	for (uint64_t at = 0; at < SIZE; at += SIZE - BLOCK) {
		expect_ok(chain_pread(guest->c, data, 512, at), "read");
		if (!chain_pwrite(guest->c, data, 512, at, 0) ||
		    !chain_zero(guest->c, at, BLOCK, VHD_IO_MAY_TRIM) ||
		    !chain_discard(guest->c, at, BLOCK, 0))
			fail_msg("a write to %u, after the flush of %s failed, "
				 "is accepted",
				 (unsigned)at, guest->victim);
	}
	assert_int_not_equal(chain_flush(guest->c), 0);
	if (fault_count(guest->fs))
		fail_msg("after the flush of %s failed, a file is changed",
			 guest->victim);
}

static int
flush_fails(const struct vhd_progress *p, void *user)
{
	struct guest *guest = user;
	uint8_t data[512];

	if (!p->done || !guest->c->moved.bits || guest->rounds++)
		return 0;
	memset(data, 'g', sizeof(data));
	expect_ok(chain_pwrite(guest->c, data, 512, 0, 0), "write");
	expect_ok(chain_pwrite(guest->c, data, 512, SIZE - BLOCK, 0), "write");
	fault_set_hook(guest->fs, strike, guest);
	assert_int_not_equal(chain_flush(guest->c), 0);
	fault_set_hook(guest->fs, NULL, NULL);
	expect_no_more(guest);
	return 0;
}

/* The leaf is pushed, and the guest acts whenever that makes progress. */
static int
push_beside(struct guest *guest,
	    int (*act)(const struct vhd_progress *p, void *user))
{
	struct vhd_create_opts create = VHD_CREATE_OPTS_INIT;
	struct vhd_merge_opts merge = VHD_MERGE_OPTS_INIT;
	struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;

	create.virtual_size = SIZE;
	create.block_size = BLOCK;
	expect_ok(job_create(guest->fs, "/base.vhd", &create), "base");
	create.parent = "/base.vhd";
	expect_ok(job_create(guest->fs, "/disk.vhd", &create), "disk");
	write_pattern(guest->fs, "/disk.vhd", 0, SIZE - BLOCK, 'b');
	guest->c = open_disk(guest->fs, "/disk.vhd", VHD_OPEN_RDWR);
	opts.progress = act;
	opts.progress_user = guest;
	opts.rate = 100 * BLOCK;
	merge.job = &opts;
	return job_merge(guest->c, &merge);
}

static void
test_a_flush_beside_a_push_takes_two_of_each_file(void **unused)
{
	AUTO(mem_fs_free) struct fs *memory = new_fs();
	AUTO(fault_fs_free) struct fs *fs = NULL;
	struct guest guest = {0};

	(void)unused;
	assert_int_equal(fault_fs_new(&fs, memory), 0);
	guest.fs = fs;
	fault_set_hook(fs, count, &guest);
	expect_ok(push_beside(&guest, write_and_flush), "merge");
	assert_true(guest.rounds > 0);
	close_disk(guest.c);
}

static void
test_a_failed_flush_is_the_end_of_the_disk(void **unused)
{
	static const char *const victims[] = {"base", "disk"};

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		AUTO(mem_fs_free) struct fs *memory = new_fs();
		AUTO(fault_fs_free) struct fs *fs = NULL;
		struct guest guest = {.victim = victims[i]};

		assert_int_equal(fault_fs_new(&fs, memory), 0);
		guest.fs = fs;
		assert_int_not_equal(push_beside(&guest, flush_fails), 0);
		assert_true(guest.rounds > 0);
		assert_int_not_equal(chain_close(guest.c), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_a_flush_beside_a_push_takes_two_of_each_file),
		cmocka_unit_test(test_a_failed_flush_is_the_end_of_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
