/* SPDX-License-Identifier: BSD-3-Clause */
/* stress.c - guests read, write, zero, trim and flush while jobs merge, take
 * snapshots, compact and grow the same disk.
 *
 *	stress [--seconds N] [--seed N] [--dir DIR]
 *
 * Each guest owns every n-th page and knows what it last wrote there, so every
 * read has one right answer.  In memory unless a directory is given. */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "chain/chain.h"
#include "io/io_mem.h"
#include "job/jobs.h"
#include "tree/snapshot.h"

#define GUESTS 3
#define PAGE   4096u
#define PAGES  6000u

struct guest {
	pthread_t thread;
	unsigned id;
	uint64_t state, ops;
	uint32_t stamp[PAGES]; /* of my pages; 0: zero */
};

static struct {
	struct chain *c;
	const struct fs *fs;
	char path[256];
	_Atomic bool stop, failed;
	struct guest guest[GUESTS];
	unsigned snapshots, merges, compactions, resizes, cancelled;
	uint64_t state;
} t;

static uint64_t
rnd(uint64_t *state, uint64_t n)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % n;
}

static void
wrong(const struct guest *g, uint32_t page, const char *what)
{
	if (t.failed)
		return;
	t.failed = true;
	t.stop = true;
	fprintf(stderr, "stress: guest %u, page %u: %s (library: %s)\n", g->id,
		page, what, error_message());
}

static void
fill(uint32_t *buf, uint32_t page, uint32_t stamp)
{
	for (uint32_t i = 0; i < PAGE / 4; i++)
		buf[i] = stamp ? stamp ^ page << 12 ^ i : 0;
}

static void
guest_write(struct guest *g, uint32_t page, uint32_t *buf)
{
	uint32_t stamp = (uint32_t)rnd(&g->state, UINT32_MAX) | 1;
	uint32_t flags = rnd(&g->state, 32) ? 0 : VHD_IO_FUA;

	fill(buf, page, stamp);
	if (chain_pwrite(t.c, buf, PAGE, (uint64_t)page * PAGE, flags))
		wrong(g, page, "write failed");
	g->stamp[page] = stamp;
}

static void
guest_read(struct guest *g, uint32_t page, uint32_t *buf)
{
	uint32_t want[PAGE / 4];

	if (chain_pread(t.c, buf, PAGE, (uint64_t)page * PAGE))
		wrong(g, page, "read failed");
	fill(want, page, g->stamp[page]);
	if (memcmp(want, buf, PAGE) != 0 && !t.failed)
		wrong(g, page, "reads something else than was written");
}

static void
guest_step(struct guest *g, uint32_t *buf)
{
	uint32_t page =
		(uint32_t)rnd(&g->state, PAGES / GUESTS) * GUESTS + g->id;
	uint64_t at = (uint64_t)page * PAGE, what = rnd(&g->state, 100);

	g->ops++;
	if (what < 40) {
		guest_write(g, page, buf);
	} else if (what < 85) {
		guest_read(g, page, buf);
	} else if (what < 92) {
		if (chain_zero(t.c, at, PAGE, VHD_IO_MAY_TRIM))
			wrong(g, page, "zero failed");
		g->stamp[page] = 0;
	} else if (what < 96) {
		if (chain_discard(t.c, at, PAGE, 0) ||
		    chain_zero(t.c, at, PAGE, 0))
			wrong(g, page, "trim failed");
		g->stamp[page] = 0;
	} else if (chain_flush(t.c)) {
		wrong(g, page, "flush failed");
	}
}

static void *
run_guest(void *user)
{
	struct guest *g = user;
	uint32_t buf[PAGE / 4];

	while (!t.stop)
		guest_step(g, buf);
	for (uint32_t p = g->id; p < PAGES && !t.failed; p += GUESTS)
		guest_read(g, p, buf);
	return NULL;
}

static int
sometimes(const struct vhd_progress *p, void *user)
{
	(void)p;
	(void)user;
	return rnd(&t.state, 40) == 0;
}

static void
check_job(int err, unsigned *count, const char *what)
{
	if (err == VHD_E_CANCELLED) {
		t.cancelled++;
	} else if (err) {
		fprintf(stderr, "stress: %s: %s\n", what, error_message());
		t.failed = true;
		t.stop = true;
	} else {
		++*count;
	}
}

static void
merge_some(void)
{
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;

	if (t.c->depth < 2)
		return;
	job.progress = sometimes;
	o.job = &job;
	o.layer = (uint32_t)rnd(&t.state, t.c->depth - 1);
	o.into =
		o.layer + 1 + (uint32_t)rnd(&t.state, t.c->depth - o.layer - 1);
	check_job(job_merge(t.c, &o), &t.merges, "merge");
}

static void
job_step_once(void)
{
	uint64_t what = rnd(&t.state, 10);
	char name[32];

	if (what < 3 && t.c->depth < 6 && !t.c->moved.bits) {
		snprintf(name, sizeof(name), "s%u-%" PRIu64, t.snapshots,
			 rnd(&t.state, UINT32_MAX));
		check_job(snapshot_create_live(t.c, name), &t.snapshots,
			  "snapshot");
	} else if (what < 8) {
		merge_some();
	} else if (what < 9 && !t.c->moved.bits) {
		check_job(job_compact(t.c,
				      rnd(&t.state, 2) ? VHD_COMPACT_PUNCH
						       : VHD_COMPACT_REPACK,
				      NULL),
			  &t.compactions, "compact");
	} else if (!t.c->moved.bits) {
		check_job(job_resize(t.c, t.c->size + (1 << 20), 0, NULL),
			  &t.resizes, "resize");
	}
}

static int
make_disk(void)
{
	struct image_create how = {.type = VHD_TYPE_DYNAMIC,
				   .size = (uint64_t)PAGES * PAGE,
				   .block_size = 512 << 10,
				   .created = 1700000000};
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct io *io;
	int err = t.fs->ops->open(&io, t.fs, t.path,
				  FS_OPEN_WRITE | FS_OPEN_CREATE);

	if (!err)
		err = image_format(io, &how);
	if (!err)
		err = io_close(io);
	return err ? err : chain_open(&t.c, t.fs, t.path, &opts);
}

static void
play(int seconds)
{
	time_t end = time(NULL) + seconds;

	for (unsigned i = 0; i < GUESTS; i++) {
		t.guest[i].id = i;
		t.guest[i].state = t.state + i * 977 + 1;
		pthread_create(&t.guest[i].thread, NULL, run_guest,
			       &t.guest[i]);
	}
	while (!t.stop && time(NULL) < end) {
		job_step_once();
		usleep((useconds_t)rnd(&t.state, 20000));
	}
	t.stop = true;
	for (unsigned i = 0; i < GUESTS; i++)
		pthread_join(t.guest[i].thread, NULL);
}

/* What the guests know is also what the next opening reads. */
static void
verify_again(void)
{
	struct chain_opts opts = {0};
	uint32_t buf[PAGE / 4];
	int err = chain_close(t.c);

	if (!err)
		err = chain_open(&t.c, t.fs, t.path, &opts);
	if (err) {
		fprintf(stderr, "stress: reopen: %s\n", error_message());
		t.failed = true;
		return;
	}
	for (uint32_t p = 0; p < PAGES && !t.failed; p++)
		guest_read(&t.guest[p % GUESTS], p, buf);
	(void)chain_close(t.c);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seconds", required_argument, NULL, 's'},
		{"seed", required_argument, NULL, 'r'},
		{"dir", required_argument, NULL, 'd'},
		{0},
	};
	int o, seconds = 10;
	struct fs *mem = NULL;
	uint64_t ops = 0;

	t.state = (uint64_t)time(NULL) * 2654435761u | 1;
	snprintf(t.path, sizeof(t.path), "/disk.vhd");
	t.fs = NULL;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 's')
			seconds = atoi(optarg);
		else if (o == 'r')
			t.state = strtoull(optarg, NULL, 0);
		else if (o == 'd')
			snprintf(t.path, sizeof(t.path), "%s/disk.vhd", optarg);
		else
			return 2;
		if (o == 'd')
			t.fs = &fs_posix;
	}
	printf("stress: --seed %" PRIu64 "\n", t.state);
	if (!t.fs && mem_fs_new(&mem) != 0)
		return 1;
	if (!t.fs)
		t.fs = mem;
	if (make_disk() != 0) {
		fprintf(stderr, "stress: %s\n", error_message());
		return 1;
	}
	play(seconds);
	verify_again();
	for (unsigned i = 0; i < GUESTS; i++)
		ops += t.guest[i].ops;
	printf("stress: %" PRIu64 " requests beside %u merges, %u snapshots, "
	       "%u compactions, %u resizes, %u cancelled: %s\n",
	       ops, t.merges, t.snapshots, t.compactions, t.resizes,
	       t.cancelled, t.failed ? "FAILED" : "all right");
	mem_fs_free(mem);
	return t.failed;
}
