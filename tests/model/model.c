/* SPDX-License-Identifier: BSD-3-Clause */
/* model.c - random operations on random chains, against a flat array.
 *
 *	model [--seed N | --state N] [--ops N] [--verbose]
 *
 * Each round makes a chain of random types, block sizes and sizes in memory,
 * then writes, zeroes, trims, flushes, reads, describes, merges, compacts,
 * resizes, snapshots, rebases and reopens it, and after each compares what
 * the guest reads with the array.  On a difference it prints the state of
 * the round, which repeats it. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/iszero.h"
#include "base/path.h"
#include "chain/chain.h"
#include "io/io_mem.h"
#include "job/jobs.h"

#define MOST_SIZE (5u << 20)

static struct {
	uint64_t state, seed;
	uint64_t ops, most;
	bool verbose;
	struct fs *fs;
	struct chain *c;
	uint8_t *want, *got, *buf;
	uint64_t size;
	unsigned files;
	char leaf[64];
	char last[128];
} t;

static uint64_t
rnd(uint64_t n)
{
	t.state ^= t.state << 13;
	t.state ^= t.state >> 7;
	t.state ^= t.state << 17;
	return t.state % n;
}

static void
die(const char *what)
{
	fprintf(stderr,
		"model: %s\n  last operation: %s\n  library: %s\n"
		"  rerun: model --state %" PRIu64 " --ops 1\n",
		what, t.last, error_message(), t.seed);
	exit(1);
}

static void
must(int err, const char *what)
{
	if (err)
		die(what);
}

#define NOTE(...)                                                              \
	do {                                                                   \
		snprintf(t.last, sizeof(t.last), __VA_ARGS__);                 \
		if (t.verbose)                                                 \
			fprintf(stderr, "%s\n", t.last);                       \
	} while (0)

/* ---- Making images ---- */

static uint32_t
any_block_size(void)
{
	static const uint32_t sizes[] = {4096,    16384,   65536,
					 524288,  524288,  2097152,
					 2097152, 2097152, 4194304};

	return sizes[rnd(sizeof(sizes) / sizeof(*sizes))];
}

static struct io *
new_file(char *path)
{
	struct io *io;

	snprintf(path, 64, "/disk%u.vhd", t.files++);
	must(t.fs->ops->open(&io, t.fs, path, FS_OPEN_WRITE | FS_OPEN_CREATE),
	     "new file");
	return io;
}

static void
make_root(void)
{
	struct image_create how = {
		.type = rnd(3) ? VHD_TYPE_DYNAMIC : VHD_TYPE_FIXED,
		.size = (1 + rnd(MOST_SIZE / 512 / 2)) * 512,
		.block_size = any_block_size(),
		.created = 1700000000,
	};
	struct io *io = new_file(t.leaf);

	must(image_format(io, &how), "format root");
	must(io_close(io), "close root");
	t.size = how.size;
	memset(t.want, 0, MOST_SIZE);
}

/* A child of the leaf, which becomes the leaf. */
static void
make_child(void)
{
	struct chain_opts opts = {0};
	char path[64];
	struct io *io = new_file(path);
	struct chain *parent;
	struct image_create how = {.type = VHD_TYPE_DIFFERENCING,
				   .size = t.size,
				   .block_size = any_block_size(),
				   .created = 1700000000};

	must(chain_open(&parent, t.fs, t.leaf, &opts), "open parent");
	how.parent = &parent->layers[0].img->footer;
	how.parent_relative = path_name(t.leaf);
	must(image_format(io, &how), "format child");
	must(io_close(io), "close child");
	must(chain_close(parent), "close parent");
	strcpy(t.leaf, path);
}

static void
reopen(void)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};

	must(chain_close(t.c), "close");
	t.c = NULL;
	must(chain_open(&t.c, t.fs, t.leaf, &opts), "open");
	if (t.c->size != t.size)
		die("the size is not what it was");
}

/* ---- Checking ---- */

static void
compare(uint64_t at, uint64_t len, const uint8_t *got)
{
	char what[160];

	if (!memcmp(got, t.want + at, len))
		return;
	for (uint64_t i = 0; i < len; i++) {
		if (got[i] == t.want[at + i])
			continue;
		snprintf(what, sizeof(what),
			 "byte %" PRIu64 " (sector %" PRIu64
			 ") reads %02x, should be %02x",
			 at + i, (at + i) / 512, got[i], t.want[at + i]);
		die(what);
	}
}

static void
verify_all(void)
{
	must(chain_pread(t.c, t.got, t.size, 0), "read everything");
	compare(0, t.size, t.got);
	must(chain_read_below(t.c, 0, t.got, t.size, 0), "read by layers");
	compare(0, t.size, t.got);
	for (uint32_t i = 0; i < t.c->depth; i++)
		if (image_is_sparse(t.c->layers[i].img) &&
		    !t.c->layers[i].renamed)
			must(image_check_overlap(t.c->layers[i].img),
			     "overlap");
}

/* ---- Operations ---- */

static void
any_range(uint64_t *at, uint64_t *len)
{
	uint64_t unit = rnd(4) ? 512 : 1;
	uint64_t most = rnd(16) ? 32768 : 2u << 20;

	*at = rnd(t.size / unit) * unit;
	*len = (1 + rnd(most / unit)) * unit;
	if (*len > t.size - *at)
		*len = t.size - *at;
}

static void
do_write(void)
{
	uint64_t at, len;
	uint32_t flags = rnd(16) ? 0 : VHD_IO_FUA;
	bool zero = !rnd(10);

	any_range(&at, &len);
	NOTE("write %" PRIu64 " at %" PRIu64, len, at);
	for (uint64_t i = 0; i < len; i++)
		t.buf[i] = zero ? 0 : (uint8_t)(i / 512 * 7 + t.ops + i);
	must(chain_pwrite(t.c, t.buf, len, at, flags), "write");
	memcpy(t.want + at, t.buf, len);
}

static void
do_zero(void)
{
	uint64_t at, len;

	any_range(&at, &len);
	NOTE("zero %" PRIu64 " at %" PRIu64, len, at);
	must(chain_zero(t.c, at, len, rnd(2) ? VHD_IO_MAY_TRIM : 0), "zero");
	memset(t.want + at, 0, len);
}

/* Afterwards each byte is zero or what it was. */
static void
do_discard(void)
{
	uint64_t at, len;

	any_range(&at, &len);
	NOTE("discard %" PRIu64 " at %" PRIu64, len, at);
	must(chain_discard(t.c, at, len, 0), "discard");
	must(chain_pread(t.c, t.got, len, at), "read");
	for (uint64_t i = 0; i < len; i++)
		if (!t.got[i])
			t.want[at + i] = 0;
	compare(at, len, t.got);
}

static void
do_read(void)
{
	uint64_t at, len;

	any_range(&at, &len);
	NOTE("read %" PRIu64 " at %" PRIu64, len, at);
	must(chain_pread(t.c, t.got, len, at), "read");
	compare(at, len, t.got);
}

static int
check_extent(const struct vhd_extent *e, void *user)
{
	uint64_t *next = user;

	if (e->offset != *next || !e->length)
		die("extents leave a gap");
	*next += e->length;
	if (!(e->flags & VHD_EXTENT_DATA) || (e->flags & VHD_EXTENT_ZERO))
		if (!is_zero(t.want + e->offset, e->length))
			die("an extent said to be zero is not");
	return 0;
}

static void
do_extents(void)
{
	uint64_t at, len, next;

	any_range(&at, &len);
	NOTE("extents %" PRIu64 " at %" PRIu64, len, at);
	next = at;
	must(chain_extents(t.c, at, len, check_extent, &next), "extents");
	if (next != at + len)
		die("extents end too early");
}

static int
stop_soon(const struct vhd_progress *p, void *user)
{
	(void)p;
	(void)user;
	return !rnd(3);
}

static void
do_merge(void)
{
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;
	int err;

	if (t.c->depth < 2)
		return;
	opts.layer = (uint32_t)rnd(t.c->depth - 1);
	opts.into = opts.layer + 1 + (uint32_t)rnd(t.c->depth - opts.layer - 1);
	NOTE("merge %u into %u of %u", opts.layer, opts.into, t.c->depth);
	if (!rnd(3)) {
		job.progress = stop_soon;
		opts.job = &job;
	}
	if (opts.layer == 0 && !rnd(3)) {
		opts.flags = VHD_MERGE_AT_PARENT;
		if (t.c->layers[opts.into].renamed)
			opts.flags = 0;
	}
	err = job_merge(t.c, &opts);
	/* After a rebase, what stood between may still stand there. */
	if (err && err != VHD_E_CANCELLED && err != VHD_E_CHILDREN)
		die("merge");
	if (!err)
		snprintf(t.leaf, sizeof(t.leaf), "%s", t.c->layers[0].path);
}

static void
do_compact(void)
{
	enum vhd_compact_mode mode =
		rnd(2) ? VHD_COMPACT_PUNCH : VHD_COMPACT_REPACK;

	NOTE("compact %d", mode);
	must(job_compact(t.c, mode, NULL), "compact");
}

static void
do_resize(void)
{
	uint64_t size = (1 + rnd(MOST_SIZE / 512)) * 512;

	NOTE("resize %" PRIu64 " to %" PRIu64, t.size, size);
	must(job_resize(t.c, size, VHD_RESIZE_SHRINK, NULL), "resize");
	if (size > t.size)
		memset(t.want + t.size, 0, size - t.size);
	t.size = size;
}

static void
do_child(void)
{
	NOTE("child on depth %u", t.c->depth);
	if (t.c->depth > 8)
		return;
	must(chain_close(t.c), "close");
	t.c = NULL;
	make_child();
	reopen();
}

/* Onto another layer of its own chain. */
static void
do_rebase(void)
{
	char path[64];
	uint32_t layer;

	if (t.c->depth < 3)
		return;
	layer = 1 + (uint32_t)rnd(t.c->depth - 1);
	for (uint32_t i = 1; i < t.c->depth; i++)
		if (t.c->layers[i].renamed || t.c->layers[i].img->writable)
			return;
	snprintf(path, sizeof(path), "%s", t.c->layers[layer].path);
	NOTE("rebase onto %s", path);
	must(job_rebase(t.c, path, 0, NULL), "rebase");
}

static void
do_flush(void)
{
	NOTE("flush");
	must(chain_flush(t.c), "flush");
}

static void
do_reopen(void)
{
	NOTE("reopen");
	reopen();
}

static void
step(void)
{
	uint64_t what = rnd(1000);

	t.ops++;
	if (what < 400)
		do_write();
	else if (what < 480)
		do_zero();
	else if (what < 540)
		do_discard();
	else if (what < 800)
		do_read();
	else if (what < 860)
		do_extents();
	else if (what < 920)
		do_flush();
	else if (what < 935)
		do_child();
	else if (what < 950)
		do_merge();
	else if (what < 965)
		do_compact();
	else if (what < 975)
		do_resize();
	else if (what < 985)
		do_rebase();
	else
		do_reopen();
	if (what >= 920)
		verify_all();
}

static void
play_round(void)
{
	unsigned depth, steps;

	t.seed = t.state;
	depth = (unsigned)rnd(4);
	steps = 100 + (unsigned)rnd(300);
	must(mem_fs_new(&t.fs), "file system");
	t.files = 0;
	make_root();
	while (depth--)
		make_child();
	reopen();
	while (steps--)
		step();
	verify_all();
	must(chain_close(t.c), "close");
	t.c = NULL;
	mem_fs_free(t.fs);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"state", required_argument, NULL, 't'},
		{"ops", required_argument, NULL, 'o'},
		{"verbose", no_argument, NULL, 'v'},
		{0},
	};
	uint64_t seed = 1;
	int o;

	t.most = 100000;
	while ((o = getopt_long(argc, argv, "s:o:v", options, NULL)) != -1) {
		if (o == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (o == 't')
			t.state = strtoull(optarg, NULL, 0);
		else if (o == 'o')
			t.most = strtoull(optarg, NULL, 0);
		else if (o == 'v')
			t.verbose = true;
		else
			return 2;
	}
	t.want = malloc(MOST_SIZE);
	t.got = malloc(MOST_SIZE);
	t.buf = malloc(MOST_SIZE);
	if (!t.want || !t.got || !t.buf)
		return 1;
	if (!t.state)
		t.state = seed * 0x9e3779b97f4a7c15u | 1;
	while (t.ops < t.most)
		play_round();
	printf("model: %" PRIu64 " operations, no difference\n", t.ops);
	free(t.want);
	free(t.got);
	free(t.buf);
	return 0;
}
