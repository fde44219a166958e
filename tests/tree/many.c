/* SPDX-License-Identifier: BSD-3-Clause */
/* many.c - many snapshots of one disk, deleted in random order; after each
 * deletion all the others must read what they did when they were taken.
 *
 *	many [--seed S] [--every N] [--turn T] SNAPSHOTS DIRECTORY
 *
 * After one in T snapshots the disk goes back to an older snapshot, so that the
 * tree gets branches and stays below the longest chain that is opened. */
#include <dirent.h>
#include <getopt.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <vhd.h>

#define SECTORS 1280u /* two blocks, the second a part of one */
#define SIZE    (SECTORS * 512u)

static struct {
	const char *dir;
	char disk[600];
	unsigned seed, every, turn;
	int n;
	struct {
		uint32_t value[SECTORS];
		int depth;
		bool there;
	} * state; /* 0: the live disk; i: snapshot i */
	unsigned long long random, values;
	_Atomic unsigned long checks;
	_Atomic int next; /* state to be checked */
} t;

static unsigned
draw(unsigned below)
{
	t.random = t.random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(t.random >> 33) % below;
}

__attribute__((format(printf, 1, 2))) static void
wrong(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)printf("FAIL many: ");
	(void)vprintf(fmt, args);
	(void)printf("\n  rerun: many --seed %u %d %s\n", t.seed, t.n, t.dir);
	va_end(args);
	exit(1);
}

static void
path_of(char *ret, size_t size, int state)
{
	if (state)
		(void)snprintf(ret, size, "%.500s/disk@%d.vhd", t.dir, state);
	else
		(void)snprintf(ret, size, "%s", t.disk);
}

/* ---- What a state reads ---- */

static void
fill(unsigned char *sector, uint32_t value, unsigned number)
{
	uint32_t words[128] = {0};

	for (int i = 0; i < 128 && value; i++)
		words[i] = i & 1 ? number : value;
	memcpy(sector, words, 512);
}

static void
check(int state, unsigned char *data)
{
	char path[600];
	vhd_t *disk;

	path_of(path, sizeof(path), state);
	if (vhd_open(&disk, path, NULL) || vhd_pread(disk, data, SIZE, 0) ||
	    vhd_close(disk))
		wrong("%s", vhd_last_message());
	for (unsigned s = 0; s < SECTORS; s++) {
		unsigned char want[512];

		fill(want, t.state[state].value[s], s);
		if (memcmp(want, data + s * 512, 512) != 0)
			wrong("%s: sector %u is not what it was", path, s);
	}
	t.checks++;
}

static void *
check_some(void *unused)
{
	static _Thread_local unsigned char data[SIZE];
	int i;

	(void)unused;
	while ((i = t.next++) <= t.n)
		if (t.state[i].there)
			check(i, data);
	return NULL;
}

/* By two threads, because there is so much to read. */
static void
check_all(void)
{
	pthread_t other;

	t.next = 0;
	if (pthread_create(&other, NULL, check_some, NULL) != 0)
		wrong("there is no thread to be had");
	(void)check_some(NULL);
	(void)pthread_join(other, NULL);
}

/* ---- What happens ---- */

static void
write_some(void)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *disk;
	int err;

	opts.flags = VHD_OPEN_RDWR;
	err = vhd_open(&disk, t.disk, &opts);
	for (int i = 0; i < 6 && !err; i++) {
		unsigned s = draw(SECTORS);
		unsigned char sector[512];

		t.state[0].value[s] = (uint32_t)++t.values;
		fill(sector, t.state[0].value[s], s);
		err = vhd_pwrite(disk, sector, 512, (uint64_t)s * 512, 0);
	}
	if (err || vhd_close(disk))
		wrong("%s", vhd_last_message());
}

static void
take(int number)
{
	char name[20];

	(void)snprintf(name, sizeof(name), "%d", number);
	if (vhd_snapshot_create(t.disk, name, NULL))
		wrong("%s", vhd_last_message());
	t.state[number] = t.state[0];
	t.state[number].there = true;
	t.state[0].depth++;
}

static void
go_back(int number)
{
	char name[20];

	(void)snprintf(name, sizeof(name), "%d", number);
	if (vhd_snapshot_revert(t.disk, name, NULL, NULL))
		wrong("%s", vhd_last_message());
	t.state[0] = t.state[number];
	t.state[0].depth++;
}

static void
grow(void)
{
	for (int i = 1; i <= t.n; i++) {
		write_some();
		take(i);
		if (t.state[0].depth > 250 || draw(t.turn) == 0)
			go_back(1 + (int)draw((unsigned)i));
		while (t.state[0].depth > 250)
			go_back(1 + (int)draw((unsigned)i));
	}
	write_some();
}

static void
shrink(void)
{
	for (int left = t.n; left > 0; left--) {
		int victim = 1 + (int)draw((unsigned)t.n);
		char name[20];

		while (!t.state[victim].there)
			victim = victim % t.n + 1;
		(void)snprintf(name, sizeof(name), "%d", victim);
		if (vhd_snapshot_delete(t.disk, name, NULL))
			wrong("%s", vhd_last_message());
		t.state[victim].there = false;
		if (left % (int)t.every == 0 || left == 1)
			check_all();
	}
}

static void
expect_alone(void)
{
	DIR *dir = opendir(t.dir);

	if (!dir)
		wrong("%s cannot be listed", t.dir);
	for (struct dirent *e = readdir(dir); e; e = readdir(dir))
		if (e->d_name[0] != '.' && strcmp(e->d_name, "disk.vhd") != 0)
			wrong("%s was left behind", e->d_name);
	(void)closedir(dir);
}

static double
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
play(void)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;
	double start = now(), grown;

	opts.virtual_size = SIZE;
	opts.block_size = 512u << 10;
	if (vhd_create(t.disk, &opts))
		wrong("%s", vhd_last_message());
	t.state[0].there = true;
	t.state[0].depth = 1;
	grow();
	grown = now();
	check_all();
	shrink();
	expect_alone();
	(void)printf("many: %d snapshots taken in %.1f s, deleted in random "
		     "order in %.1f s with %lu checks of a state\n",
		     t.n, grown - start, now() - grown, t.checks);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"every", required_argument, NULL, 'e'},
		{"turn", required_argument, NULL, 't'},
		{0},
	};
	int o;

	t.seed = t.every = 1;
	t.turn = 20;
	while ((o = getopt_long(argc, argv, "s:e:t:", options, NULL)) != -1) {
		if (o == 's')
			t.seed = (unsigned)strtoul(optarg, NULL, 0);
		else if (o == 'e')
			t.every = (unsigned)strtoul(optarg, NULL, 0);
		else if (o == 't')
			t.turn = (unsigned)strtoul(optarg, NULL, 0);
		else
			return 2;
	}
	if (argc - optind != 2 || !t.every || !t.turn)
		return 2;
	t.n = atoi(argv[optind]);
	t.dir = argv[optind + 1];
	(void)snprintf(t.disk, sizeof(t.disk), "%.500s/disk.vhd", t.dir);
	t.random = t.seed;
	t.state = calloc((size_t)t.n + 1, sizeof(*t.state));
	if (t.n < 1 || !t.state)
		return 2;
	play();
	free(t.state);
	return 0;
}
