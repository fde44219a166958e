/* SPDX-License-Identifier: BSD-3-Clause */
/* test_merge.c - what a merge does before its first step, beside guests. */
#include <pthread.h>
#include <time.h>

#include "io_fault.h"
#include "job/jobs.h"
#include "make_chain.h"

/* So large that a region begins where the file ended. */
#define BLOCK (16u << 20)
#define SIZE  (2 * BLOCK)

struct guest {
	struct chain *c;
	pthread_t thread;
	bool runs;
	_Atomic bool done;
};

/* A new block, whose bitmap is on the disk when this returns. */
static void *
write_block(void *user)
{
	struct guest *guest = user;
	uint8_t data[SECTOR_SIZE];

	memset(data, 'g', sizeof(data));
	expect_ok(chain_pwrite(guest->c, data, sizeof(data), BLOCK, VHD_IO_FUA),
		  "write");
	guest->done = true;
	return NULL;
}

/* The guest has a tenth of a second to write before the first hole. */
static void
let_guest_write(struct fs *fs, enum fault_kind kind, const char *name,
		void *user)
{
	const struct timespec nap = {.tv_nsec = 1000000};
	struct guest *guest = user;

	(void)fs, (void)name;
	if (kind != FAULT_PUNCH || guest->runs)
		return;
	guest->runs = true;
	pthread_create(&guest->thread, NULL, write_block, guest);
	for (int i = 0; i < 100 && !guest->done; i++)
		nanosleep(&nap, NULL);
}

static int
stop(const struct vhd_progress *progress, void *user)
{
	(void)progress, (void)user;
	return 1;
}

static void
a_guest_that_writes_while_holes_are_tried_loses_nothing(void **state)
{
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;
	struct footer parent = {.current_size = SIZE};
	struct guest guest = {0};
	struct fs *memory = new_fs(), *fs = NULL;
	char byte = '?';

	(void)state;
	memset(parent.uuid, 'p', sizeof(parent.uuid));
	put_formatted(memory, "/parent.vhd",
		      &(struct image_create){.type = VHD_TYPE_DYNAMIC,
					     .size = SIZE,
					     .block_size = BLOCK,
					     .uuid = uuid_of('p')});
	put_formatted(memory, "/disk.vhd",
		      &(struct image_create){.type = VHD_TYPE_DIFFERENCING,
					     .size = SIZE,
					     .block_size = BLOCK,
					     .uuid = uuid_of('d'),
					     .parent = &parent,
					     .parent_relative = "parent.vhd"});
	expect_ok(fault_fs_new(&fs, memory), "fault_fs_new");
	guest.c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	fault_set_hook(fs, let_guest_write, &guest);
	job.progress = stop;
	opts.job = &job;
	assert_int_equal(job_merge(guest.c, &opts), VHD_E_CANCELLED);
	assert_true(guest.runs);
	pthread_join(guest.thread, NULL);
	fault_set_hook(fs, NULL, NULL);
	close_disk(guest.c);
	guest.c = open_disk(fs, "/disk.vhd", 0);
	expect_ok(chain_pread(guest.c, &byte, 1, BLOCK), "read");
	assert_int_equal(byte, 'g');
	close_disk(guest.c);
	fault_fs_free(fs);
	mem_fs_free(memory);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_guest_that_writes_while_holes_are_tried_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
