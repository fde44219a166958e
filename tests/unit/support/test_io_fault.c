/* SPDX-License-Identifier: BSD-3-Clause */
/* test_io_fault.c - the instrument fails when told to, and only then. */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "io/io_mem.h"
#include "io_fault.h"

struct place {
	struct fs *memory;
	struct fs *fs;
	struct io *io;
};

static int
enter(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_int_equal(mem_fs_new(&place->memory), 0);
	assert_int_equal(fault_fs_new(&place->fs, place->memory), 0);
	assert_int_equal(place->fs->ops->open(&place->io, place->fs, "a",
					      FS_OPEN_CREATE),
			 0);
	*state = place;
	return 0;
}

static int
leave(void **state)
{
	struct place *place = *state;

	fault_arm(place->fs, &(struct fault){.at = 0});
	assert_int_equal(io_close(place->io), 0);
	fault_fs_free(place->fs);
	mem_fs_free(place->memory);
	free(place);
	return 0;
}

static int
put(struct place *place, const char *text)
{
	return place->io->ops->pwrite(place->io, text, strlen(text), 0);
}

static void
expect_text(struct place *place, const char *text)
{
	char got[16] = "";

	assert_int_equal(place->io->ops->pread(place->io, got, strlen(text), 0),
			 0);
	assert_string_equal(got, text);
}

static void
test_only_the_nth_fails(void **state)
{
	struct place *place = *state;

	fault_arm(place->fs, &(struct fault){.at = 2, .what = FAULT_EIO});
	assert_int_equal(put(place, "1111"), 0);
	assert_int_equal(put(place, "2222"), VHD_E_IO);
	assert_int_equal(error_sys(), EIO);
	assert_true(fault_fired(place->fs));
	expect_text(place, "1111");
	assert_int_equal(put(place, "3333"), 0);
	assert_int_equal(fault_count(place->fs), 4);
}

static void
test_sticky_fails_from_the_nth_on(void **state)
{
	struct place *place = *state;

	fault_arm(
		place->fs,
		&(struct fault){.at = 2, .what = FAULT_ENOSPC, .sticky = true});
	assert_int_equal(put(place, "1111"), 0);
	assert_int_equal(put(place, "2222"), VHD_E_NOSPACE);
	assert_int_equal(put(place, "3333"), VHD_E_NOSPACE);
}

static void
test_other_kinds_are_not_counted(void **state)
{
	struct place *place = *state;
	uint64_t size;

	fault_arm(place->fs, &(struct fault){.at = 1, .kinds = FAULT_FLUSH});
	assert_int_equal(put(place, "1111"), 0);
	assert_int_equal(place->io->ops->size(&size, place->io), 0);
	assert_false(fault_fired(place->fs));
	assert_int_equal(place->io->ops->flush(place->io), VHD_E_IO);
	assert_int_equal(place->io->ops->flush(place->io), 0);
}

static void
test_short_write_leaves_half(void **state)
{
	struct place *place = *state;
	const struct io_ops *ops = place->io->ops;
	char old[1500], new[1500], got[1500];

	memset(old, '1', sizeof(old));
	memset(new, '2', sizeof(new));
	assert_int_equal(ops->pwrite(place->io, old, sizeof(old), 0), 0);
	fault_arm(place->fs, &(struct fault){.at = 1, .what = FAULT_SHORT});
	assert_int_equal(ops->pwrite(place->io, new, sizeof(new), 0), VHD_E_IO);
	assert_int_equal(ops->pread(place->io, got, sizeof(got), 0), 0);
	assert_memory_equal(got, new, 512);
	assert_memory_equal(got + 512, old, sizeof(old) - 512);
}

static void
test_names_fail_too(void **state)
{
	struct place *place = *state;
	const struct fs_ops *ops = place->fs->ops;

	fault_arm(place->fs, &(struct fault){.at = 2, .kinds = FAULT_NAMES});
	assert_int_equal(ops->link(place->fs, "a", "b"), 0);
	assert_int_equal(ops->rename(place->fs, "a", "c"), VHD_E_IO);
	assert_int_equal(ops->rename(place->fs, "a", "c"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter, leave)
		IN_PLACE(test_only_the_nth_fails),
		IN_PLACE(test_sticky_fails_from_the_nth_on),
		IN_PLACE(test_other_kinds_are_not_counted),
		IN_PLACE(test_short_write_leaves_half),
		IN_PLACE(test_names_fail_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
