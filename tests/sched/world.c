/* SPDX-License-Identifier: BSD-3-Clause */
/* world.c - a disk under test, from its creation, or from what a crash left,
 * to its end. */
#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/jobs.h"
#include "locks.h"

void
world_wrong(struct world *w, const char *fmt, ...)
{
	va_list args;

	w->judge->failed = true;
	if (w->why[0])
		return;
	va_start(args, fmt);
	(void)vsnprintf(w->why, sizeof(w->why), fmt, args);
	va_end(args);
}

void
world_note(struct world *w, const char *fmt, ...)
{
	va_list args;

	if (!w->judge->tell)
		return;
	va_start(args, fmt);
	(void)fprintf(stderr, "%*s%" PRIu64 " %s ", (int)w->depth * 8, "",
		      w->run.step, co_name());
	(void)vfprintf(stderr, fmt, args);
	(void)fprintf(stderr, "\n");
	va_end(args);
}

static uint32_t
draw(struct world *w, uint64_t n)
{
	return (uint32_t)rng_below(&w->rng, n);
}

uint32_t
world_pick(struct world *w, const uint8_t *weights, uint32_t n)
{
	uint32_t sum = 0, i = 0, at;

	for (uint32_t k = 0; k < n; k++)
		sum += weights[k];
	for (at = draw(w, sum); at >= weights[i]; i++)
		at -= weights[i];
	return i;
}

static void
must(int err)
{
	if (err) {
		(void)fprintf(stderr, "cannot go on: %s\n", error_message());
		abort();
	}
}

/* ---- Trouble ---- */

#define DEAD (&(struct fault){.at = 1, .sticky = true})
#define FULL                                                                   \
	(&(struct fault){.at = 1,                                              \
			 .kinds = FAULT_WRITE,                                 \
			 .what = FAULT_ENOSPC,                                 \
			 .sticky = true})

static void
make_trouble(struct world *w)
{
	switch (w->trouble) {
	case TROUBLE_FLUSH:
		crash_fail_flush(w->crash, w->seed | 1);
		break;
	case TROUBLE_NO_SPACE:
		fault_arm(w->fault, FULL);
		break;
	case TROUBLE_KILL:
		fault_arm(w->fault, DEAD);
		w->killed = true;
		break;
	case NO_TROUBLE:
	case TROUBLES:
		return;
	}
	w->struck = true;
	world_note(w, "trouble %d", (int)w->trouble);
}

/* Before each operation of a file. */
static void
before_operation(struct fs *fs, enum fault_kind kind, const char *name,
		 void *user)
{
	static const char *const names[] = {
		"reads file",  "writes file", "flushes file", "asks size",
		"cuts file",   "punches",     "copies",       "locks file",
		"closes file", "opens file",  "looks at dir", "renames",
		"flushes dir", "attributes",
	};
	struct world *w = user;
	unsigned n = 0;

	(void)fs;
	if (!co_self())
		return;
	while (kind >> (n + 1))
		n++;
	w->operations++;
	world_note(w, "%s %s", names[n], name);
	if (w->trouble && w->operations == w->trouble_at)
		make_trouble(w);
	if (w->trouble == TROUBLE_NO_SPACE &&
	    w->operations == w->trouble_at + w->judge->taste->full_for)
		fault_arm(w->fault, &(struct fault){.at = 0});
	/* Before a flush there is most to be lost. */
	if (w->judge->every_step ||
	    rng_below(&w->look_rng, kind == FAULT_FLUSH ? 60 : 800) <
		    w->judge->looks)
		w->run.look_at = w->run.step;
	co_point(names[n], NULL);
}

/* A flush takes its time: what is written meanwhile is not covered. */
static void
during_flush(struct fs *fs, void *user)
{
	(void)fs;
	(void)user;
	co_point("is flushing", NULL);
}

static bool
look_now(void *user)
{
	struct world *w = user;

	w->run.look_at = UINT64_MAX;
	world_look(w);
	return !w->judge->failed;
}

/* ---- Files ---- */

static void
begin(struct world *w, struct judge *judge, uint64_t seed)
{
	*w = (struct world){.judge = judge, .seed = seed};
	rng_seed(&w->rng, seed);
	rng_seed(&w->look_rng, ~seed);
	judge->worlds++;
}

static void
begin_files(struct world *w)
{
	must(fault_fs_new(&w->fault, w->crash));
	fault_set_hook(w->fault, before_operation, w);
	crash_set_hook(w->crash, during_flush, w);
}

bool
world_open(struct world *w)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR, .max_depth = 32};
	int err = chain_open(&w->c, w->fault, DISK, &opts);

	if (err)
		world_wrong(w, "the disk cannot be opened: %s",
			    error_message());
	return !err;
}

/* Sectors of a layer, here and there; sometimes a whole block. */
static void
fill_layer(struct world *w, const char *path)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct chain *c;

	must(chain_open(&c, w->fault, path, &opts));
	for (uint32_t n = draw(w, 2 * w->blocks + 1); n; n--) {
		uint32_t first = draw(w, w->blocks) * w->spread, k = w->spread;
		uint8_t bytes[PIECES * PIECE];

		if (draw(w, 3)) {
			first += draw(w, w->spread / 2) * 2;
			k = 2;
		}
		for (uint32_t i = 0; i < k; i++) {
			piece_fill(bytes + i * PIECE, first + i,
				   w->next_value + 1);
			history_set(&w->history, first + i, w->next_value + 1);
		}
		w->next_value++;
		must(chain_pwrite(c, bytes, k * PIECE, piece_offset(w, first),
				  0));
	}
	must(chain_close(c));
}

static void
create_layers(struct world *w)
{
	static const uint32_t sizes[] = {4096, 4096,  4096,
					 8192, 65536, 2u << 20};
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;
	const struct taste *taste = w->judge->taste;
	uint32_t layers = 2 + draw(w, 3);
	uint32_t first = sizes[draw(w, 6)];
	bool mixed = draw(w, taste->mixed) == 0;
	char parent[32] = "";

	w->block = mixed ? sizes[draw(w, 6)] : first;
	w->blocks = 2 + draw(w, 4);
	w->spread = w->block == 4096 ? 16 : 8;
	w->size = (uint64_t)w->block * w->blocks;
	for (uint32_t i = 0; i < world_pieces(w); i++)
		history_set(&w->history, i, 0);
	opts.virtual_size = w->size;
	for (uint32_t i = 0; i < layers; i++) {
		char path[32] = DISK;

		if (i + 1 < layers)
			(void)snprintf(path, sizeof(path), "/layer-%u.vhd", i);
		opts.type = i            ? VHD_TYPE_DIFFERENCING
			    : draw(w, 4) ? VHD_TYPE_DYNAMIC
					 : VHD_TYPE_FIXED;
		opts.block_size = i + 1 == layers ? w->block : first;
		if (opts.type == VHD_TYPE_FIXED)
			opts.block_size = 0;
		opts.parent = i ? parent : NULL;
		must(job_create(w->fault, path, &opts));
		world_note(w, "%s: type %d, blocks of %u", path, (int)opts.type,
			   opts.block_size);
		fill_layer(w, path);
		memcpy(parent, path, sizeof(parent));
	}
}

static void
choose_trouble(struct world *w)
{
	const struct taste *taste = w->judge->taste;

	w->trouble = (enum trouble)world_pick(w, taste->troubles, TROUBLES);
	w->trouble_at = 1 + draw(w, taste->trouble_before);
}

void
world_create(struct world *w, struct judge *judge, uint64_t seed)
{
	begin(w, judge, seed);
	co_start_clock(seed);
	must(crash_fs_new(&w->crash));
	must(fault_fs_new(&w->fault, w->crash));
	create_layers(w);
	fault_fs_free(w->fault);
	begin_files(w);
	choose_trouble(w);
}

void
world_recover(struct world *w, const struct world *before,
	      const struct fs *state, uint64_t seed)
{
	begin(w, before->judge, seed);
	w->depth = before->depth + 1;
	w->before = before;
	w->block = before->block;
	w->blocks = before->blocks;
	w->spread = before->spread;
	w->size = before->size;
	w->next_value = before->next_value;
	memcpy(w->snaps, before->snaps, sizeof(w->snaps));
	w->nsnaps = before->nsnaps;
	must(crash_fs_from(&w->crash, state));
	begin_files(w);
	choose_trouble(w);
}

void
world_free(struct world *w)
{
	crash_set_hook(w->crash, NULL, NULL);
	fault_fs_free(w->fault);
	crash_fs_free(w->crash);
	history_free(&w->history);
}

/* ---- The run ---- */

/* What is read now is what must be read from now on; is it what `before`
 * allows? */
static void
adopt(struct world *w, const struct history *before)
{
	uint32_t values[PIECES];
	char text[600];

	if (!verify_values(values, w->why, sizeof(w->why), w, w->c)) {
		w->judge->failed = true;
		return;
	}
	for (uint32_t i = 0; i < world_pieces(w); i++) {
		if (!history_survives(before, i, values[i])) {
			history_text(text, sizeof(text), before, i);
			world_wrong(w, "reads %u after a crash\n%s", values[i],
				    text);
		}
		history_set(&w->history, i, values[i]);
	}
	if (snaps_verify(text, sizeof(text), w, w->fault, before))
		snaps_adopt(w, w->fault);
	else
		world_wrong(w, "after a crash: %s", text);
}

static void
spawn(struct world *w)
{
	static const char *const names[] = {"guest 1", "guest 2", "guest 3"};
	uint32_t guests = (w->depth ? 0 : 1) + draw(w, 3);

	for (uint32_t i = 0; i < guests; i++)
		co_spawn(&w->run, names[i], guest_main, w);
	w->at_work = 1;
	co_spawn(&w->run, "job", job_main, w);
	if (draw(w, 4) == 0) {
		w->at_work++;
		co_spawn(&w->run, "other job", job_main, w);
	}
}

static void
work(struct world *w)
{
	static const char *const ends[] = {"", "a deadlock", "no end", ""};
	enum co_end end;

	co_begin(&w->run, w->seed);
	w->run.look = look_now;
	w->run.look_at = UINT64_MAX;
	w->run.user = w;
	spawn(w);
	end = co_run(&w->run);
	w->judge->steps += w->run.step;
	if (ends[end][0])
		world_wrong(w, "%s", ends[end]);
	w->stopped = end != CO_DONE;
	crash_fail_flush(w->crash, 0);
}

/* Nothing is under way: every piece reads as the newest value. */
static void
read_all(struct world *w, struct chain *c, const char *when)
{
	uint64_t now = history_now(&w->history);
	uint32_t values[PIECES];
	char text[600];

	if (!verify_values(values, text, sizeof(text), w, c)) {
		world_wrong(w, "%s: %s", when, text);
		return;
	}
	for (uint32_t i = 0; i < world_pieces(w); i++)
		if (!history_allows(&w->history, i, values[i], now, now)) {
			history_text(text, sizeof(text), &w->history, i);
			world_wrong(w, "%s: reads %u\n%s", when, values[i],
				    text);
		}
}

/* What the library gave up: only what it answered for must be there. */
static void
read_survivors(struct world *w)
{
	struct history before = w->history;

	w->history = (struct history){.clock = before.clock,
				      .flushed = before.clock};
	if (world_open(w)) {
		adopt(w, &before);
		(void)chain_close(TAKE(w->c));
	}
	history_free(&before);
}

static void
read_again(struct world *w)
{
	struct chain_opts opts = {.max_depth = 32};
	struct chain *c;
	char why[400];

	if (chain_open(&c, w->fault, DISK, &opts)) {
		world_wrong(w, "cannot be opened again: %s", error_message());
		return;
	}
	read_all(w, c, "opened again");
	if (!verify_files(why, sizeof(why), w->fault, c,
			  !w->struck && !w->depth) ||
	    !snaps_verify(why, sizeof(why), w, w->fault, &w->history))
		world_wrong(w, "%s", why);
	(void)chain_close(c);
}

/* The process is gone; what it wrote can be read, but need not be durable. */
static void
after_kill(struct world *w)
{
	struct history before = w->history;

	(void)chain_close(TAKE(w->c));
	fault_arm(w->fault, &(struct fault){.at = 0});
	w->history = (struct history){.clock = before.clock,
				      .flushed = before.clock};
	w->trouble = NO_TROUBLE;
	w->killed = false;
	w->struck = false;
	w->depth++;
	w->seed = ~w->seed;
	if (world_open(w))
		adopt(w, &before);
	history_free(&before);
}

/* Guests and jobs, until the end or until the process is killed. */
static void
session(struct world *w)
{
	work(w);
	if (!w->stopped && w->killed && !w->judge->failed) {
		after_kill(w);
		if (!w->judge->failed)
			work(w);
	}
}

static void
finish(struct world *w)
{
	bool lost = crash_flush_failed(w->crash), failed;

	if (w->trouble == TROUBLE_NO_SPACE)
		fault_arm(w->fault, &(struct fault){.at = 0});
	if (!lost)
		read_all(w, w->c, "at the end");
	if (w->judge->looks)
		world_look(w);
	failed = chain_close(TAKE(w->c)) != 0;
	if (failed && !w->struck)
		world_wrong(w, "closing: %s", error_message());
	else if (lost && w->judge->looks)
		world_look(w);
	else if (!lost && failed)
		read_survivors(w);
	else if (!lost)
		read_again(w);
}

static void
tell(struct world *w)
{
	struct judge *judge = w->judge;
	size_t used = strlen(judge->story);
	char trace[8000];

	co_text(trace, sizeof(trace), &w->run);
	(void)snprintf(judge->story + used, sizeof(judge->story) - used,
		       "%s\nseed %" PRIu64 ", %u crashes before, %" PRIu64
		       " steps; the last:\n%s",
		       w->why, w->seed, w->depth, w->run.step, trace);
}

void
world_run(struct world *w)
{
	if (world_open(w)) {
		if (w->before)
			adopt(w, &w->before->history);
		if (!w->judge->failed)
			session(w);
		if (!w->judge->failed)
			finish(w);
	}
	if (w->judge->failed)
		tell(w);
	w->stopped |= w->c != NULL;
}
