/* SPDX-License-Identifier: BSD-3-Clause */
/* hostile_parents.c - whatever an image says about its parent, no file outside
 * its directory is opened, nothing that is not a file, and no loop is
 * followed. */
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/io.h"
#include "make_image.h"
#include "scratch.h"
#include <vhd.h>

/* in/ is where the image is, out/ where it may not reach. */
static struct scratch scratch;
static char child[300], outside[300];

static struct fs *
real(void)
{
	return (struct fs *)(uintptr_t)&fs_posix;
}

static int
enter(void **state)
{
	(void)state;
	scratch_make(&scratch);
	assert_int_equal(mkdir(scratch_path(&scratch, "in"), 0700), 0);
	assert_int_equal(mkdir(scratch_path(&scratch, "out"), 0700), 0);
	(void)snprintf(child, sizeof(child), "%s/in/child.vhd", scratch.dir);
	(void)snprintf(outside, sizeof(outside), "%s/out/base.vhd",
		       scratch.dir);
	put_root(real(), outside, 'p');
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	scratch_remove(&scratch);
	return 0;
}

static const char *
inside(const char *name)
{
	char path[100];

	(void)snprintf(path, sizeof(path), "in/%s", name);
	return scratch_path(&scratch, path);
}

static int
open_chain(const char *path, uint32_t max_depth)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *disk = NULL;
	int err;

	opts.max_depth = max_depth;
	err = vhd_open(&disk, path, &opts);
	(void)vhd_close(disk);
	return err;
}

/* Everything that looks for a parent, on the child. */
static int
use_child(void)
{
	struct vhd_check_opts check = VHD_CHECK_OPTS_INIT;
	struct vhd_check_result found = VHD_CHECK_RESULT_INIT;
	const char *const paths[] = {child};
	struct vhd_open_opts alone = VHD_OPEN_OPTS_INIT;
	struct vhd_info info = VHD_INFO_INIT;
	vhd_tree_t *tree = NULL;
	vhd_t *disk = NULL;

	alone.flags = VHD_OPEN_NOPARENT;
	assert_int_equal(vhd_open(&disk, child, &alone), 0);
	(void)vhd_get_info(&info, disk, 0);
	assert_int_equal(vhd_close(disk), 0);
	check.flags = VHD_CHECK_CHAIN;
	(void)vhd_check(&found, child, &check);
	(void)vhd_relink(child, NULL, 0, true, NULL, NULL);
	assert_int_equal(vhd_tree_scan(&tree, paths, 1), 0);
	vhd_tree_free(tree);
	return open_chain(child, 0);
}

/* The child is not opened, with that error, and the other file neither. */
static void
expect_refused(const char *other, int code)
{
	char events[4096];
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), err;

	assert_true(fd >= 0);
	assert_true(inotify_add_watch(fd, other, IN_OPEN) >= 0);
	err = use_child();
	if (err != code)
		fail_msg("opening gave \"%s\", not \"%s\" (%s)",
			 vhd_err_name(err), vhd_err_name(code),
			 vhd_last_message());
	if (read(fd, events, sizeof(events)) > 0)
		fail_msg("%s was opened", other);
	assert_int_equal(close(fd), 0);
}

static void
test_an_absolute_parent_is_not_opened(void **state)
{
	(void)state;
	put_child_at(real(), child, 'c', 'p', "none.vhd", outside);
	expect_refused(outside, VHD_E_POLICY);
}

static void
test_a_climbing_parent_is_not_opened(void **state)
{
	(void)state;
	put_child_at(real(), child, 'c', 'p', "../out/base.vhd", NULL);
	expect_refused(outside, VHD_E_POLICY);
}

static void
test_a_parent_behind_a_link_is_not_opened(void **state)
{
	(void)state;
	assert_int_equal(symlink("../out/base.vhd", inside("base.vhd")), 0);
	put_child_at(real(), child, 'c', 'p', "base.vhd", NULL);
	expect_refused(outside, VHD_E_POLICY);
}

static void
test_a_parent_in_a_linked_directory_is_not_opened(void **state)
{
	(void)state;
	assert_int_equal(symlink("../out", inside("dir")), 0);
	put_child_at(real(), child, 'c', 'p', "dir/base.vhd", NULL);
	expect_refused(outside, VHD_E_POLICY);
}

static void
test_a_parent_on_a_network_is_not_looked_for(void **state)
{
	(void)state;
	put_child_at(real(), child, 'c', 'p', "none.vhd",
		     "\\\\127.0.0.1\\share\\base.vhd");
	expect_refused(outside, VHD_E_NOPARENT);
}

static void
test_a_url_is_not_fetched(void **state)
{
	(void)state;
	put_child_at(real(), child, 'c', 'p', "none.vhd",
		     "http://127.0.0.1/base.vhd");
	expect_refused(outside, VHD_E_NOPARENT);
}

/* A reader of a pipe would wait for ever. */
static void
test_a_pipe_is_no_parent(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(inside("base.vhd"), 0600), 0);
	put_child_at(real(), child, 'c', 'p', "base.vhd", NULL);
	(void)alarm(20);
	assert_int_equal(use_child(), VHD_E_NOPARENT);
	(void)alarm(0);
}

static void
test_a_device_is_no_parent(void **state)
{
	(void)state;
	assert_int_equal(symlink("/dev/zero", inside("base.vhd")), 0);
	put_child_at(real(), child, 'c', 'p', "base.vhd", NULL);
	expect_refused("/dev/zero", VHD_E_POLICY);
}

static void
test_a_directory_is_no_parent(void **state)
{
	(void)state;
	assert_int_equal(mkdir(inside("base.vhd"), 0700), 0);
	put_child_at(real(), child, 'c', 'p', "base.vhd", NULL);
	assert_int_equal(use_child(), VHD_E_NOPARENT);
}

/* Even if it says so itself, and even if somebody asks for plain parents in
 * other places. */
static void
test_a_plain_file_is_no_parent_unless_allowed(void **state)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	FILE *f = fopen(inside("secret"), "w");
	vhd_t *disk = NULL;

	(void)state;
	assert_non_null(f);
	assert_true(fputs("secret", f) >= 0);
	assert_int_equal(fclose(f), 0);
	put_child_at(real(), child, 'c', 'p', "secret", NULL);
	assert_int_equal(use_child(), VHD_E_NOPARENT);
	opts.flags = VHD_OPEN_RAW_PARENT;
	assert_int_equal(vhd_open(&disk, child, &opts), VHD_E_NOPARENT);
	assert_int_equal(unlink(child), 0);
	put_child_at(real(), child, 'c', '\0', "secret", NULL);
	expect_refused(inside("secret"), VHD_E_POLICY);
}

static void
test_an_image_is_not_its_own_parent(void **state)
{
	(void)state;
	put_child_at(real(), child, 'c', 'c', "child.vhd", NULL);
	assert_int_equal(use_child(), VHD_E_PARENT);
}

static void
test_a_loop_of_parents_ends(void **state)
{
	(void)state;
	put_child_at(real(), child, 'c', 'd', "d.vhd", NULL);
	put_child_at(real(), inside("d.vhd"), 'd', 'e', "e.vhd", NULL);
	put_child_at(real(), inside("e.vhd"), 'e', 'c', "child.vhd", NULL);
	assert_int_equal(use_child(), VHD_E_PARENT);
}

static void
test_a_chain_of_256_is_opened_and_one_more_is_not(void **state)
{
	char name[32], below[32];
	uint8_t uuid[16] = {0};
	struct footer parent = {.current_size = MADE_SIZE};

	(void)state;
	for (unsigned i = 0; i <= 256; i++) {
		struct image_create how = {.size = MADE_SIZE, .uuid = uuid};

		how.type = i ? VHD_TYPE_DIFFERENCING : VHD_TYPE_DYNAMIC;
		how.parent = &parent;
		how.parent_relative = below;
		(void)snprintf(below, sizeof(below), "%u.vhd", i - 1);
		(void)snprintf(name, sizeof(name), "%u.vhd", i);
		memcpy(parent.uuid, uuid, 16);
		uuid[0] = (uint8_t)(i >> 8);
		uuid[1] = (uint8_t)i;
		uuid[2] = 1;
		put_formatted(real(), inside(name), &how);
	}
	assert_int_equal(open_chain(inside("255.vhd"), 0), 0);
	assert_int_equal(open_chain(inside("256.vhd"), 0), VHD_E_PARENT);
	assert_int_equal(open_chain(inside("256.vhd"), 257), 0);
	assert_int_equal(open_chain(inside("9.vhd"), 9), VHD_E_PARENT);
}

/* What is said about a parent cannot drive a terminal. */
static void
test_a_message_about_a_parent_is_printable(void **state)
{
	static const char *const names[] = {"\033]0;owned\a.vhd", "a\nb\rc.vhd",
					    "\xc2\x9b"
					    "31m.vhd",
					    "\xe2\x80\xae"
					    "dhv.vhd"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		put_child_at(real(), child, 'c', 'p', names[i], NULL);
		assert_int_equal(use_child(), VHD_E_NOPARENT);
		for (const char *p = vhd_last_message(); *p; p++)
			if ((unsigned char)*p < 32 || *p == 127 ||
			    !memcmp(p, "\xc2\x9b", 2) ||
			    !memcmp(p, "\xe2\x80\xae", 3))
				fail_msg("a message holds byte %#x",
					 (unsigned char)*p);
		assert_int_equal(unlink(child), 0);
	}
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		T(test_an_absolute_parent_is_not_opened),
		T(test_a_climbing_parent_is_not_opened),
		T(test_a_parent_behind_a_link_is_not_opened),
		T(test_a_parent_in_a_linked_directory_is_not_opened),
		T(test_a_parent_on_a_network_is_not_looked_for),
		T(test_a_url_is_not_fetched),
		T(test_a_pipe_is_no_parent),
		T(test_a_device_is_no_parent),
		T(test_a_directory_is_no_parent),
		T(test_a_plain_file_is_no_parent_unless_allowed),
		T(test_an_image_is_not_its_own_parent),
		T(test_a_loop_of_parents_ends),
		T(test_a_chain_of_256_is_opened_and_one_more_is_not),
		T(test_a_message_about_a_parent_is_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
