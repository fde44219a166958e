/* SPDX-License-Identifier: BSD-3-Clause */
/* interrupted.c - one command is killed, then another one is started, and
 * killed too or not, and so on; then comes one that nobody kills.
 *
 *	interrupted [--first N] [--rounds N] [--every] [--verbose]
 *	interrupted --seed N [--every] [--verbose]
 *
 * A round tries every two kinds of commands once, on a random tree: the first
 * dies before one of its changes of a file or a name, the second likewise or
 * not at all, now and then a third.  --every: before each change of the first,
 * and for each of these, of the second.  After each command every state that
 * none of them takes away is there and reads what it must.  The last one
 * succeeds, whatever was left before it, and then the tree is what some of the
 * commands make of it, with no other file, and its disks can be written to. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "forest.h"
#include "image/image_peek.h"
#include "io/io_mem.h"
#include "io_fault.h"
#include "worlds.h"

#define KINDS (TASK_RELINK + 1 - TASK_CREATE) /* of commands on snapshots */
#define CHANGES                                                                \
	(FAULT_WRITE | FAULT_FLUSH | FAULT_TRUNCATE | FAULT_PUNCH |            \
	 FAULT_COPY | FAULT_NAMES | FAULT_SYNC_DIR | FAULT_ATTRIBUTES)

static struct {
	uint64_t seed, rounds, trials, kills, errors;
	bool every, verbose;
} t;

struct trial {
	struct forest f; /* the tree, its random numbers and its story */
	struct worlds worlds;
	struct forest believed; /* by who asks for a command */
	struct fs *memory, *fault;
};

/* ---- Commands ---- */

static void
note(struct trial *x, const struct task *task, const char *what)
{
	char text[500];

	task_text(text, sizeof(text), task);
	forest_note(&x->f, "\n    %s%s%.300s", text, what[0] ? ": " : "", what);
}

static int
note_file(const char *name, void *user)
{
	struct trial *x = user;
	char path[FOREST_PATH + 60], parent[MAX_PATH_TEXT] = "";
	struct peek peek;
	struct fs_stat st;

	(void)snprintf(path, sizeof(path), "%s/%.200s", FOREST_DIR, name);
	if (x->memory->ops->stat(&st, x->memory, path) != 0)
		return 0;
	if (image_peek(&peek, x->memory, path, 0) == 0 &&
	    peek.found.footer.type == VHD_TYPE_DIFFERENCING)
		(void)dynhdr_parent_name(parent, sizeof(parent),
					 &peek.found.hdr);
	forest_note(&x->f, "\n\t%.200s (%u)%s%.200s", name,
		    (unsigned)st.id.inode, parent[0] ? " on " : "", parent);
	return 0;
}

static void
note_files(struct trial *x)
{
	(void)x->memory->ops->list(x->memory, FOREST_DIR, note_file, x);
}

static bool
grow(struct trial *x)
{
	for (int i = 0; i < 7; i++) {
		struct task task;

		task_choose_any(&task, &x->f);
		if (task.kind == TASK_REBASE)
			continue; /* its tree is hard to read for a person */
		if (task_run(&x->f, &task))
			continue;
		note(x, &task, "");
		if (task.kind != TASK_WRITE)
			task_apply(&x->f, &task);
	}
	return forest_check(&x->f);
}

/* Something that a person would ask for, who believes the tree to be one of
 * these. */
static void
choose(struct trial *x, struct task *task, enum task_kind kind)
{
	struct worlds *w = &x->worlds;
	struct forest *believed = &w->model[forest_draw(&x->f, w->n)];

	believed->random = x->f.random;
	believed->next_name = x->f.next_name;
	task_choose(task, believed, kind);
	if (kind == TASK_RESIZE) /* what is cut off is nobody's */
		task->number = FOREST_SECTORS;
	x->f.random = believed->random;
	x->f.next_name = believed->next_name;
	forest_end(&x->believed);
	forest_copy(&x->believed, believed);
}

/* Dies at its nth change of these kinds; 0: lives.  False when it came to its
 * end. */
static bool
run(struct trial *x, const struct task *task, uint64_t at, unsigned kinds)
{
	const struct fault death = {.at = at, .kinds = kinds, .sticky = true};
	char text[400] = "";
	bool killed;
	int err;

	fault_arm(x->fault, &death);
	err = task_run(&x->f, task);
	killed = fault_fired(x->fault);
	if (killed)
		(void)snprintf(text, sizeof(text),
			       "killed before change %d, %s", (int)at,
			       fault_hit(x->fault));
	else if (err)
		(void)snprintf(text, sizeof(text), "%s", error_message());
	fault_arm(x->fault, &(struct fault){.at = 0});
	note(x, task, text);
	note_files(x);
	t.kills += killed;
	t.errors += err && !killed;
	worlds_go_on(&x->worlds, task, &x->believed, !err);
	return killed;
}

/* ---- One trial ---- */

static void
must(int err)
{
	if (err) {
		(void)fprintf(stderr, "cannot go on: %s\n", error_message());
		abort();
	}
}

static bool
begin(struct trial *x, uint64_t seed)
{
	*x = (struct trial){0};
	must(mem_fs_new(&x->memory));
	must(fault_fs_new(&x->fault, x->memory));
	if (seed % 5 == 0)
		fault_refuse_links(x->fault);
	forest_begin(&x->f, x->fault, seed);
	x->f.max_depth = 7;
	forest_plant(&x->f);
	if (!grow(x))
		return false;
	worlds_begin(&x->worlds, &x->f);
	return true;
}

static void
end(struct trial *x)
{
	worlds_end(&x->worlds);
	forest_end(&x->believed);
	forest_end(&x->f);
	fault_fs_free(x->fault);
	mem_fs_free(x->memory);
}

static bool
succeeds(struct trial *x, const struct task *task)
{
	int err = task_run(&x->f, task);

	note(x, task, err ? error_message() : "");
	return !err || forest_wrong(&x->f, "what was left is in the way: %s",
				    error_message());
}

/* Whoever takes a snapshot of a disk and deletes it again has settled all that
 * was left of its tree. */
static bool
finish_disk(struct trial *x, const char *path)
{
	struct task task = {.kind = TASK_CREATE, .name = "last"};

	(void)snprintf(task.disk, sizeof(task.disk), "%s", path);
	if (!succeeds(x, &task))
		return false;
	task.kind = TASK_DELETE;
	return succeeds(x, &task);
}

static bool
finish(struct trial *x)
{
	bool ok = true;

	for (size_t i = 0; i < x->worlds.n && ok; i++)
		for (size_t k = 0; k < x->worlds.model[i].n && ok; k++) {
			const struct forest_state *s =
				&x->worlds.model[i].state[k];

			if (worlds_have_disk(&x->worlds, x->memory, s->path))
				ok = finish_disk(x, s->path);
		}
	return ok && worlds_check_end(&x->worlds, &x->f);
}

struct plan {
	uint64_t seed;
	enum task_kind first, second;
	uint64_t at_first, at_second;
	bool killed_first, killed_second; /* out: there were so many changes */
};

static void
tell(const struct trial *x, const struct plan *p)
{
	(void)fprintf(stderr,
		      "interrupted: %s\n  done so far:%s\n"
		      "  rerun: interrupted --seed %" PRIu64 "%s\n",
		      x->f.why, x->f.log, p->seed, t.every ? " --every" : "");
}

static bool
one_command(struct trial *x, bool *ret_killed, enum task_kind kind, uint64_t at)
{
	unsigned kinds = CHANGES;
	struct task task;

	*ret_killed = false;
	if (!t.every && forest_draw(&x->f, 2))
		kinds = FAULT_NAMES | FAULT_SYNC_DIR | FAULT_ATTRIBUTES;
	choose(x, &task, kind);
	if (task.kind == TASK_NONE)
		return true;
	*ret_killed = run(x, &task, at, kinds);
	return worlds_check_between(&x->worlds, &x->f);
}

static bool
play(struct plan *p)
{
	struct trial x;
	bool ok = begin(&x, p->seed), killed;

	t.trials++;
	ok = ok && one_command(&x, &p->killed_first, p->first, p->at_first);
	ok = ok && one_command(&x, &p->killed_second, p->second, p->at_second);
	if (ok && forest_draw(&x.f, 4) == 0)
		ok = one_command(&x, &killed,
				 (enum task_kind)(TASK_CREATE +
						  forest_draw(&x.f, KINDS)),
				 1 + forest_draw(&x.f, 40));
	ok = ok && finish(&x);
	if (!ok || t.verbose)
		tell(&x, p);
	end(&x);
	return ok;
}

/* ---- All of them ---- */

static bool
play_every(struct plan *p)
{
	bool ok = true;

	for (p->at_first = 1; ok; p->at_first++) {
		for (p->at_second = 1; ok; p->at_second++) {
			ok = play(p);
			if (!p->killed_second)
				break;
		}
		if (!p->killed_first)
			break;
	}
	return ok;
}

static bool
play_two(struct plan *p)
{
	static const uint64_t most[] = {8, 20, 50, 120};
	uint64_t draw = p->seed * 0x9e3779b97f4a7c15u;

	if (t.every)
		return play_every(p);
	p->at_first = 1 + (draw >> 20) % most[(draw >> 60) & 3];
	p->at_second = (draw >> 40) % most[(draw >> 62) & 3];
	return play(p);
}

/* Its number says which two kinds it tries. */
static bool
play_seed(uint64_t seed)
{
	struct plan p = {
		.seed = seed,
		.first = (enum task_kind)(TASK_CREATE + seed / KINDS % KINDS),
		.second = (enum task_kind)(TASK_CREATE + seed % KINDS),
	};

	return play_two(&p);
}

static bool
play_round(uint64_t round)
{
	for (uint64_t i = 0; i < KINDS * KINDS; i++)
		if (!play_seed(round * KINDS * KINDS + i))
			return false;
	return true;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", required_argument, NULL, 's'},
		{"rounds", required_argument, NULL, 'r'},
		{"first", required_argument, NULL, 'f'},
		{"every", no_argument, NULL, 'e'},
		{"verbose", no_argument, NULL, 'v'},
		{0},
	};
	uint64_t first = 0;
	bool one = false;
	int o;

	t.rounds = 1;
	while ((o = getopt_long(argc, argv, "s:r:f:ev", options, NULL)) != -1) {
		if (o == 's') {
			t.seed = strtoull(optarg, NULL, 0);
			one = true;
		} else if (o == 'r')
			t.rounds = strtoull(optarg, NULL, 0);
		else if (o == 'f')
			first = strtoull(optarg, NULL, 0);
		else if (o == 'e')
			t.every = true;
		else if (o == 'v')
			t.verbose = true;
		else
			return 2;
	}
	if (one)
		return !play_seed(t.seed);
	for (uint64_t i = 0; i < t.rounds; i++)
		if (!play_round(first + i))
			return 1;
	(void)printf("interrupted: %" PRIu64 " trials, %" PRIu64
		     " commands killed, %" PRIu64
		     " refused, every tree as it may be\n",
		     t.trials, t.kills, t.errors);
	return 0;
}
