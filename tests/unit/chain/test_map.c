/* SPDX-License-Identifier: BSD-3-Clause */
/* test_map.c - the map of owners gives back what it was told, and what the
 * images say where it was told nothing. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "chain/map.h"
#include "chain/mixed.h"

/* What the images say, and how often they were asked. */
struct images {
	uint16_t *owner; /* WINDOW_SECTORS for each window */
	unsigned asked;
	bool broken;
};

static int
resolve(uint16_t *owners, void *user, uint64_t window)
{
	struct images *images = user;

	images->asked++;
	if (images->broken)
		return fail(VHD_E_CORRUPT, "broken");
	memcpy(owners, images->owner + window * WINDOW_SECTORS,
	       WINDOW_SECTORS * sizeof(*owners));
	return 0;
}

static uint32_t dice = 1;

static uint32_t
roll(uint32_t sides)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % sides;
}

static void
set(uint16_t *owner, uint32_t first, uint32_t n, uint16_t value)
{
	for (uint32_t i = first; i < first + n; i++)
		owner[i] = value;
}

/* How long the run from first on is in the model. */
static uint32_t
run_in(const uint16_t *owner, uint32_t first, uint32_t limit)
{
	uint32_t n = 1;

	while (n < limit && owner[first + n] == owner[first])
		n++;
	return n;
}

static void
compare(struct map *map, struct images *images, uint64_t window, uint32_t first,
	uint32_t limit)
{
	const uint16_t *want = images->owner + window * WINDOW_SECTORS;
	uint16_t owner;
	uint32_t run;

	assert_int_equal(map_lookup(&owner, &run, map, window, first, limit,
				    resolve, images),
			 0);
	assert_int_equal(owner, want[first]);
	assert_int_equal(run, run_in(want, first, limit));
}

static void
test_map_follows_any_writes(void **state)
{
	enum { WINDOWS = 5, OPS = 200000 };
	struct images images = {0};
	struct map map = {0};

	(void)state;
	images.owner = calloc(WINDOWS * WINDOW_SECTORS, sizeof(uint16_t));
	assert_non_null(images.owner);
	set(images.owner, 0, WINDOWS * WINDOW_SECTORS, OWNER_ZERO);
	assert_int_equal(map_init(&map, WINDOWS), 0);
	for (int i = 0; i < OPS; i++) {
		uint64_t window = roll(WINDOWS);
		uint32_t first = roll(WINDOW_SECTORS);
		uint32_t n = 1 + roll(roll(4) ? 16 : WINDOW_SECTORS);
		uint16_t owner = (uint16_t)roll(3);

		if (n > WINDOW_SECTORS - first)
			n = WINDOW_SECTORS - first;
		if (roll(3) == 0) {
			compare(&map, &images, window, first, n);
			continue;
		}
		if (roll(1000) == 0)
			map_forget(&map, window);
		if (roll(200) == 0)
			first = 0, n = WINDOW_SECTORS;
		set(images.owner + window * WINDOW_SECTORS, first, n, owner);
		map_set(&map, window, first, n, owner);
	}
	map_free(&map);
	free(images.owner);
}

static void
test_map_asks_the_images_once(void **state)
{
	struct images images = {0};
	struct map map = {0};

	(void)state;
	images.owner = calloc(2 * WINDOW_SECTORS, sizeof(uint16_t));
	assert_non_null(images.owner);
	images.owner[7] = 1;
	assert_int_equal(map_init(&map, 2), 0);
	for (uint32_t i = 0; i < 100; i++) {
		compare(&map, &images, 0, i, 8);
		compare(&map, &images, 1, i, 8);
	}
	assert_int_equal(images.asked, 2);
	map_forget_all(&map);
	compare(&map, &images, 0, 0, 8);
	assert_int_equal(images.asked, 3);
	map_free(&map);
	free(images.owner);
}

/* A window with one owner after all needs no list. */
static void
test_map_window_with_one_owner_again(void **state)
{
	struct images images = {0};
	struct map map = {0};

	(void)state;
	images.owner = calloc(WINDOW_SECTORS, sizeof(uint16_t));
	assert_non_null(images.owner);
	assert_int_equal(map_init(&map, 1), 0);
	compare(&map, &images, 0, 0, 1);
	map_set(&map, 0, 10, 5, 3);
	assert_int_equal(map_window(&map, 0), OWNER_MIXED);
	map_set(&map, 0, 0, 10, 3);
	map_set(&map, 0, 15, WINDOW_SECTORS - 15, 3);
	assert_int_equal(map_window(&map, 0), 3);
	map_free(&map);
	free(images.owner);
}

static void
test_map_tells_failures(void **state)
{
	struct images images = {.broken = true};
	struct map map = {0};
	uint16_t owner;
	uint32_t run;

	(void)state;
	assert_int_equal(map_init(&map, 1), 0);
	assert_int_equal(
		map_lookup(&owner, &run, &map, 0, 0, 1, resolve, &images),
		VHD_E_CORRUPT);
	assert_int_equal(map_window(&map, 0), OWNER_UNKNOWN);
	map_free(&map);
}

static size_t
cached(const struct map *map)
{
	size_t bytes = 0;

	for (uint64_t w = 0; w < map->nwindows; w++)
		bytes += map->mixed[w] ? mixed_bytes(map->mixed[w]) : 0;
	return bytes;
}

/* The worst there is. */
static int
resolve_every_other(uint16_t *owners, void *user, uint64_t window)
{
	(void)user;
	(void)window;
	for (uint32_t i = 0; i < WINDOW_SECTORS; i++)
		owners[i] = i & 1;
	return 0;
}

static void
test_map_memory_is_bounded(void **state)
{
	const size_t most = (size_t)MAP_STRIPES * MAP_STRIPE_MOST;
	struct map map = {0};
	size_t bytes;

	(void)state;
	assert_int_equal(map_init(&map, 80 * MAP_STRIPES), 0);
	for (uint64_t w = 0; w < map.nwindows; w++) {
		uint16_t owner;
		uint32_t run;

		assert_int_equal(map_lookup(&owner, &run, &map, w, 1, 8,
					    resolve_every_other, NULL),
				 0);
		assert_int_equal(owner, 1);
		assert_int_equal(run, 1);
	}
	bytes = cached(&map);
	assert_true(bytes <= most);
	assert_true(bytes > most / 2);
	map_free(&map);
}

static int
resolve_and_count(uint16_t *owners, void *user, uint64_t window)
{
	if (window == 0)
		++*(unsigned *)user;
	return resolve_every_other(owners, NULL, window);
}

static void
test_map_keeps_what_is_used(void **state)
{
	struct map map = {0};
	unsigned asked = 0;
	uint16_t owner;
	uint32_t run;

	(void)state;
	assert_int_equal(map_init(&map, 80 * MAP_STRIPES), 0);
	/* All of one stripe, more than it can hold. */
	for (uint64_t w = 0; w < map.nwindows; w += MAP_STRIPES) {
		assert_int_equal(map_lookup(&owner, &run, &map, w, 1, 8,
					    resolve_and_count, &asked),
				 0);
		assert_int_equal(map_lookup(&owner, &run, &map, 0, 1, 8,
					    resolve_and_count, &asked),
				 0);
	}
	assert_int_equal(asked, 1);
	map_free(&map);
}

/* What is usual takes little: pieces of 64 KiB from all over a chain. */
static void
test_map_usual_windows_are_small(void **state)
{
	struct mixed *m = mixed_new(0, 0);
	uint16_t owner[WINDOW_SECTORS];

	(void)state;
	assert_non_null(m);
	for (uint32_t i = 0; i < WINDOW_SECTORS; i++)
		owner[i] = (uint16_t)(i / 128);
	assert_true(mixed_fill(m, owner));
	assert_true(mixed_bytes(m) < 256);
	mixed_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map_follows_any_writes),
		cmocka_unit_test(test_map_asks_the_images_once),
		cmocka_unit_test(test_map_window_with_one_owner_again),
		cmocka_unit_test(test_map_tells_failures),
		cmocka_unit_test(test_map_memory_is_bounded),
		cmocka_unit_test(test_map_keeps_what_is_used),
		cmocka_unit_test(test_map_usual_windows_are_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
