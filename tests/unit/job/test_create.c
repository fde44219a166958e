/* SPDX-License-Identifier: BSD-3-Clause */
/* test_create.c - a new image is all there, or not at all. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "job/jobs.h"
#include "make_image.h"

static int
create(struct fs *fs, const char *path, const char *parent, uint64_t size,
       uint32_t flags)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;

	opts.virtual_size = size;
	opts.parent = parent;
	opts.created = 1000000000;
	opts.uuid = uuid_of('n');
	opts.flags = flags;
	return job_create(fs, path, &opts);
}

static int
count_name(const char *name, void *user)
{
	(void)name;
	++*(unsigned *)user;
	return 0;
}

static void
expect_files(struct fs *fs, const char *dir, unsigned want)
{
	unsigned n = 0;

	expect_ok(fs->ops->list(fs, dir, count_name, &n), dir);
	if (n != want)
		fail_msg("%u files are in %s, not %u", n, dir, want);
}

static void
test_nothing_is_left_but_the_image(void **state)
{
	struct fs *fs = new_fs();
	struct image *img;

	(void)state;
	expect_ok(create(fs, "/vm/a.vhd", NULL, 1 << 20, 0), "create");
	expect_files(fs, "/vm", 1);
	img = open_image(fs, "/vm/a.vhd", 0);
	assert_int_equal(img->type, VHD_TYPE_DYNAMIC);
	assert_true(img->size == 1 << 20);
	assert_int_equal(image_close(img), 0);
	mem_fs_free(fs);
}

static void
test_failure_leaves_nothing(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	assert_int_equal(create(fs, "/vm/a.vhd", NULL, 1000, 0), VHD_E_INVALID);
	assert_non_null(strstr(error_message(), "/vm/a.vhd: a size of 1000"));
	assert_int_equal(create(fs, "/vm/a.vhd", NULL, MAX_DISK_SIZE + 512, 0),
			 VHD_E_TOOBIG);
	mem_fs_set_limit(fs, 1000);
	assert_int_equal(create(fs, "/vm/a.vhd", NULL, 1 << 20, 0),
			 VHD_E_NOSPACE);
	expect_files(fs, "/vm", 0);
	mem_fs_free(fs);
}

static void
test_existing_file_needs_force(void **state)
{
	struct fs *fs = new_fs();
	struct image *img;

	(void)state;
	put_root(fs, "/vm/a.vhd", 'o');
	assert_int_equal(create(fs, "/vm/a.vhd", NULL, 1 << 20, 0),
			 VHD_E_EXISTS);
	img = open_image(fs, "/vm/a.vhd", 0);
	assert_int_equal(img->footer.uuid[0], 'o');
	assert_int_equal(image_close(img), 0);
	expect_ok(create(fs, "/vm/a.vhd", NULL, 1 << 20, VHD_CREATE_FORCE),
		  "create with force");
	img = open_image(fs, "/vm/a.vhd", 0);
	assert_int_equal(img->footer.uuid[0], 'n');
	assert_int_equal(image_close(img), 0);
	expect_files(fs, "/vm", 1);
	mem_fs_free(fs);
}

static void
test_file_in_use_is_not_replaced(void **state)
{
	struct fs *fs = new_fs();
	struct chain *disk = NULL;

	(void)state;
	put_root(fs, "/vm/a.vhd", 'o');
	expect_ok(chain_open(&disk, fs, "/vm/a.vhd", &(struct chain_opts){0}),
		  "open");
	assert_int_equal(
		create(fs, "/vm/a.vhd", NULL, 1 << 20, VHD_CREATE_FORCE),
		VHD_E_BUSY);
	assert_int_equal(chain_close(disk), 0);
	mem_fs_free(fs);
}

static void
test_child_finds_its_parent(void **state)
{
	struct fs *fs = new_fs();
	struct chain *disk = NULL;

	(void)state;
	put_root(fs, "/vm/base/p.vhd", 'p');
	expect_ok(create(fs, "/vm/c.vhd", "/vm/base/p.vhd", 0, 0), "create");
	expect_ok(chain_open(&disk, fs, "/vm/c.vhd", &(struct chain_opts){0}),
		  "open");
	assert_int_equal(disk->depth, 2);
	assert_true(disk->size == MADE_SIZE);
	assert_int_equal(chain_close(disk), 0);
	mem_fs_free(fs);
}

static void
test_same_command_makes_the_same_child(void **state)
{
	struct mem_data *a, *b;
	struct fs *fs = new_fs();
	uint8_t x[512], y[512];

	(void)state;
	put_root(fs, "/vm/p.vhd", 'p');
	put_root(fs, "/elsewhere/p.vhd", 'p');
	expect_ok(create(fs, "/vm/c.vhd", "/vm/p.vhd", 0, 0), "create");
	expect_ok(create(fs, "/elsewhere/c.vhd", "/elsewhere/p.vhd", 0, 0),
		  "create");
	expect_ok(mem_fs_get_data(&a, fs, "/vm/c.vhd"), "get");
	expect_ok(mem_fs_get_data(&b, fs, "/elsewhere/c.vhd"), "get");
	assert_true(mem_data_size(a) == mem_data_size(b));
	for (uint64_t at = 0; at < mem_data_size(a); at += 512) {
		mem_data_read(a, x, 512, at);
		mem_data_read(b, y, 512, at);
		assert_memory_equal(x, y, 512);
	}
	mem_data_free(a);
	mem_data_free(b);
	mem_fs_free(fs);
}

static void
test_child_of_a_missing_parent_is_not_made(void **state)
{
	struct fs *fs = new_fs();

	(void)state;
	put_child(fs, "/vm/orphan.vhd", 'o', 'x');
	assert_int_equal(create(fs, "/vm/c.vhd", "/vm/orphan.vhd", 0, 0),
			 VHD_E_NOPARENT);
	assert_int_equal(create(fs, "/vm/c.vhd", "/vm/nothing.vhd", 0, 0),
			 VHD_E_NOTFOUND);
	expect_files(fs, "/vm", 1);
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_left_but_the_image),
		cmocka_unit_test(test_failure_leaves_nothing),
		cmocka_unit_test(test_existing_file_needs_force),
		cmocka_unit_test(test_file_in_use_is_not_replaced),
		cmocka_unit_test(test_child_finds_its_parent),
		cmocka_unit_test(test_same_command_makes_the_same_child),
		cmocka_unit_test(test_child_of_a_missing_parent_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
