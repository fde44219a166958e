/* SPDX-License-Identifier: BSD-3-Clause */
/* test_image_resize.c - whatever fails while an image grows or shrinks, it is
 * of the old size or of the new one, and reads the same. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "hand_image.h"
#include "io_fault.h"
#include "job/check.h"
#include "make_image.h"

#define DISK  "/disk.vhd"
#define BLOCK 4096u
#define SMALL (8u * BLOCK)
#define LARGE (8192u * BLOCK) /* the table takes the place of the blocks */
#define EDGE  (1u << 20)      /* what is stored so that no parent shows */

enum made {
	BY_US,
	AS_WINDOWS,    /* with a locator behind the table */
	HEADER_BEHIND, /* and the header, too */
};

struct task {
	enum vhd_type type;
	uint64_t from, to, hide;
	enum made made;
};

static void
move_header(struct hand *h)
{
	memcpy(h->bytes + 0xa00, h->bytes + HAND_HEADER, 1024);
	store_be64(hand_footer(h, 0)->data_offset, 0xa00);
	hand_copy_footer(h);
	hand_seal_all(h);
}

static void
make(struct fs *fs, const struct task *t)
{
	struct footer parent = {.current_size = SMALL};
	struct image_create how = {.type = t->type,
				   .size = t->from,
				   .block_size = BLOCK,
				   .parent = &parent,
				   .parent_relative = "parent.vhd"};
	struct image *img;
	uint8_t data[SMALL];
	struct hand h;

	memset(parent.uuid, 'p', 16);
	if (t->made != BY_US) {
		hand_make_child(&h);
		if (t->made == HEADER_BEHIND)
			move_header(&h);
		hand_put(&h, fs, DISK);
		hand_free(&h);
	} else {
		put_formatted(fs, DISK, &how);
	}
	img = open_image(fs, DISK, IMAGE_WRITE);
	for (unsigned i = 0; i < SMALL; i++)
		data[i] = (uint8_t)(i / 512 + 1);
	expect_ok(image_pwrite(img, data, SMALL, 0), "writing");
	expect_ok(image_close(img), "closing");
}

static int
resize(struct fs *fs, const struct task *t)
{
	struct image *img = NULL;
	struct io *io = NULL;
	int err = fs->ops->open(&io, fs, DISK, FS_OPEN_WRITE);

	if (!err)
		err = image_open(&img, io, IMAGE_WRITE);
	if (!err)
		err = image_resize(img, t->to, t->hide, NULL);
	return image_close(img) ? VHD_E_IO : err;
}

/* Of one of the sizes; all that is in both reads as it was written, and the
 * rest as zero where nothing else was stored. */
static void
check(struct fs *fs, const struct task *t, const char *failing)
{
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;
	struct vhd_check_result found = VHD_CHECK_RESULT_INIT;
	struct image *img = open_image(fs, DISK, 0);
	uint8_t data[SMALL];

	if (img->size != t->from && img->size != t->to)
		fail_msg("with a failing %s the size is %llu", failing,
			 (unsigned long long)img->size);
	expect_ok(image_pread(img, data, SMALL, 0), "reading");
	for (unsigned i = 0; i < SMALL; i++)
		if (data[i] != (uint8_t)(i / 512 + 1))
			fail_msg("with a failing %s byte %u is %u", failing, i,
				 data[i]);
	if (t->made != BY_US) {
		char path[MAX_PATH_TEXT];

		expect_ok(image_locator(path, sizeof(path), img, 0, true),
			  "reading the locator");
		assert_string_equal(path, "./base.vhd");
	}
	if (img->size == LARGE && t->type == VHD_TYPE_DYNAMIC) {
		expect_ok(image_pread(img, data, SMALL, LARGE - SMALL), "end");
		for (unsigned i = 0; i < SMALL; i++)
			assert_int_equal(data[i], 0);
	}
	expect_ok(image_close(img), "closing");
	expect_ok(job_check(&found, fs, DISK, &opts), "checking");
	if (found.errors)
		fail_msg("with a failing %s the check finds %llu errors",
			 failing, (unsigned long long)found.errors);
}

static bool
one_fault(const struct task *t, const struct fault *fault)
{
	struct fs *memory = new_fs(), *fs = NULL;
	bool fired;
	int err;

	make(memory, t);
	assert_int_equal(fault_fs_new(&fs, memory), 0);
	fault_arm(fs, fault);
	err = resize(fs, t);
	fired = fault_fired(fs);
	assert_true(fired || !err);
	check(memory, t, fault_hit(fs));
	expect_ok(resize(memory, t), "once more");
	check(memory, &(struct task){t->type, t->to, t->to, .made = t->made},
	      "nothing");
	fault_fs_free(fs);
	mem_fs_free(memory);
	return fired;
}

static void
each_fault(struct task t)
{
	static const struct fault kinds[] = {
		{.what = FAULT_EIO},
		{.what = FAULT_ENOSPC, .kinds = FAULT_WRITE, .sticky = true},
		{.what = FAULT_SHORT, .kinds = FAULT_WRITE},
		{.what = FAULT_EIO, .sticky = true}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct fault fault = kinds[i];

		for (fault.at = 1; one_fault(&t, &fault);)
			fault.at++;
	}
}

static void
test_a_dynamic_image_grows_over_its_blocks(void **state)
{
	(void)state;
	each_fault((struct task){VHD_TYPE_DYNAMIC, SMALL, LARGE, 0, BY_US});
}

static void
test_a_child_grows(void **state)
{
	(void)state;
	each_fault(
		(struct task){VHD_TYPE_DIFFERENCING, SMALL, LARGE, 0, BY_US});
}

static void
test_a_locator_behind_the_table_makes_room(void **state)
{
	(void)state;
	each_fault((struct task){VHD_TYPE_DIFFERENCING, HAND_SIZE,
				 1000ull * HAND_BLOCK, 0, AS_WINDOWS});
}

static void
test_a_child_that_grows_hides_its_parent(void **state)
{
	(void)state;
	each_fault((struct task){VHD_TYPE_DIFFERENCING, SMALL, EDGE,
				 SMALL + 5 * BLOCK, BY_US});
}

static void
test_an_image_that_ends_within_a_block_grows(void **state)
{
	(void)state;
	each_fault(
		(struct task){VHD_TYPE_DYNAMIC, SMALL + 512, EDGE, 0, BY_US});
}

static void
test_a_dynamic_image_shrinks(void **state)
{
	(void)state;
	each_fault((struct task){VHD_TYPE_DYNAMIC, EDGE, SMALL, 0, BY_US});
}

static void
test_a_fixed_disk_grows(void **state)
{
	(void)state;
	each_fault((struct task){VHD_TYPE_FIXED, SMALL, EDGE, 0, BY_US});
}

static void
test_a_fixed_disk_shrinks(void **state)
{
	(void)state;
	each_fault((struct task){VHD_TYPE_FIXED, EDGE, SMALL, 0, BY_US});
}

static void
test_a_header_behind_the_table_makes_room(void **state)
{
	(void)state;
	each_fault((struct task){VHD_TYPE_DIFFERENCING, HAND_SIZE,
				 1000ull * HAND_BLOCK, 0, HEADER_BEHIND});
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_dynamic_image_grows_over_its_blocks),
		cmocka_unit_test(test_a_child_grows),
		cmocka_unit_test(test_a_locator_behind_the_table_makes_room),
		cmocka_unit_test(test_a_child_that_grows_hides_its_parent),
		cmocka_unit_test(test_an_image_that_ends_within_a_block_grows),
		cmocka_unit_test(test_a_dynamic_image_shrinks),
		cmocka_unit_test(test_a_fixed_disk_grows),
		cmocka_unit_test(test_a_fixed_disk_shrinks),
		cmocka_unit_test(test_a_header_behind_the_table_makes_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
