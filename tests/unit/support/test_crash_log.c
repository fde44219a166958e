/* SPDX-License-Identifier: BSD-3-Clause */
/* test_crash_log.c - flushes that fail, and those that overlap, leave exactly
 * what they may. */
#include <cmocka.h>
#include <string.h>

#include "io_crash.h"

struct place {
	struct fs *fs;
	struct io *io;
	char text[5]; /* the first letter of each sector of the only state */
};

static int
enter(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	assert_int_equal(crash_fs_new(&place->fs), 0);
	assert_int_equal(place->fs->ops->open(&place->io, place->fs, "a",
					      FS_OPEN_CREATE),
			 0);
	assert_int_equal(place->fs->ops->sync_dir(place->fs, "a"), 0);
	*state = place;
	return 0;
}

static int
leave(void **state)
{
	struct place *place = *state;

	assert_int_equal(io_close(place->io), 0);
	crash_fs_free(place->fs);
	free(place);
	return 0;
}

static void
put(struct io *io, char letter, uint64_t sector)
{
	uint8_t data[512];

	memset(data, letter, sizeof(data));
	assert_int_equal(io->ops->pwrite(io, data, 512, 512 * sector), 0);
}

static int
see(const struct crash_state *state, void *user)
{
	struct place *place = user;
	struct mem_data *data;

	assert_int_equal(mem_fs_get_data(&data, state->fs, "a"), 0);
	memset(place->text, 0, sizeof(place->text));
	for (uint64_t i = 0; i < mem_data_size(data) / 512; i++)
		mem_data_read(data, place->text + i, 1, 512 * i);
	mem_data_free(data);
	return 0;
}

static const char *
only_state(struct place *place)
{
	const struct crash_limits limits = {.exhaustive = 1000};
	uint64_t count = 0;

	assert_int_equal(
		crash_each_state(&count, place->fs, &limits, see, place), 0);
	assert_int_equal(count, 1);
	return place->text;
}

static void
begin(struct place *place)
{
	put(place->io, 'x', 0);
	put(place->io, 'y', 1);
	assert_int_equal(place->io->ops->flush(place->io), 0);
	put(place->io, 'A', 0);
}

/* It began last and ends first. */
static void
flush_within(struct fs *fs, void *user)
{
	struct io *io = user;

	crash_set_hook(fs, NULL, NULL);
	put(io, 'B', 1);
	assert_int_equal(io->ops->flush(io), 0);
}

static void
test_flush_that_ends_last_brings_nothing_back(void **state)
{
	struct place *place = *state;

	begin(place);
	crash_set_hook(place->fs, flush_within, place->io);
	assert_int_equal(place->io->ops->flush(place->io), 0);
	assert_string_equal(only_state(place), "AB");
}

static void
durable_within(struct fs *fs, void *user)
{
	struct io *io = user;
	uint8_t data[512];

	crash_set_hook(fs, NULL, NULL);
	memset(data, 'D', sizeof(data));
	assert_int_equal(io->ops->pwrite_durable(io, data, 512, 512), 0);
}

static void
test_durable_write_during_a_flush_stays(void **state)
{
	struct place *place = *state;

	begin(place);
	crash_set_hook(place->fs, durable_within, place->io);
	assert_int_equal(place->io->ops->flush(place->io), 0);
	assert_string_equal(only_state(place), "AD");
}

static void
test_what_a_failed_flush_lost_is_not_kept_by_the_next(void **state)
{
	struct place *place = *state;
	unsigned lost = 0;

	for (uint64_t seed = 1; seed <= 16; seed++) {
		begin(place);
		crash_fail_flush(place->fs, seed * 0x9e3779b97f4a7c15u);
		assert_int_equal(place->io->ops->flush(place->io), VHD_E_IO);
		assert_true(crash_flush_failed(place->fs));
		put(place->io, 'B', 1);
		assert_int_equal(place->io->ops->flush(place->io), 0);
		lost += strcmp(only_state(place), "xB") == 0;
	}
	assert_in_range(lost, 1, 15);
}

static void
test_what_was_lost_is_kept_when_written_again(void **state)
{
	struct place *place = *state;

	begin(place);
	crash_fail_flush(place->fs, 1);
	assert_int_equal(place->io->ops->flush(place->io), VHD_E_IO);
	put(place->io, 'A', 0);
	assert_int_equal(place->io->ops->flush(place->io), 0);
	assert_string_equal(only_state(place), "Ay");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter, leave)
		IN_PLACE(test_flush_that_ends_last_brings_nothing_back),
		IN_PLACE(test_durable_write_during_a_flush_stays),
		IN_PLACE(test_what_a_failed_flush_lost_is_not_kept_by_the_next),
		IN_PLACE(test_what_was_lost_is_kept_when_written_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
