/* SPDX-License-Identifier: BSD-3-Clause */
/* test_place.c - the path that a snapshot of a disk has. */
#include "chain/names.h"
#include "make_image.h"
#include "tree/snapshot.h"

#define TEN  "a-long-one"
#define LONG TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void
expect_path(const char *disk, const char *name, const char *want)
{
	char *path = NULL;

	expect_ok(disk_snapshot_path(&path, disk, name), "the path");
	assert_string_equal(path, want);
	free(path);
}

static void
expect_refused(const char *disk, const char *name, const char *why)
{
	char *path = NULL;

	assert_int_equal(disk_snapshot_path(&path, disk, name), VHD_E_INVALID);
	assert_null(path);
	if (!strstr(error_message(), why))
		fail_msg("expected \"%s\", got: %s", why, error_message());
}

static void
a_snapshot_lies_beside_its_disk(void **state)
{
	(void)state;
	expect_path("/vm/disk.vhd", "one", "/vm/disk@one.vhd");
	expect_path("/vm/disk.avhd", "v1.0", "/vm/disk@v1.0.avhd");
	expect_path("/vm/me@home/disk", "v1.0", "/vm/me@home/disk@v1.0");
	expect_path("/vm/disk-v1.0", "x", "/vm/disk-v1.0@x");
}

static void
a_name_that_no_snapshot_can_have_has_no_path(void **state)
{
	char name[SNAPSHOT_NAME_MAX + 1] = "", disk[] = "/vm/" LONG ".vhd";

	(void)state;
	memset(name, 'x', SNAPSHOT_NAME_MAX);
	expect_refused("/vm/disk.vhd", "../one", "cannot name a snapshot");
	expect_refused("/vm/disk.vhd", "", "cannot name a snapshot");
	expect_refused("/vm/disk", "one.two", "taken for the extension");
	expect_refused(disk, name, "at most 255 are possible");
}

static void
a_snapshot_has_no_snapshots_of_its_own(void **state)
{
	(void)state;
	expect_refused("/vm/disk@one.vhd", "two", "has an @ in its name");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_snapshot_lies_beside_its_disk),
		cmocka_unit_test(a_name_that_no_snapshot_can_have_has_no_path),
		cmocka_unit_test(a_snapshot_has_no_snapshots_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
