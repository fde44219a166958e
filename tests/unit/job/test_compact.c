/* SPDX-License-Identifier: BSD-3-Clause */
/* test_compact.c - a block that a guest trims while it is about to be moved. */
#include <pthread.h>
#include <time.h>

#include "hand_image.h"
#include "io_fault.h"
#include "job/jobs.h"
#include "make_chain.h"

static struct {
	struct chain *c;
	pthread_t thread;
	_Atomic bool begun, inside;
} guest;

static void
nap(long ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* From the middle of block 0 to the end of block 2. */
static void *
trim(void *user)
{
	(void)user;
	expect_ok(chain_discard(guest.c, HAND_BLOCK / 2,
				HAND_BLOCK / 2 + 2 * HAND_BLOCK, 0),
		  "trim");
	return NULL;
}

/* Zeros in block 0 take so long that the job waits for the gate. */
static void
take_long(struct fs *fs, enum fault_kind kind, const char *name, void *user)
{
	(void)fs, (void)name, (void)user;
	if (kind != FAULT_PUNCH || !guest.begun || guest.inside)
		return;
	guest.inside = true;
	nap(50);
}

static int
begin_trim(const struct vhd_progress *progress, void *user)
{
	(void)user;
	if (strcmp(progress->phase, "move") != 0 || guest.begun)
		return 0;
	guest.begun = true;
	pthread_create(&guest.thread, NULL, trim, NULL);
	while (!guest.inside)
		nap(1);
	return 0;
}

static void
a_block_that_goes_while_its_gate_is_closed_is_not_moved(void **state)
{
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct fs *memory = new_fs(), *fs = NULL;
	struct hand h;

	(void)state;
	hand_make(&h);
	memmove(h.bytes + HAND_BLOCK_2 + 512, h.bytes + HAND_BLOCK_2,
		h.length - HAND_BLOCK_2);
	hand_entry(&h, 2, HAND_BLOCK_2 / 512 + 1);
	h.length += 512;
	hand_put(&h, memory, "/disk.vhd");
	hand_free(&h);
	expect_ok(fault_fs_new(&fs, memory), "fault_fs_new");
	guest.c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	fault_set_hook(fs, take_long, NULL);
	job.progress = begin_trim;
	expect_ok(job_compact(guest.c, VHD_COMPACT_REPACK, &job), "compact");
	pthread_join(guest.thread, NULL);
	assert_false(image_has_block(guest.c->layers[0].img, 2));
	fault_set_hook(fs, NULL, NULL);
	close_disk(guest.c);
	fault_fs_free(fs);
	mem_fs_free(memory);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_block_that_goes_while_its_gate_is_closed_is_not_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
