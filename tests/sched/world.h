/* SPDX-License-Identifier: BSD-3-Clause */
/* world.h - a disk under test: its files, what it must read, and everything
 * that happens to it at once.
 *
 *	guests, jobs  ->  chain  ->  io_fault  ->  io_crash
 *
 * A world is made from a seed, or from what a crash left of another. */
#ifndef VHD_SCHED_WORLD_H
#define VHD_SCHED_WORLD_H
#include "chain/chain.h"
#include "co.h"
#include "history.h"
#include "image/mutant.h"
#include "io_crash.h"
#include "io_fault.h"

#define DISK "/disk.vhd"

enum trouble {
	NO_TROUBLE,
	TROUBLE_FLUSH,    /* an fdatasync fails, and pages are lost */
	TROUBLE_NO_SPACE, /* for a while nothing can be written */
	TROUBLE_KILL,     /* the process ends; the system does not */
	TROUBLES,
};

enum deed { DO_WRITE, DO_READ, DO_ZERO, DO_TRIM, DO_FLUSH, DEEDS };

enum work {
	WORK_MERGE,  /* of the leaf */
	WORK_FROZEN, /* of a layer below it */
	WORK_PULL,
	WORK_PUNCH,
	WORK_REPACK,
	WORK_GROW,
	WORK_SNAPSHOT,
	WORK_DELETE, /* of a snapshot */
	WORKS,
};

/* How often what happens: parts of their sum, or one in so many. */
struct taste {
	const char *name;
	uint8_t deeds[DEEDS], works[WORKS], troubles[TROUBLES];
	uint16_t trouble_before; /* this operation of a file */
	uint16_t full_for;       /* operations */
	uint8_t cancel, mixed;   /* jobs; blocks of two sizes */
	uint8_t jobs;            /* at most, one after the other */
	bool slow;               /* they rest after each piece */
};

/* A snapshot: what it reads is what the disk held at one moment between the
 * call and the answer, and is that for ever. */
#define SNAP_PATH 32
struct snap {
	char path[SNAP_PATH];
	uint64_t begin, end; /* UINT64_MAX: not answered */
	bool taken;          /* answered, and well */
	bool may_go;         /* by a job that has begun since */
	bool known;
	uint32_t values[PIECES];
};
#define SNAPS 16

/* What a run may look at, and what it found. */
struct judge {
	const struct taste *taste;
	struct crash_limits limits;
	uint64_t looks;      /* about so many in a world, 0: none */
	bool every_step;     /* one at each operation of a file */
	unsigned nested;     /* one in so many states is worked on with */
	unsigned most_depth; /* of worlds that come from crashes */
	uint64_t worlds, states, recoveries, steps;
	bool failed;
	bool tell; /* everything, as it happens */
	char story[16000];
};

struct world {
	struct judge *judge;
	uint64_t seed;
	unsigned depth;             /* crashes it has survived */
	const struct world *before; /* the last of them, or NULL */
	struct rng rng, look_rng;
	struct fs *crash, *fault;
	struct chain *c;
	struct co_run run;

	/* Constant. */
	uint32_t block, blocks; /* of the leaf: bytes, how many */
	uint32_t spread;        /* pieces of a block that are looked at */
	uint64_t size;

	struct history history;
	uint32_t next_value;
	enum trouble trouble;
	uint64_t trouble_at; /* an operation of a file */
	uint64_t operations;
	unsigned at_work; /* jobs */
	unsigned merging; /* of them; called, and not back */
	bool struck;      /* requests may fail from now on */
	bool killed;
	bool stopped; /* in the middle: there is no way to end it */
	struct snap snaps[SNAPS];
	unsigned nsnaps;
	char why[1500];
};

/* A new tree of files; or what a crash left of another's. */
void world_create(struct world *w, struct judge *judge, uint64_t seed);
void world_recover(struct world *w, const struct world *before,
		   const struct fs *state, uint64_t seed);
/* Not when it was stopped. */
void world_free(struct world *w);

/* Open it, and let guests and jobs work until they are done, and look. */
void world_run(struct world *w);

bool world_open(struct world *w);

/* The first complaint counts. */
void world_wrong(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* For who wants to be told everything. */
void world_note(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- guests.c, jobs.c: what the coroutines do ---- */

void guest_main(void *user);
void job_main(void *user);

/* Which of n, each as often as its weight says. */
uint32_t world_pick(struct world *w, const uint8_t *weights, uint32_t n);

/* ---- tastes.c ---- */

/* NULL: there is none. */
const struct taste *taste_named(const char *name);

/* The worlds in which a mistake is found soonest. */
const struct taste *taste_for(enum mutant m);

/* ---- snaps.c ---- */

/* A place for one more, or NULL. */
struct snap *snap_add(struct world *w);
void snaps_may_go(struct world *w);
/* Are all of them there, and what they were? */
bool snaps_verify(char *why, size_t why_size, struct world *w,
		  const struct fs *fs, const struct history *h);
/* After a crash: those that are there are what counts from now on. */
void snaps_adopt(struct world *w, const struct fs *fs);

static inline uint64_t
piece_offset(const struct world *w, uint32_t piece)
{
	return (uint64_t)(piece / w->spread) * w->block +
	       (uint64_t)(piece % w->spread) * PIECE;
}

static inline uint32_t
world_pieces(const struct world *w)
{
	return w->blocks * w->spread;
}

/* ---- verify.c ---- */

/* What every piece reads as. */
bool verify_values(uint32_t values[static PIECES], char *why, size_t why_size,
		   const struct world *w, struct chain *c);
bool verify_fails(char *why, size_t why_size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Every file of the chain, strictly. */
bool verify_files(char *why, size_t why_size, const struct fs *fs,
		  const struct chain *c, bool at_rest);

/* A look at everything that a crash now may leave. */
void world_look(struct world *w);
#endif
