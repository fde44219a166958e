/* SPDX-License-Identifier: BSD-3-Clause */
/* test_convert.c - a converted disk reads the same, and holes stay holes. */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "io_fault.h"
#include "job/jobs.h"
#include "make_chain.h"

#define BLOCK MADE_BLOCK

/* 8 MiB: a base with data in blocks 0 and 1, a child with some in 1 and 3, and
 * a block of written zeros. */
static struct fs *
source(void)
{
	struct fs *fs = new_fs();

	put_root(fs, "/vm/p.vhd", 'p');
	write_pattern(fs, "/vm/p.vhd", 1000, 5000, 1);
	write_pattern(fs, "/vm/p.vhd", BLOCK, 100000, 2);
	put_child_at(fs, "/vm/c.vhd", 'c', 'p', "p.vhd", NULL);
	write_pattern(fs, "/vm/c.vhd", BLOCK + 512, 512, 3);
	write_pattern(fs, "/vm/c.vhd", 2 * BLOCK, 4096, 0);
	write_pattern(fs, "/vm/c.vhd", 4 * BLOCK - 512, 512, 4);
	return fs;
}

static struct vhd_convert_opts
options(enum vhd_type type, uint32_t flags)
{
	static const uint8_t uuid[16] = {1, 2, 3};
	struct vhd_convert_opts opts = VHD_CONVERT_OPTS_INIT;

	opts.type = type;
	opts.flags = flags;
	opts.created = 1000000000;
	opts.uuid = uuid;
	return opts;
}

static void
expect_same(struct fs *fs, const char *path, uint32_t how)
{
	struct chain *a = open_disk(fs, "/vm/c.vhd", 0);
	struct chain *b = open_disk(fs, path, how);
	uint64_t offset;

	expect_ok(job_compare(&offset, a, b, NULL), "comparing");
	close_disk(a);
	close_disk(b);
}

static int
convert(struct fs *fs, const char *path, const struct vhd_convert_opts *opts)
{
	struct chain *src = open_disk(fs, "/vm/c.vhd", 0);
	int err = job_convert(src, src->fs, path, opts);
	struct error kept;

	error_save(&kept);
	close_disk(src);
	if (err)
		(void)error_restore(&kept);
	return err;
}

static void
test_each_kind_reads_the_same(void **state)
{
	struct fs *fs = source();
	struct vhd_convert_opts opts = options(VHD_TYPE_DYNAMIC, 0);

	(void)state;
	expect_ok(convert(fs, "/out/d.vhd", &opts), "to dynamic");
	expect_same(fs, "/out/d.vhd", 0);
	opts = options(VHD_TYPE_FIXED, 0);
	expect_ok(convert(fs, "/out/f.vhd", &opts), "to fixed");
	expect_same(fs, "/out/f.vhd", 0);
	opts = options(VHD_TYPE_RAW, 0);
	expect_ok(convert(fs, "/out/r.img", &opts), "to raw");
	expect_same(fs, "/out/r.img", VHD_OPEN_RAW);
	assert_true(length_of(fs, "/out/r.img") == 4 * BLOCK);
	assert_true(length_of(fs, "/out/f.vhd") == 4 * BLOCK + 512);
	mem_fs_free(fs);
}

static void
test_zeros_take_no_block_and_no_room(void **state)
{
	struct fs *fs = source();
	struct vhd_convert_opts opts = options(VHD_TYPE_DYNAMIC, 0);
	struct mem_data *data;
	struct image *img;

	(void)state;
	expect_ok(convert(fs, "/out/d.vhd", &opts), "to dynamic");
	img = open_image(fs, "/out/d.vhd", 0);
	assert_int_equal(image_count_blocks(img), 3);
	assert_false(image_has_block(img, 2));
	assert_int_equal(image_close(img), 0);
	opts = options(VHD_TYPE_RAW, 0);
	expect_ok(convert(fs, "/out/r.img", &opts), "to raw");
	expect_ok(mem_fs_get_data(&data, fs, "/out/r.img"), "get");
	assert_true(mem_data_pages(data) <= 2 + 25 + 1);
	mem_data_free(data);
	mem_fs_free(fs);
}

static void
test_azure_wants_whole_mebibytes(void **state)
{
	struct fs *fs = new_fs();
	struct vhd_convert_opts opts = options(0, VHD_CONVERT_AZURE);

	(void)state;
	expect_ok(mem_fs_put(fs, "/vm/c.vhd", "plain", 5), "put");
	{
		struct chain *src = open_disk(fs, "/vm/c.vhd", VHD_OPEN_RAW);
		struct image *img;

		expect_ok(job_convert(src, src->fs, "/out/a.vhd", &opts),
			  "convert");
		assert_int_equal(chain_close(src), 0);
		assert_true(length_of(fs, "/out/a.vhd") == (1 << 20) + 512);
		img = open_image(fs, "/out/a.vhd", 0);
		assert_int_equal(img->type, VHD_TYPE_FIXED);
		assert_int_equal(img->footer.geometry.cylinders, 30);
		assert_int_equal(image_close(img), 0);
	}
	mem_fs_free(fs);
}

/* ---- Pipes ------------------------------------------------------------- */

/* The bytes that came out of a file descriptor, as a file. */
static void
import(struct fs *fs, const char *path, int fd)
{
	off_t n = lseek(fd, 0, SEEK_END);
	uint8_t *buf = malloc((size_t)n);

	assert_int_equal(pread(fd, buf, (size_t)n, 0), n);
	expect_ok(mem_fs_put(fs, path, buf, (size_t)n), path);
	free(buf);
}

static void
send_to(struct fs *fs, int fd, const struct vhd_convert_opts *opts)
{
	struct chain *src = open_disk(fs, "/vm/c.vhd", 0);

	expect_ok(job_convert_to_fd(src, fd, opts), "convert");
	close_disk(src);
}

static void
expect_same_bytes(struct fs *fs, const char *a, const char *b)
{
	struct mem_data *x, *y;
	uint8_t p[512], q[512];

	expect_ok(mem_fs_get_data(&x, fs, a), a);
	expect_ok(mem_fs_get_data(&y, fs, b), b);
	assert_true(mem_data_size(x) == mem_data_size(y));
	for (uint64_t at = 0; at < mem_data_size(x); at += 512) {
		mem_data_read(x, p, 512, at);
		mem_data_read(y, q, 512, at);
		if (memcmp(p, q, 512) != 0)
			fail_msg("%s and %s differ in the sector at %llu", a, b,
				 (unsigned long long)at);
	}
	mem_data_free(x);
	mem_data_free(y);
}

static void
test_pipe_gets_the_bytes_of_the_file(void **state)
{
	static const enum vhd_type types[] = {VHD_TYPE_DYNAMIC, VHD_TYPE_FIXED,
					      VHD_TYPE_RAW};
	struct fs *fs = source();

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct vhd_convert_opts opts =
			options(types[i], VHD_CONVERT_FORCE);
		FILE *out = tmpfile();

		opts.block_size = 512u << 10;
		send_to(fs, fileno(out), &opts);
		import(fs, "/out/piped", fileno(out));
		expect_ok(convert(fs, "/out/written", &opts), "convert");
		expect_same_bytes(fs, "/out/piped", "/out/written");
		expect_same(fs, "/out/piped", i == 2 ? VHD_OPEN_RAW : 0);
		fclose(out);
	}
	mem_fs_free(fs);
}

static void
test_new_image_has_no_defect(void **state)
{
	struct vhd_convert_opts opts = options(VHD_TYPE_DYNAMIC, 0);
	struct fs *fs = source();
	struct image *img;

	(void)state;
	expect_ok(convert(fs, "/out/d.vhd", &opts), "convert");
	img = open_image(fs, "/out/d.vhd", IMAGE_WRITE);
	assert_int_equal(img->defects, 0);
	assert_int_equal(image_close(img), 0);
	mem_fs_free(fs);
}

static void
inflate_all(uint8_t *to, size_t *size, const uint8_t *from, size_t n)
{
	z_stream z = {0};

	assert_int_equal(inflateInit2(&z, 31), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)from;
	z.avail_in = (unsigned)n;
	z.next_out = to;
	z.avail_out = (unsigned)*size;
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	*size = z.total_out;
	inflateEnd(&z);
}

static void
test_gzip_holds_what_the_pipe_gets(void **state)
{
	struct fs *fs = source();
	struct vhd_convert_opts opts = options(0, 0);
	size_t size = 16u << 20, n;
	uint8_t *plain = malloc(size), *packed = malloc(size);
	FILE *out = tmpfile();
	struct mem_data *data;

	(void)state;
	send_to(fs, fileno(out), &opts);
	opts.flags = VHD_CONVERT_GZIP;
	expect_ok(convert(fs, "/out/d.vhd.gz", &opts), "convert");
	expect_ok(mem_fs_get_data(&data, fs, "/out/d.vhd.gz"), "get");
	n = (size_t)mem_data_size(data);
	mem_data_read(data, packed, n, 0);
	inflate_all(plain, &size, packed, n);
	assert_int_equal(lseek(fileno(out), 0, SEEK_END), size);
	assert_int_equal(pread(fileno(out), packed, size, 0), size);
	assert_memory_equal(packed, plain, size);
	mem_data_free(data);
	fclose(out);
	free(plain);
	free(packed);
	mem_fs_free(fs);
}

static void
expect_taken(enum vhd_type type, size_t len, uint64_t want_size)
{
	struct vhd_convert_opts opts = options(type, 0);
	struct fs *fs = new_fs();
	FILE *in = tmpfile();
	struct chain *c;
	uint8_t byte = 0;

	assert_int_equal(pwrite(fileno(in), "x", 1, (off_t)len - 1), 1);
	lseek(fileno(in), 0, SEEK_SET);
	expect_ok(job_convert_from_fd(fs, fileno(in), "/x", &opts), "convert");
	c = open_disk(fs, "/x", type == VHD_TYPE_RAW ? VHD_OPEN_RAW : 0);
	assert_true(c->size == want_size);
	expect_ok(chain_pread(c, &byte, 1, len - 1), "read");
	assert_int_equal(byte, 'x');
	if (type == VHD_TYPE_DYNAMIC) {
		struct image *img = c->layers[0].img;

		assert_true(img->hdr.max_entries == ceil_div(want_size, BLOCK));
		assert_true(img->footer.original_size == want_size);
		assert_int_equal(image_count_blocks(img), 1);
	}
	close_disk(c);
	fclose(in);
	mem_fs_free(fs);
}

static void
test_pipe_of_any_length_is_taken(void **state)
{
	(void)state;
	expect_taken(VHD_TYPE_DYNAMIC, 3 * BLOCK, 3 * BLOCK);
	expect_taken(VHD_TYPE_DYNAMIC, 3 * BLOCK + 1, 3 * BLOCK + 512);
	expect_taken(VHD_TYPE_DYNAMIC, 513u * BLOCK, 513u * BLOCK);
	expect_taken(VHD_TYPE_FIXED, 1000, 1024);
	expect_taken(VHD_TYPE_RAW, 1000, 1024);
}

/* ---- What goes wrong --------------------------------------------------- */

static int
stop(const struct vhd_progress *progress, void *user)
{
	(void)user;
	return !strcmp(progress->phase, "copy");
}

static void
test_stopped_conversion_leaves_nothing(void **state)
{
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct vhd_convert_opts opts = options(0, 0);
	struct fs *fs = source();
	struct fs_stat st;

	(void)state;
	job.progress = stop;
	opts.job = &job;
	assert_int_equal(convert(fs, "/out/d.vhd", &opts), VHD_E_CANCELLED);
	assert_int_equal(fs->ops->stat(&st, fs, "/out/d.vhd"), VHD_E_NOTFOUND);
	mem_fs_free(fs);
}

static void
test_dry_run_tells_and_writes_nothing(void **state)
{
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct vhd_plan plan = VHD_PLAN_INIT;
	struct vhd_convert_opts opts = options(VHD_TYPE_FIXED, 0);
	struct fs *fs = source();
	struct fs_stat st;

	(void)state;
	job.dry_run = true;
	job.plan = &plan;
	opts.job = &job;
	expect_ok(convert(fs, "/out/d.vhd", &opts), "dry run");
	assert_true(plan.fits && plan.bytes_to_copy > 100000);
	assert_int_equal(fs->ops->stat(&st, fs, "/out/d.vhd"), VHD_E_NOTFOUND);
	mem_fs_free(fs);
}

static void
test_target_that_exists_is_kept(void **state)
{
	struct vhd_convert_opts opts = options(0, 0);
	struct fs *fs = source();

	(void)state;
	put_root(fs, "/out/d.vhd", 'o');
	assert_int_equal(convert(fs, "/out/d.vhd", &opts), VHD_E_EXISTS);
	opts.flags = VHD_CONVERT_FORCE;
	expect_ok(convert(fs, "/out/d.vhd", &opts), "convert with force");
	expect_same(fs, "/out/d.vhd", 0);
	mem_fs_free(fs);
}

static int
count_file(const char *path, void *user)
{
	*(unsigned *)user += strncmp(path, "/out/", 5) == 0;
	return 0;
}

/* Whatever fails, there is all of the target or nothing. */
static bool
one_fault(struct fs *memory, enum vhd_type type, const struct fault *fault)
{
	struct vhd_convert_opts opts = options(type, 0);
	struct fs *fs = NULL;
	struct chain *src;
	unsigned left = 0;
	char hit[200];
	bool fired;
	int err;

	assert_int_equal(fault_fs_new(&fs, memory), 0);
	src = open_disk(fs, "/vm/c.vhd", 0);
	fault_arm(fs, fault);
	err = job_convert(src, fs, "/out/x", &opts);
	fired = fault_fired(fs);
	(void)snprintf(hit, sizeof(hit), "%s", fault_hit(fs));
	fault_arm(fs, &(struct fault){.at = 0});
	close_disk(src);
	assert_true(fired || !err);
	(void)mem_fs_each(memory, count_file, &left);
	if (left != (err ? 0 : 1))
		fail_msg("with a failing %s %u files are there", hit, left);
	if (!err) {
		expect_same(memory, "/out/x",
			    type == VHD_TYPE_RAW ? VHD_OPEN_RAW : 0);
		expect_ok(memory->ops->unlink(memory, "/out/x"), "unlink");
	}
	fault_fs_free(fs);
	return fired;
}

static void
test_failed_conversion_leaves_nothing(void **state)
{
	static const enum vhd_type types[] = {VHD_TYPE_DYNAMIC, VHD_TYPE_FIXED,
					      VHD_TYPE_RAW};
	struct fs *fs = source();

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		struct fault fault = {.at = 1, .what = FAULT_EIO};

		while (one_fault(fs, types[i], &fault))
			fault.at++;
	}
	mem_fs_free(fs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_kind_reads_the_same),
		cmocka_unit_test(test_zeros_take_no_block_and_no_room),
		cmocka_unit_test(test_azure_wants_whole_mebibytes),
		cmocka_unit_test(test_pipe_gets_the_bytes_of_the_file),
		cmocka_unit_test(test_new_image_has_no_defect),
		cmocka_unit_test(test_gzip_holds_what_the_pipe_gets),
		cmocka_unit_test(test_pipe_of_any_length_is_taken),
		cmocka_unit_test(test_stopped_conversion_leaves_nothing),
		cmocka_unit_test(test_dry_run_tells_and_writes_nothing),
		cmocka_unit_test(test_target_that_exists_is_kept),
		cmocka_unit_test(test_failed_conversion_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
