/* SPDX-License-Identifier: BSD-3-Clause */
/* test_snapshot.c - a snapshot of a disk in use, whose names cannot be made to
 * stay. */
#include "io_fault.h"
#include "make_chain.h"
#include "tree/snapshot.h"

/* The n-th time that names are to be made durable fails; false: there is no
 * such time.  A disk whose new name may be lost answers for nothing. */
static bool
fail_at(uint64_t n)
{
	struct fs *memory = new_fs(), *fs = NULL;
	struct chain *c;
	bool fired;
	int err;

	put_root(memory, "/disk.vhd", 'd');
	expect_ok(fault_fs_new(&fs, memory), "fault_fs_new");
	c = open_disk(fs, "/disk.vhd", VHD_OPEN_RDWR);
	fault_arm(fs, &(struct fault){.at = n, .kinds = FAULT_SYNC_DIR});
	err = snapshot_create_live(c, "a");
	fired = fault_fired(fs);
	fault_arm(fs, &(struct fault){.at = 0});
	if (fired && err && c->depth > 1 &&
	    chain_pwrite(c, "x", 1, 0, VHD_IO_FUA) == 0)
		fail_msg("a durable write was answered for, and the %u. "
			 "sync_dir had failed",
			 (unsigned)n);
	(void)chain_close(c);
	fault_fs_free(fs);
	mem_fs_free(memory);
	return fired;
}

static void
no_write_is_durable_before_the_name_of_its_file_is(void **state)
{
	uint64_t n = 1;

	(void)state;
	while (fail_at(n))
		n++;
	assert_true(n > 2);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			no_write_is_durable_before_the_name_of_its_file_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
