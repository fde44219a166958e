/* SPDX-License-Identifier: BSD-3-Clause */
/* kill_loop.c - a process that works on a disk is killed, again and again.
 *
 *	kill_loop [--kills N] [--seed N] [--dir DIR]
 *
 * The process writes, zeroes, flushes, takes snapshots, merges and compacts
 * through the public interface, on the real file system, until SIGKILL comes
 * at some moment.  What it asked for, and what a flush has answered for, stands
 * in memory that outlives it.  Then the disk is opened again: each sector holds
 * what was last flushed or something written after that, and the check finds
 * no error. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vhd.h>

#define SECTORS   1024u
#define DISK_SIZE (SECTORS * 512u)
#define BLOCK     32768u
#define MOST      16u /* sectors in one request */
#define DEEP      4u  /* images, from where on layers are merged */

/* Everything asked for has a number, which is what its sectors hold. */
struct sector {
	uint32_t flushed;    /* the last number that a flush answered for */
	bool flushed_zero;   /* and that made it zero */
	bool zero_since;     /* it was zeroed after that */
	uint32_t newest;     /* the last number asked for */
	bool newest_is_zero; /* and that makes it zero */
};

/* Shared with the process that is killed. */
struct ledger {
	struct sector sector[SECTORS];
	uint32_t next;
	uint32_t next_name;
	uint64_t done[8]; /* by kind of work, for a person */
	char trouble[500];
};

static struct {
	uint64_t kills, seed;
	const char *base;
	char dir[300], disk[340];
	uint64_t random;
	struct ledger *ledger;
} k;

static uint32_t
draw(uint32_t below)
{
	k.random ^= k.random << 13;
	k.random ^= k.random >> 7;
	k.random ^= k.random << 17;
	return (uint32_t)(k.random >> 33) % below;
}

/* ---- What sectors hold ---- */

static void
fill(uint8_t *sector, uint32_t index, uint32_t number)
{
	for (unsigned i = 0; i < 512; i += 8) {
		memcpy(sector + i, &index, 4);
		memcpy(sector + i + 4, &number, 4);
	}
}

/* The number; 0 for zeros; UINT32_MAX for what nobody wrote there. */
static uint32_t
number_in(const uint8_t *sector, uint32_t index)
{
	static const uint8_t zeros[512];
	uint8_t want[512];
	uint32_t number;

	if (!memcmp(sector, zeros, 512))
		return 0;
	memcpy(&number, sector + 4, 4);
	fill(want, index, number);
	return memcmp(sector, want, 512) ? UINT32_MAX : number;
}

/* ---- The process that will be killed ---- */

static int
change(vhd_t *disk, bool zero)
{
	static uint8_t data[MOST * 512];
	uint32_t first = draw(SECTORS), n = 1 + draw(MOST);
	uint32_t number = ++k.ledger->next;

	if (n > SECTORS - first)
		n = SECTORS - first;
	for (uint32_t i = 0; i < n; i++) {
		struct sector *s = &k.ledger->sector[first + i];

		fill(data + 512 * i, first + i, number);
		if (zero)
			s->zero_since = true;
		s->newest = number;
		s->newest_is_zero = zero;
	}
	return zero ? vhd_zero(disk, first * 512u, n * 512u,
			       draw(2) ? VHD_IO_MAY_TRIM : 0)
		    : vhd_pwrite(disk, data, n * 512u, first * 512u, 0);
}

static int
flush(vhd_t *disk)
{
	int err = vhd_flush(disk);

	for (uint32_t i = 0; !err && i < SECTORS; i++) {
		struct sector *s = &k.ledger->sector[i];

		s->flushed_zero = s->newest_is_zero;
		s->flushed = s->newest;
		s->zero_since = false;
	}
	return err;
}

static int
snapshot(vhd_t *disk)
{
	char name[32];

	(void)snprintf(name, sizeof(name), "s%" PRIu32, k.ledger->next_name++);
	return vhd_snapshot_live(disk, name);
}

static int
merge(vhd_t *disk)
{
	struct vhd_merge_opts opts = VHD_MERGE_OPTS_INIT;

	opts.layer = draw(vhd_depth(disk) - 1);
	return vhd_merge(disk, &opts);
}

enum kind { WRITE, ZERO, FLUSH, MERGE, SNAPSHOT, COMPACT, FINISHED };

static enum kind
choose(const vhd_t *disk)
{
	uint32_t what = draw(100);

	if (what < 70)
		return what < 10 ? ZERO : WRITE;
	if (what < 90)
		return FLUSH;
	if (vhd_depth(disk) >= DEEP)
		return MERGE;
	return what < 96 ? SNAPSHOT : COMPACT;
}

static int
act(vhd_t *disk)
{
	enum kind kind = choose(disk);

	k.ledger->done[kind]++;
	switch (kind) {
	case FLUSH:
		return flush(disk);
	case MERGE:
		return merge(disk);
	case SNAPSHOT:
		return snapshot(disk);
	case COMPACT:
		return vhd_compact(
			disk, draw(2) ? VHD_COMPACT_REPACK : VHD_COMPACT_PUNCH,
			NULL);
	default:
		return change(disk, kind == ZERO);
	}
}

static void
work(void)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *disk = NULL;
	int err;

	opts.flags = VHD_OPEN_RDWR;
	err = vhd_open(&disk, k.disk, &opts);
	while (!err)
		err = act(disk);
	(void)snprintf(k.ledger->trouble, sizeof(k.ledger->trouble), "%s",
		       vhd_last_message());
	_exit(1);
}

/* ---- The judge ---- */

static bool
wrong(const char *what, uint64_t kill_number)
{
	(void)fprintf(stderr,
		      "kill_loop: %s\n  after %" PRIu64
		      " kills; rerun: kill_loop --seed %" PRIu64
		      ", the files are in %s\n",
		      what, kill_number, k.seed, k.dir);
	return false;
}

static bool
allows(const struct sector *s, uint32_t number)
{
	if (number == 0)
		return s->flushed_zero || s->zero_since;
	if (number == UINT32_MAX || number > s->newest)
		return false;
	return s->flushed_zero ? number > s->flushed : number >= s->flushed;
}

/* What is there stays: opening for writing made it durable (P14). */
static bool
judge_sectors(const uint8_t *data, uint64_t kill_number)
{
	char text[200];

	for (uint32_t i = 0; i < SECTORS; i++) {
		struct sector *s = &k.ledger->sector[i];
		uint32_t number = number_in(data + 512 * i, i);

		if (!allows(s, number)) {
			(void)snprintf(text, sizeof(text),
				       "sector %" PRIu32 " holds %" PRIu32
				       ", flushed was %" PRIu32
				       "%s and the newest is %" PRIu32 "%s",
				       i, number, s->flushed,
				       s->flushed_zero ? " (zero)" : "",
				       s->newest,
				       s->newest_is_zero ? " (zero)" : "");
			return wrong(text, kill_number);
		}
		s->flushed_zero = number == 0;
		s->flushed = number ? number : s->newest;
		s->newest = s->flushed;
		s->newest_is_zero = s->flushed_zero;
		s->zero_since = false;
	}
	return true;
}

static bool
is_unfinished(void)
{
	const char *const dirs[] = {k.dir};
	vhd_tree_t *tree = NULL;
	bool found = false;

	if (vhd_tree_scan(&tree, dirs, 1) != 0)
		return true;
	for (size_t i = 0; i < vhd_tree_count(tree); i++)
		found |= vhd_tree_get(tree, i)->merging;
	vhd_tree_free(tree);
	return found;
}

/* A merge that was killed is finished by the next call on the tree. */
static bool
finish(uint64_t kill_number)
{
	char name[32];
	int err;

	if (!is_unfinished())
		return true;
	k.ledger->done[FINISHED]++;
	(void)snprintf(name, sizeof(name), "s%" PRIu32, k.ledger->next_name++);
	err = vhd_snapshot_create(k.disk, name, NULL);
	if (!err)
		err = vhd_snapshot_delete(k.disk, name, NULL);
	if (!err && is_unfinished())
		return wrong("a merge stays unfinished", kill_number);
	return !err || wrong(vhd_last_message(), kill_number);
}

static bool
judge(uint64_t kill_number)
{
	static uint8_t data[DISK_SIZE];
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	struct vhd_check_result found = VHD_CHECK_RESULT_INIT;
	struct vhd_check_opts check = VHD_CHECK_OPTS_INIT;
	vhd_t *disk = NULL;
	int err;

	opts.flags = kill_number % 2 ? VHD_OPEN_RDWR : 0;
	check.flags = VHD_CHECK_CHAIN;
	err = vhd_check(&found, k.disk, &check);
	if (!err && found.errors)
		return wrong("the check finds errors", kill_number);
	if (!err)
		err = vhd_open(&disk, k.disk, &opts);
	if (!err)
		err = vhd_pread(disk, data, DISK_SIZE, 0);
	if (err)
		return wrong(vhd_last_message(), kill_number);
	if (vhd_close(disk))
		return wrong(vhd_last_message(), kill_number);
	return judge_sectors(data, kill_number);
}

/* ---- The loop ---- */

static bool
one_kill(uint64_t kill_number)
{
	struct timespec wait = {.tv_nsec = 1000 + draw(20000000)};
	pid_t pid;
	int status;

	(void)draw(7); /* the child's chance is not that of the wait */
	pid = fork();
	if (pid < 0)
		return wrong(strerror(errno), kill_number);
	if (!pid)
		work();
	(void)nanosleep(&wait, NULL);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	k.random += 0x9e3779b97f4a7c15u * (kill_number + 1);
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		return wrong(k.ledger->trouble, kill_number);
	return judge(kill_number);
}

static bool
prepare(void)
{
	struct vhd_create_opts create = VHD_CREATE_OPTS_INIT;

	(void)snprintf(k.dir, sizeof(k.dir), "%s/kill-loop-XXXXXX", k.base);
	if (!mkdtemp(k.dir)) {
		perror(k.dir);
		return false;
	}
	(void)snprintf(k.disk, sizeof(k.disk), "%s/disk.vhd", k.dir);
	create.virtual_size = DISK_SIZE;
	create.block_size = BLOCK;
	k.ledger = mmap(NULL, sizeof(*k.ledger), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (k.ledger == MAP_FAILED) {
		perror("memory");
		return false;
	}
	for (uint32_t i = 0; i < SECTORS; i++)
		k.ledger->sector[i] = (struct sector){.flushed_zero = true,
						      .newest_is_zero = true};
	return vhd_create(k.disk, &create) == 0 || wrong(vhd_last_message(), 0);
}

static void
clean_up(void)
{
	char command[400];

	(void)snprintf(command, sizeof(command), "rm -r '%s'", k.dir);
	if (system(command) != 0)
		(void)fprintf(stderr, "kill_loop: %s stays\n", k.dir);
}

static void
read_options(int argc, char **argv)
{
	static const struct option options[] = {
		{"kills", required_argument, NULL, 'k'},
		{"seed", required_argument, NULL, 's'},
		{"dir", required_argument, NULL, 'd'},
		{0},
	};
	int o;

	while ((o = getopt_long(argc, argv, "k:s:d:", options, NULL)) != -1) {
		if (o == 'k')
			k.kills = strtoull(optarg, NULL, 0);
		else if (o == 's')
			k.seed = strtoull(optarg, NULL, 0);
		else if (o == 'd')
			k.base = optarg;
		else
			exit(2);
	}
}

int
main(int argc, char **argv)
{
	const char *tmp = getenv("TMPDIR");
	const uint64_t *d;

	k.kills = 300;
	k.seed = 1;
	k.base = tmp && *tmp ? tmp : "/tmp";
	read_options(argc, argv);
	k.random = k.seed * 0x9e3779b97f4a7c15u + 1;
	if (!prepare())
		return 1;
	for (uint64_t n = 1; n <= k.kills; n++)
		if (!one_kill(n) || !finish(n))
			return 1;
	d = k.ledger->done;
	(void)printf("kill_loop: %" PRIu64 " kills; %" PRIu64
		     " writes, %" PRIu64 " zeroes, %" PRIu64
		     " flushes, %" PRIu64 " merges, %" PRIu64
		     " snapshots, %" PRIu64 " compactions, %" PRIu64
		     " merges finished; nothing lost\n",
		     k.kills, d[WRITE], d[ZERO], d[FLUSH], d[MERGE],
		     d[SNAPSHOT], d[COMPACT], d[FINISHED]);
	clean_up();
	return 0;
}
