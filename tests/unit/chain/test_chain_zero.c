/* SPDX-License-Identifier: BSD-3-Clause */
/* test_chain_zero.c - a trim beside a disk that grows. */
#include <pthread.h>
#include <time.h>

#include "io_fault.h"
#include "job/jobs.h"
#include "make_chain.h"

#define BLOCK MADE_BLOCK
#define SHORT (BLOCK + BLOCK / 2) /* of the child, at first */

struct guest {
	struct chain *c;
	pthread_t thread;
	uint64_t at, n; /* trims beside this operation on the files */
	bool runs;
	_Atomic bool done;
};

static void *
trim(void *user)
{
	struct guest *guest = user;

	expect_ok(chain_discard(guest->c, BLOCK, SHORT - BLOCK, 0), "trim");
	guest->done = true;
	return NULL;
}

/* A trim that has to wait is done later. */
static void
let_guest_trim(struct fs *fs, enum fault_kind kind, const char *name,
	       void *user)
{
	const struct timespec nap = {.tv_nsec = 1000000};
	struct guest *guest = user;

	(void)fs, (void)kind, (void)name;
	if (guest->runs || ++guest->n < guest->at)
		return;
	guest->runs = true;
	pthread_create(&guest->thread, NULL, trim, guest);
	for (int i = 0; i < 10 && !guest->done; i++)
		nanosleep(&nap, NULL);
}

/* False: there were not so many operations. */
static bool
trim_at(uint64_t at)
{
	struct fs *memory = new_fs(), *fs = NULL;
	struct guest guest = {.at = at};
	char byte = '?';

	put_sized(memory, "/root.vhd", 2 * BLOCK, 'r', 0);
	put_sized(memory, "/parent.vhd", 2 * BLOCK, 'p', 'r');
	write_pattern(memory, "/parent.vhd", SHORT, BLOCK / 2, 'p');
	put_sized(memory, "/disk.vhd", SHORT, 'd', 'p');
	write_pattern(memory, "/disk.vhd", BLOCK, 512, 'd');
	expect_ok(fault_fs_new(&fs, memory), "fault_fs_new");
	guest.c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	fault_set_hook(fs, let_guest_trim, &guest);
	expect_ok(job_resize(guest.c, 2 * BLOCK, 0, NULL), "resize");
	fault_set_hook(fs, NULL, NULL);
	if (guest.runs)
		pthread_join(guest.thread, NULL);
	expect_ok(chain_pread(guest.c, &byte, 1, SHORT), "read");
	if (byte)
		fail_msg("the parent's '%c' shows behind the old end after a "
			 "trim beside operation %u",
			 byte, (unsigned)at);
	close_disk(guest.c);
	fault_fs_free(fs);
	mem_fs_free(memory);
	return guest.runs;
}

static void
what_growing_hides_is_not_uncovered_by_a_trim(void **state)
{
	uint64_t at = 1;

	(void)state;
	while (trim_at(at))
		at++;
	assert_true(at > 10);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_growing_hides_is_not_uncovered_by_a_trim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
