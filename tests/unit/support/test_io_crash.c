/* SPDX-License-Identifier: BSD-3-Clause */
/* test_io_crash.c - the instrument leaves exactly what a power cut may.
 *
 * A state is written as a text: for each name in order, the first letter of
 * every sector of its file, '.' for zeros. */
#include <cmocka.h>
#include <string.h>

#include "base/arith.h"
#include "io_crash.h"

struct seen {
	char texts[64][80];
	size_t n;
	uint64_t count;
	size_t shown;
};

struct place {
	struct fs *fs;
	struct io *io;
	struct seen seen;
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
put(struct io *io, const char *letters, uint64_t sector)
{
	char buf[8 * 512];
	size_t n = strlen(letters);

	for (size_t i = 0; i < n; i++)
		memset(buf + 512 * i, letters[i] == '.' ? 0 : letters[i], 512);
	assert_int_equal(io->ops->pwrite(io, buf, 512 * n, 512 * sector), 0);
}

static void
flush(struct io *io)
{
	assert_int_equal(io->ops->flush(io), 0);
}

static void
add_file(char *text, const struct fs *fs, const char *path)
{
	struct mem_data *data;
	char sector[512];
	char letter[2] = "";

	if (mem_fs_get_data(&data, (struct fs *)(uintptr_t)fs, path))
		return;
	strcat(text, path);
	strcat(text, "=");
	for (uint64_t at = 0; at < mem_data_size(data); at += 512) {
		uint64_t left = mem_data_size(data) - at;

		mem_data_read(data, sector, left < 512 ? left : 512, at);
		letter[0] = sector[0] ? sector[0] : '.';
		for (uint64_t i = 1; i < min_u64(left, 512); i++)
			if (sector[i] != sector[0])
				letter[0] = '?';
		strcat(text, letter);
	}
	strcat(text, " ");
	mem_data_free(data);
}

static int
see(const struct crash_state *state, void *user)
{
	struct seen *seen = user;
	char text[80] = "";
	size_t i = 0;

	add_file(text, state->fs, "a");
	add_file(text, state->fs, "b");
	add_file(text, state->fs, "d/c");
	seen->shown++;
	while (i < seen->n && strcmp(seen->texts[i], text) != 0)
		i++;
	if (i == seen->n && seen->n < 64)
		strcpy(seen->texts[seen->n++], text);
	return 0;
}

/* The states are these, each text once, and no others. */
static void
expect_states(struct place *place, bool loose, const char *const *texts)
{
	struct crash_seen known = {0};
	struct crash_limits limits = {.exhaustive = 1000, .loose_names = loose};
	struct seen *seen = &place->seen;
	uint64_t count = 0;
	size_t n = 0;

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(
		crash_each_state(&seen->count, place->fs, &limits, see, seen),
		0);
	while (texts[n]) {
		size_t i = 0;

		while (i < seen->n && strcmp(seen->texts[i], texts[n]) != 0)
			i++;
		if (i == seen->n)
			fail_msg("the state \"%s\" should be possible",
				 texts[n]);
		n++;
	}
	for (size_t i = 0; i < seen->n && seen->n != n; i++)
		print_error("possible: \"%s\"\n", seen->texts[i]);
	assert_int_equal(seen->n, n);
	/* Each once, when those that were seen are passed over. */
	limits.seen = &known;
	(void)crash_each_state(&count, place->fs, &limits, see, seen);
	crash_seen_free(&known);
	assert_int_equal(seen->shown, seen->count + n);
}

#define EXPECT_STATES(place, ...)                                              \
	expect_states(place, false, (const char *const[]){__VA_ARGS__, NULL})
#define EXPECT_LOOSE(place, ...)                                               \
	expect_states(place, true, (const char *const[]){__VA_ARGS__, NULL})

static void
test_any_subset_of_sectors(void **state)
{
	struct place *place = *state;

	put(place->io, "xy", 0);
	flush(place->io);
	put(place->io, "AB", 0);
	EXPECT_STATES(place, "a=xy ", "a=Ay ", "a=xB ", "a=AB ");
	assert_int_equal(place->seen.count, 4);
}

static void
test_any_version_of_a_sector(void **state)
{
	struct place *place = *state;

	put(place->io, "x", 0);
	flush(place->io);
	put(place->io, "A", 0);
	put(place->io, "B", 0);
	put(place->io, "B", 0);
	EXPECT_STATES(place, "a=x ", "a=A ", "a=B ");
	assert_int_equal(place->seen.count, 3);
}

static void
test_flush_leaves_one_state(void **state)
{
	struct place *place = *state;

	put(place->io, "xyz", 0);
	put(place->io, "A", 1);
	flush(place->io);
	EXPECT_STATES(place, "a=xAz ");
	assert_int_equal(place->seen.count, 1);
}

static void
test_size_and_data_come_apart(void **state)
{
	struct place *place = *state;

	put(place->io, "x", 0);
	flush(place->io);
	put(place->io, "A", 1);
	put(place->io, "B", 2);
	EXPECT_STATES(place, "a=x ", "a=x. ", "a=xA ", "a=x.. ", "a=xA. ",
		      "a=x.B ", "a=xAB ");
}

static void
test_shrink_happens_or_not(void **state)
{
	struct place *place = *state;

	put(place->io, "xyz", 0);
	flush(place->io);
	assert_int_equal(place->io->ops->truncate(place->io, 512), 0);
	EXPECT_STATES(place, "a=xyz ", "a=x ");
}

static void
test_what_was_cut_off_does_not_come_back(void **state)
{
	struct place *place = *state;

	put(place->io, "xy", 0);
	flush(place->io);
	assert_int_equal(place->io->ops->truncate(place->io, 512), 0);
	put(place->io, "B", 1);
	EXPECT_STATES(place, "a=xy ", "a=x ", "a=x. ", "a=xB ");
}

static void
test_write_in_front_of_a_cut_needs_no_shrink(void **state)
{
	struct place *place = *state;

	put(place->io, "xy", 0);
	flush(place->io);
	assert_int_equal(place->io->ops->truncate(place->io, 512), 0);
	put(place->io, "A", 0);
	EXPECT_STATES(place, "a=xy ", "a=Ay ", "a=x ", "a=A ");
}

static void
test_durable_write_is_of_its_range_only(void **state)
{
	struct place *place = *state;
	char buf[512];

	put(place->io, "xyz", 0);
	flush(place->io);
	put(place->io, "ABC", 0);
	memset(buf, 'D', sizeof(buf));
	assert_int_equal(
		place->io->ops->pwrite_durable(place->io, buf, 512, 512), 0);
	EXPECT_STATES(place, "a=xDz ", "a=ADz ", "a=xDC ", "a=ADC ");
}

static void
test_durable_write_past_the_end_takes_the_size_along(void **state)
{
	struct place *place = *state;
	char buf[512];

	put(place->io, "x", 0);
	flush(place->io);
	put(place->io, "B", 1);
	memset(buf, 'C', sizeof(buf));
	assert_int_equal(
		place->io->ops->pwrite_durable(place->io, buf, 512, 1024), 0);
	EXPECT_STATES(place, "a=x.C ", "a=xBC ");
}

static void
test_punch_is_zeros_that_may_be_lost(void **state)
{
	struct place *place = *state;

	put(place->io, "xyz", 0);
	flush(place->io);
	assert_int_equal(place->io->ops->punch(place->io, 512, 5000), 0);
	EXPECT_STATES(place, "a=xyz ", "a=x.z ", "a=xy. ", "a=x.. ");
}

static void
test_part_of_a_sector_is_a_whole_sector(void **state)
{
	struct place *place = *state;

	put(place->io, "xx", 0);
	flush(place->io);
	assert_int_equal(place->io->ops->pwrite(place->io, "o", 1, 700), 0);
	EXPECT_STATES(place, "a=xx ", "a=x? ");
}

static struct io *
create(struct place *place, const char *path)
{
	struct io *io = NULL;

	assert_int_equal(
		place->fs->ops->open(&io, place->fs, path, FS_OPEN_CREATE), 0);
	return io;
}

static void
test_name_may_lead_to_nothing_and_content_have_no_name(void **state)
{
	struct place *place = *state;
	struct io *io = create(place, "b");

	put(io, "x", 0);
	EXPECT_STATES(place, "a= ", "a= b= ", "a= b=. ", "a= b=x ");
	flush(io);
	EXPECT_STATES(place, "a= ", "a= b=x ");
	assert_int_equal(place->fs->ops->sync_dir(place->fs, "b"), 0);
	EXPECT_STATES(place, "a= b=x ");
	assert_int_equal(io_close(io), 0);
}

static void
test_names_change_in_order(void **state)
{
	struct place *place = *state;
	const struct fs_ops *ops = place->fs->ops;
	struct io *io = create(place, "b");

	put(io, "x", 0);
	flush(io);
	assert_int_equal(ops->sync_dir(place->fs, "b"), 0);
	assert_int_equal(ops->rename(place->fs, "b", "a"), 0);
	assert_int_equal(ops->link(place->fs, "a", "b"), 0);
	assert_int_equal(ops->unlink(place->fs, "a"), 0);
	EXPECT_STATES(place, "a= b=x ", "a=x ", "a=x b=x ", "b=x ");
	EXPECT_LOOSE(place, "a= b=x ", "a=x ", "a=x b=x ", "b=x ", "");
	assert_int_equal(io_close(io), 0);
}

static void
test_exchange_is_one_change(void **state)
{
	struct place *place = *state;
	struct io *io = create(place, "b");

	put(io, "x", 0);
	flush(io);
	assert_int_equal(place->fs->ops->sync_dir(place->fs, "b"), 0);
	assert_int_equal(place->fs->ops->exchange(place->fs, "a", "b"), 0);
	EXPECT_STATES(place, "a= b=x ", "a=x b= ");
	assert_int_equal(io_close(io), 0);
}

static void
test_sync_dir_is_of_its_directory(void **state)
{
	struct place *place = *state;
	struct io *b = create(place, "b"), *c = create(place, "d/c");

	assert_int_equal(place->fs->ops->sync_dir(place->fs, "x"), 0);
	EXPECT_STATES(place, "a= b= ", "a= b= d/c= ");
	assert_int_equal(place->fs->ops->sync_dir(place->fs, "d/x"), 0);
	EXPECT_STATES(place, "a= b= d/c= ");
	assert_int_equal(io_close(b), 0);
	assert_int_equal(io_close(c), 0);
}

static void
test_names_change_in_any_order(void **state)
{
	struct place *place = *state;
	const struct fs_ops *ops = place->fs->ops;

	assert_int_equal(ops->link(place->fs, "a", "b"), 0);
	assert_int_equal(ops->unlink(place->fs, "a"), 0);
	EXPECT_STATES(place, "a= ", "a= b= ", "b= ");
	EXPECT_LOOSE(place, "a= ", "a= b= ", "b= ", "");
	assert_int_equal(ops->sync_dir(place->fs, "b"), 0);
	EXPECT_LOOSE(place, "b= ");
}

static void
test_second_name_leads_to_the_same_file(void **state)
{
	struct place *place = *state;
	AUTO(crash_fs_free) struct fs *again = NULL;
	struct fs *memory;
	struct fs_stat st;

	(void)place;
	assert_int_equal(mem_fs_new(&memory), 0);
	assert_int_equal(mem_fs_put(memory, "a", "x", 1), 0);
	assert_int_equal(memory->ops->link(memory, "a", "b"), 0);
	assert_int_equal(crash_fs_from(&again, memory), 0);
	mem_fs_free(memory);
	assert_int_equal(again->ops->stat(&st, again, "b"), 0);
	assert_int_equal(st.links, 2);
	assert_int_equal(st.size, 1);
}

static void
crash_again(const struct crash_state *state, struct seen *seen)
{
	const struct crash_limits limits = {.exhaustive = 1000};
	AUTO(crash_fs_free) struct fs *fs = NULL;
	struct io *io = NULL;

	assert_int_equal(crash_fs_from(&fs, state->fs), 0);
	assert_int_equal(fs->ops->open(&io, fs, "a", FS_OPEN_WRITE), 0);
	put(io, "N", 1);
	assert_int_equal(crash_each_state(&seen->count, fs, &limits, see, seen),
			 0);
	assert_int_equal(io_close(io), 0);
}

static int
crash_again_fn(const struct crash_state *state, void *user)
{
	crash_again(state, user);
	return 0;
}

static void
test_state_can_crash_again(void **state)
{
	const struct crash_limits limits = {.exhaustive = 1000};
	struct place *place = *state;
	uint64_t count = 0;

	put(place->io, "xy", 0);
	flush(place->io);
	put(place->io, "A", 0);
	assert_int_equal(crash_each_state(&count, place->fs, &limits,
					  crash_again_fn, &place->seen),
			 0);
	assert_int_equal(count, 2);
	assert_int_equal(place->seen.count, 4);
	assert_int_equal(place->seen.n, 4);
}

static void
count_hook(struct fs *fs, void *user)
{
	const struct crash_limits limits = {.exhaustive = 1000};
	struct seen *seen = user;

	assert_int_equal(crash_each_state(&seen->count, fs, &limits, see, seen),
			 0);
}

static void
test_hook_comes_before_the_flush(void **state)
{
	struct place *place = *state;

	crash_set_hook(place->fs, count_hook, &place->seen);
	put(place->io, "x", 0);
	flush(place->io);
	flush(place->io);
	assert_int_equal(place->seen.n, 3);
	assert_int_equal(crash_flushes(place->fs), 3);
}

static void
write_hook(struct fs *fs, void *user)
{
	crash_set_hook(fs, NULL, NULL);
	put(user, "B", 1);
	put(user, "C", 2);
}

static void
test_flush_covers_what_came_before_it(void **state)
{
	struct place *place = *state;

	put(place->io, "xy", 0);
	flush(place->io);
	put(place->io, "A", 0);
	crash_set_hook(place->fs, write_hook, place->io);
	flush(place->io);
	EXPECT_STATES(place, "a=Ay ", "a=AB ", "a=Ay. ", "a=AyC ", "a=AB. ",
		      "a=ABC ");
}

static void
cut_hook(struct fs *fs, void *user)
{
	struct io *io = user;

	crash_set_hook(fs, NULL, NULL);
	assert_int_equal(io->ops->truncate(io, 512), 0);
	put(io, "C", 1);
}

static void
test_cut_during_a_flush_is_pending(void **state)
{
	struct place *place = *state;

	put(place->io, "x", 0);
	flush(place->io);
	put(place->io, "ab", 1);
	crash_set_hook(place->fs, cut_hook, place->io);
	flush(place->io);
	EXPECT_STATES(place, "a=xab ", "a=x ", "a=x. ", "a=xC ");
}

static int
stop_at_third(const struct crash_state *state, void *user)
{
	(void)state;
	return ++*(int *)user == 3 ? VHD_E_DIFFERS : 0;
}

static void
test_walk_ends_when_told(void **state)
{
	const struct crash_limits limits = {.exhaustive = 1000};
	struct place *place = *state;
	uint64_t count = 0;
	int n = 0;

	put(place->io, "abcdef", 0);
	assert_int_equal(
		crash_each_state(&count, place->fs, &limits, stop_at_third, &n),
		VHD_E_DIFFERS);
	assert_int_equal(count, 3);
}

static void
test_sample_keeps_to_its_size_and_seed(void **state)
{
	const struct crash_limits limits = {
		.exhaustive = 10, .sampled = 400, .seed = 7};
	struct place *place = *state;
	struct seen again = {.n = 0};

	put(place->io, "........", 0);
	flush(place->io);
	put(place->io, "abcdefgh", 0);
	put(place->io, "ABCDEFGH", 0);
	assert_int_equal(crash_each_state(&place->seen.count, place->fs,
					  &limits, see, &place->seen),
			 0);
	assert_in_range(place->seen.count, 150, 420);
	assert_true(place->seen.n > 50);
	assert_int_equal(
		crash_each_state(&again.count, place->fs, &limits, see, &again),
		0);
	assert_memory_equal(&again, &place->seen, sizeof(again));
}

static int
tell(const struct crash_state *state, void *user)
{
	crash_state_text(user, 400, state);
	return 0;
}

static void
test_text_tells_the_choice(void **state)
{
	const struct crash_limits limits = {.exhaustive = 10};
	struct place *place = *state;
	uint64_t count = 0;
	char text[400];

	put(place->io, "x", 3);
	assert_int_equal(
		crash_each_state(&count, place->fs, &limits, tell, text), 0);
	assert_string_equal(text, "changes of names:; "
				  "sector:version/versions\n"
				  "/a: 2048 bytes (size 1 of 1); 3:1/1\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, enter, leave)
		IN_PLACE(test_any_subset_of_sectors),
		IN_PLACE(test_any_version_of_a_sector),
		IN_PLACE(test_flush_leaves_one_state),
		IN_PLACE(test_size_and_data_come_apart),
		IN_PLACE(test_shrink_happens_or_not),
		IN_PLACE(test_what_was_cut_off_does_not_come_back),
		IN_PLACE(test_write_in_front_of_a_cut_needs_no_shrink),
		IN_PLACE(test_durable_write_is_of_its_range_only),
		IN_PLACE(test_durable_write_past_the_end_takes_the_size_along),
		IN_PLACE(test_punch_is_zeros_that_may_be_lost),
		IN_PLACE(test_part_of_a_sector_is_a_whole_sector),
		IN_PLACE(
			test_name_may_lead_to_nothing_and_content_have_no_name),
		IN_PLACE(test_names_change_in_order),
		IN_PLACE(test_names_change_in_any_order),
		IN_PLACE(test_exchange_is_one_change),
		IN_PLACE(test_sync_dir_is_of_its_directory),
		IN_PLACE(test_second_name_leads_to_the_same_file),
		IN_PLACE(test_state_can_crash_again),
		IN_PLACE(test_hook_comes_before_the_flush),
		IN_PLACE(test_flush_covers_what_came_before_it),
		IN_PLACE(test_cut_during_a_flush_is_pending),
		IN_PLACE(test_walk_ends_when_told),
		IN_PLACE(test_sample_keeps_to_its_size_and_seed),
		IN_PLACE(test_text_tells_the_choice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
