/* SPDX-License-Identifier: BSD-3-Clause */
/* forest.h - disks with snapshots, and what each of their states must read.
 *
 * A task is what a user, a guest or a job does to a tree.  It is carried out by
 * the library, and by the model, which knows the states alone: which file name
 * each has, and a number for each of its sectors. */
#ifndef VHD_TEST_FOREST_H
#define VHD_TEST_FOREST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/io.h"

#define FOREST_DIR     "/vm"
#define FOREST_SECTORS 96u /* of a disk, at most */
#define FOREST_PATH    200

/* One state.  A sector is what it was when it was last made durable, or what
 * was written since (0: nothing). */
struct forest_state {
	uint32_t id;
	uint32_t parent; /* id; 0: none */
	char path[FOREST_PATH];
	bool live;
	uint32_t sectors;
	uint32_t value[FOREST_SECTORS];
	uint32_t newer[FOREST_SECTORS];
};

enum task_kind {
	TASK_NONE,
	TASK_WRITE,
	TASK_CREATE, /* number: of requests before, if the disk is in use */
	TASK_REVERT, /* other: keep, or "" */
	TASK_DELETE,
	TASK_DELETE_TREE,
	TASK_RENAME, /* other: the new name */
	TASK_CLONE,  /* other: the new path */
	TASK_MERGE,  /* disk: the state to be kept; name: the ancestor's path;
		      * other: a disk on top that is open, or "" */
	TASK_MERGE_AT_PARENT,
	TASK_COMPACT,
	TASK_RESIZE, /* number: sectors */
	TASK_REBASE, /* name: the new parent's path */
	TASK_RELINK,
	TASK_NEW,     /* other: its path; name: its parent's, or number: of
		       * sectors */
	TASK_CONVERT, /* disk: any state; other: the path of the copy */
	TASK_COUNT,
};

struct task {
	enum task_kind kind;
	char disk[FOREST_PATH]; /* path of the live disk */
	char name[FOREST_PATH];
	char other[FOREST_PATH];
	uint32_t number;
};

struct forest {
	struct fs *fs;
	struct forest_state *state;
	size_t n;
	uint32_t next_id, next_value, next_name;
	uint64_t random;
	uint32_t max_depth; /* of chains that tasks make */
	bool guests;        /* write while jobs run on their disk */
	bool cancel;        /* jobs now and then */
	bool copies;        /* tasks make new disks, and copies of them */
	bool layouts;       /* files of the first disk, as others make them */
	bool unfinished; /* a job was cancelled: hidden files are all right */
	char log[6000];  /* what was done, for a person */
	char why[600];   /* what went wrong; "" so far */
};

/* ---- forest.c: states ---- */

void forest_begin(struct forest *f, struct fs *fs, uint64_t seed);
void forest_end(struct forest *f);
void forest_copy(struct forest *ret, const struct forest *f);

uint64_t forest_draw(struct forest *f, uint64_t below);
struct forest_state *forest_at(const struct forest *f, const char *path);
struct forest_state *forest_by_id(const struct forest *f, uint32_t id);
struct forest_state *forest_add(struct forest *f, const char *path,
				const struct forest_state *like);
void forest_remove(struct forest *f, struct forest_state *state);
size_t forest_children(const struct forest *f, uint32_t id);
uint32_t forest_depth(const struct forest *f, const struct forest_state *s);
bool forest_stands_on(const struct forest *f, const struct forest_state *s,
		      uint32_t id);

/* False, and why, unless something went wrong before. */
bool forest_wrong(struct forest *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void forest_note(struct forest *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- guest.c: data ---- */

struct chain;

/* Make the first disk of a forest: by us, or a chain as another product would
 * have made it. */
void forest_plant(struct forest *f);

/* Something random to an open disk, and to its state. */
void guest_act(struct forest *f, struct chain *c, struct forest_state *s);
int guest_flush(struct chain *c, struct forest_state *s);
void guest_settle(struct forest_state *s); /* all of it is durable */

void sector_fill(uint8_t ret[512], uint32_t sector, uint32_t value);
uint32_t sector_value(const uint8_t bytes[512], uint32_t sector);
#define VALUE_ZERO 1u

/* ---- tasks.c ---- */

/* One that can be done now; TASK_NONE when there is none of that kind. */
void task_choose(struct task *ret, struct forest *f, enum task_kind kind);
void task_choose_any(struct task *ret, struct forest *f);
void task_text(char *ret, size_t ret_size, const struct task *t);

/* By the library, on f->fs. */
int task_run(struct forest *f, const struct task *t);

/* By the model. */
void task_apply(struct forest *f, const struct task *t);

/* Are the names that it is about there, and those that it brings not? */
bool task_applies(const struct forest *f, const struct task *t);

/* The name that a file gets when its deletion begins, if it has none of the
 * disk. */
void task_adopted_name(char ret[FOREST_PATH], const char *file);

/* The id of the state that it names; 0 when there is none. */
uint32_t task_target(const struct forest *f, const struct task *t);

/* ---- check.c ---- */

/* Every state reads what it must, and there is no other file. */
bool forest_check(struct forest *f);
bool forest_check_states(struct forest *f); /* the former alone */

/* What was written and not flushed is there or not, and stays so. */
bool forest_adopt(struct forest *f);

/* The task may have been done in part: each state is there as it was before,
 * or as it is afterwards, and only what the task takes away, or brings, may be
 * missing.  Left-overs are all right. */
bool forest_check_between(struct forest *before, const struct forest *after,
			  const struct task *t);

/* The same of a forest that may have become `after`, in part; `after` is what
 * it will be once the task is done. */
bool forest_settle(struct forest *before, struct forest *after,
		   const struct task *t);

/* Likewise, but what was written may still be lost: a process was killed.  It
 * may not have written all. */
bool forest_forget_unwritten(struct forest *f, const struct forest *after);

/* Do an interrupted task again: it must be complete then, and no left-overs
 * may be there. */
bool forest_redo(struct forest *after, const struct task *t);

/* All of that for a task that was stopped or failed.  left_overs: hidden files
 * may stay. */
bool forest_recover(struct forest *before, struct forest *after,
		    const struct task *t, bool left_overs);
#endif
