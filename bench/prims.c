/* SPDX-License-Identifier: BSD-3-Clause */
/* prims.c - the parts of the benchmarks that have to be in C: disks to
 * measure on, what the plain system calls take for the same work, and reads
 * and opens within one process.  Prints one number a line.
 *
 * Sizes are bytes.  The data is the same on every machine. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vhd.h>

#define BLOCK (2u << 20)
#define PAGE  4096u

static void
die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static void
need(int err)
{
	if (!err)
		return;
	fprintf(stderr, "%s\n", vhd_last_message());
	exit(1);
}

static double
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* xorshift: quick, and the same everywhere. */
static uint64_t
next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void *
noise(size_t len)
{
	uint64_t *buf = malloc(len), state = 88172645463325252u;

	if (!buf)
		die("memory");
	for (size_t i = 0; i < len / sizeof(*buf); i++)
		buf[i] = next(&state);
	return buf;
}

static vhd_t *
open_vhd(const char *path, uint32_t flags)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *vhd;

	opts.flags = flags;
	need(vhd_open(&vhd, path, &opts));
	return vhd;
}

static uint64_t
number(const char *text)
{
	return strtoull(text, NULL, 10);
}

/* ---- Disks to measure on ---- */

/* fill FILE FIRST COUNT [zero]: write whole blocks. */
static void
fill(char **word)
{
	vhd_t *vhd = open_vhd(word[0], VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK);
	uint64_t first = number(word[1]), count = number(word[2]);
	void *data = word[3] ? calloc(1, BLOCK) : noise(BLOCK);

	if (!data)
		die("memory");
	for (uint64_t i = first; i < first + count; i++)
		need(vhd_pwrite(vhd, data, BLOCK, i * BLOCK, 0));
	need(vhd_close(vhd));
	free(data);
}

/* Runs of a page, none beside another, in ascending order. */
static uint64_t
place_of(uint64_t i, uint64_t stride, uint64_t *state)
{
	return i * stride + next(state) % (stride / PAGE - 1) * PAGE;
}

static void
scatter_in(vhd_t *vhd, uint64_t size, uint64_t count, uint64_t state)
{
	void *data = noise(PAGE);

	for (uint64_t i = 0; i < count; i++)
		need(vhd_pwrite(vhd, data, PAGE,
				place_of(i, size / count, &state), 0));
	free(data);
}

/* scatter FILE SIZE COUNT SEED: the runs, through libvhd. */
static void
scatter(char **word)
{
	vhd_t *vhd = open_vhd(word[0], VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK);

	scatter_in(vhd, number(word[1]), number(word[2]), number(word[3]));
	need(vhd_close(vhd));
}

/* stack FILE SIZE COUNT DEPTH: layers upon an image, runs in each. */
static void
stack(char **word)
{
	vhd_t *vhd = open_vhd(word[0], VHD_OPEN_RDWR);
	char name[16];

	for (uint64_t i = 2; i <= number(word[3]); i++) {
		snprintf(name, sizeof(name), "%u", (unsigned)i);
		need(vhd_snapshot_live(vhd, name));
		scatter_in(vhd, number(word[1]), number(word[2]), i);
	}
	need(vhd_close(vhd));
}

/* The same runs with pwrite in a plain file, and fdatasync; the seconds. */
static void
scatter_raw(char **word)
{
	int fd = open(word[0], O_RDWR | O_CLOEXEC);
	uint64_t count = number(word[2]), state = number(word[3]);
	uint64_t stride = number(word[1]) / count;
	void *data = noise(PAGE);
	double began = now(CLOCK_MONOTONIC);

	if (fd < 0)
		die(word[0]);
	for (uint64_t i = 0; i < count; i++)
		if (pwrite(fd, data, PAGE,
			   (off_t)place_of(i, stride, &state)) != PAGE)
			die(word[0]);
	if (fdatasync(fd))
		die(word[0]);
	printf("%.6f\n", now(CLOCK_MONOTONIC) - began);
	close(fd);
	free(data);
}

static uint64_t
get_be(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

static void
put_be32(uint8_t *p, uint64_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
}

static void
seal(uint8_t *p, size_t len, size_t sum_at)
{
	uint32_t sum = 0;

	memset(p + sum_at, 0, 4);
	for (size_t i = 0; i < len; i++)
		sum += p[i];
	put_be32(p + sum_at, (uint32_t)~sum);
}

static void
put(int fd, const void *data, size_t len, uint64_t at)
{
	if (pwrite(fd, data, len, (off_t)at) != (ssize_t)len)
		die("write");
}

static void
get(int fd, void *data, size_t len, uint64_t at)
{
	if (pread(fd, data, len, (off_t)at) != (ssize_t)len)
		die("read");
}

/* allocate FILE: give every block of an empty image its region, all present,
 * its data a hole. */
static void
allocate(char **word)
{
	int fd = open(word[0], O_RDWR | O_CLOEXEC);
	uint8_t footer[512], header[1024], bitmap[512], *bat;
	uint64_t table, n, at;

	if (fd < 0)
		die(word[0]);
	get(fd, footer, sizeof(footer), 0);
	get(fd, header, sizeof(header), get_be(footer + 16, 8));
	table = get_be(header + 16, 8);
	n = get_be(header + 28, 4);
	bat = malloc(n * 4);
	if (!bat)
		die("memory");
	memset(bitmap, 0xff, sizeof(bitmap));
	at = (table + n * 4 + PAGE) / PAGE * PAGE + PAGE - sizeof(bitmap);
	for (uint64_t i = 0; i < n; i++, at += BLOCK + PAGE) {
		put_be32(bat + i * 4, at / 512);
		put(fd, bitmap, sizeof(bitmap), at);
	}
	put(fd, bat, n * 4, table);
	put(fd, footer, sizeof(footer), at);
	if (ftruncate(fd, (off_t)(at + sizeof(footer))) || fdatasync(fd))
		die(word[0]);
	close(fd);
	free(bat);
}

static uint8_t *
load(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *data;

	if (fd < 0 || fstat(fd, &st))
		die(path);
	data = malloc((size_t)st.st_size);
	if (!data)
		die("memory");
	get(fd, data, (size_t)st.st_size, 0);
	close(fd);
	*ret_len = (size_t)st.st_size;
	return data;
}

/* One image with the UUID of number own; a parent's, too, if it has one. */
static void
spawn(const char *path, uint8_t *data, size_t len, uint64_t own,
      uint64_t parent)
{
	uint8_t *header = data + get_be(data + 16, 8);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		die(path);
	put_be32(data + 68, own);
	seal(data, 512, 64);
	memcpy(data + len - 512, data, 512);
	if (parent) {
		put_be32(header + 40, parent);
		seal(header, 1024, 36);
	}
	put(fd, data, len, 0);
	close(fd);
}

/* family DIR ROOT CHILD COUNT: copies of two templates, nine children on
 * each root. */
static void
family(char **word)
{
	size_t len[2];
	uint8_t *data[2] = {load(word[1], &len[0]), load(word[2], &len[1])};
	uint64_t count = number(word[3]), root = 0;
	char path[4096];

	memcpy(data[1] + get_be(data[1] + 16, 8) + 40, data[0] + 68, 16);
	for (uint64_t i = 1; i <= count; i++) {
		bool child = i % 10 != 1;

		if (!child)
			root = i;
		snprintf(path, sizeof(path), "%s/%s%llu.vhd", word[0],
			 child ? "child" : "root", (unsigned long long)i);
		/* All but the number as in the root's template. */
		memcpy(data[child] + 68, data[0] + 68, 16);
		spawn(path, data[child], len[child], i, child ? root : 0);
	}
	free(data[0]);
	free(data[1]);
}

/* ---- Reads within one process ---- */

struct reader {
	pthread_t thread;
	vhd_t *vhd;
	int fd;
	uint64_t size, count, state;
	double cpu;
};

static void
read_at(const struct reader *r, void *buf, size_t len, uint64_t at)
{
	if (r->vhd)
		need(vhd_pread(r->vhd, buf, len, at));
	else
		get(r->fd, buf, len, at);
}

static void *
read_random(void *user)
{
	struct reader *r = user;
	uint8_t buf[PAGE];
	double began = now(CLOCK_THREAD_CPUTIME_ID);

	for (uint64_t i = 0; i < r->count; i++)
		read_at(r, buf, sizeof(buf),
			next(&r->state) % (r->size / PAGE) * PAGE);
	r->cpu = now(CLOCK_THREAD_CPUTIME_ID) - began;
	return NULL;
}

/* Once over the disk, so that everything is warm. */
static void
read_all(const struct reader *r)
{
	uint8_t *buf = malloc(BLOCK);

	for (uint64_t at = 0; buf && at < r->size; at += BLOCK)
		read_at(r, buf, BLOCK, at);
	free(buf);
}

/* read raw|vhd FILE SIZE THREADS COUNT: wall seconds, and seconds of
 * processor time of all threads, for COUNT random reads in each. */
static void
read_disk(char **word)
{
	struct reader r = {.fd = -1, .size = number(word[2])}, each[16];
	unsigned threads = (unsigned)number(word[3]);
	double began, cpu = 0;

	if (!strcmp(word[0], "vhd"))
		r.vhd = open_vhd(word[1], 0);
	else
		r.fd = open(word[1], O_RDONLY | O_CLOEXEC);
	if (!r.vhd && r.fd < 0)
		die(word[1]);
	read_all(&r);
	began = now(CLOCK_MONOTONIC);
	for (unsigned i = 0; i < threads && i < 16; i++) {
		each[i] = r;
		each[i].count = number(word[4]);
		each[i].state = 0x9e3779b97f4a7c15u + i;
		if (pthread_create(&each[i].thread, NULL, read_random,
				   &each[i]))
			die("thread");
	}
	for (unsigned i = 0; i < threads && i < 16; i++) {
		pthread_join(each[i].thread, NULL);
		cpu += each[i].cpu;
	}
	printf("%.6f\n%.6f\n", now(CLOCK_MONOTONIC) - began, cpu);
	need(vhd_close(r.vhd));
}

/* open FILE: seconds that vhd_open takes, and seconds of processor time. */
static void
open_disk(char **word)
{
	double began = now(CLOCK_MONOTONIC);
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	vhd_t *vhd = open_vhd(word[0], 0);

	printf("%.6f\n%.6f\n", now(CLOCK_MONOTONIC) - began,
	       now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	need(vhd_close(vhd));
}

/* table FILE: the same for opening and reading the first bytes of a file, as
 * many as its table has. */
static void
read_table(char **word)
{
	size_t len = (size_t)number(word[1]);
	double began = now(CLOCK_MONOTONIC);
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	int fd = open(word[0], O_RDONLY | O_CLOEXEC);
	void *data = malloc(len);

	if (fd < 0 || !data)
		die(word[0]);
	get(fd, data, len, 0);
	printf("%.6f\n%.6f\n", now(CLOCK_MONOTONIC) - began,
	       now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	close(fd);
	free(data);
}

/* run COMMAND...: seconds it takes, and of processor time, and the most memory
 * it had, bytes.  Whatever starts it counts as well, so that is kept small. */
static void
run_command(char **word)
{
	double began = now(CLOCK_MONOTONIC);
	pid_t pid = fork();
	struct rusage used;
	int status = 0;

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout))
			die("/dev/null");
		execvp(word[0], word);
		die(word[0]);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid)
		die(word[0]);
	if (status)
		exit(1);
	printf("%.6f\n%.6f\n%llu\n", now(CLOCK_MONOTONIC) - began,
	       (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) /
			       1e6,
	       (unsigned long long)used.ru_maxrss * 1024);
}

static const struct {
	const char *name;
	int words;
	void (*run)(char **word);
} verbs[] = {
	{"fill", 3, fill},
	{"scatter", 4, scatter},
	{"scatter-raw", 4, scatter_raw},
	{"stack", 4, stack},
	{"allocate", 1, allocate},
	{"family", 4, family},
	{"read", 5, read_disk},
	{"open", 1, open_disk},
	{"table", 2, read_table},
	{"run", 1, run_command},
};

int
main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]);
	     i++)
		if (!strcmp(argv[1], verbs[i].name) &&
		    argc - 2 >= verbs[i].words) {
			verbs[i].run(argv + 2);
			return 0;
		}
	fprintf(stderr, "usage: see the head of each function in prims.c\n");
	return 2;
}
