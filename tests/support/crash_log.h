/* SPDX-License-Identifier: BSD-3-Clause */
/* crash_log.h - what of a recorded file system is durable, and what is
 * pending.
 *
 * Everything pending carries the number of the operation that made it, so
 * that states "up to here" can be told.  Test code: out of memory aborts. */
#ifndef VHD_TEST_CRASH_LOG_H
#define VHD_TEST_CRASH_LOG_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "io_crash.h"

#define CRASH_SECTOR 512u

/* One thing a sector held. */
struct crash_version {
	uint64_t when;
	/* Of the file's sizes, which it goes with: a shrink takes what was
	 * written before, and what is written after comes only with it. */
	uint32_t first_size, last_size;
	uint64_t hash; /* with its place; 0 when zero */
	bool zero;
	uint8_t bytes[]; /* none when zero */
};

struct crash_sector {
	uint64_t number;
	struct crash_version **versions; /* in time */
	uint32_t n, room;
};

struct crash_size {
	uint64_t when;
	uint64_t size;
};

/* A sector whose durable content is not that of a flush which began before
 * `when`: it was written durably by itself, or, with UINT64_MAX, was lost in
 * a flush that failed, though readers still see it. */
struct crash_kept {
	uint64_t number;
	uint64_t when;
};

struct crash_file {
	uint64_t inode; /* in the live file system */
	struct mem_data *durable;
	struct crash_sector *sectors; /* by number */
	size_t nsectors, sectors_room;
	/* The first is the durable one. */
	struct crash_size *sizes;
	uint32_t nsizes, sizes_room;
	struct crash_kept *kept;
	size_t nkept, kept_room;
	uint64_t flushed; /* when the newest flush that is done began */
	struct crash_file *next;
};

struct crash_name {
	char *path;
	struct crash_file *file;
};

/* An atomic change of at most two names; file NULL: the name goes. */
struct crash_name_op {
	uint64_t when;
	struct crash_name set[2];
	int n;
};

struct crash_log {
	uint64_t now;
	struct crash_file *files;
	struct crash_name *names; /* durable */
	size_t nnames, names_room;
	struct crash_name_op *ops; /* pending, in time */
	size_t nops, ops_room;
};

struct crash_fs {
	struct fs fs; /* first: a struct fs * is a struct crash_fs * */
	struct fs *live;
	pthread_mutex_t lock; /* around all that follows */
	struct crash_log log;
	crash_hook hook;
	void *hook_user;
	uint64_t flushes;
	bool fail_next;      /* the next flush of a file */
	uint64_t fail_state; /* what chance makes of it */
	bool failed;
};

static inline struct crash_fs *
crash_fs_of(const struct fs *fs)
{
	return (struct crash_fs *)(uintptr_t)fs;
}

/* Of a sector at its place; 0 when it is all zeros. */
uint64_t crash_sector_hash(const uint8_t bytes[CRASH_SECTOR], uint64_t number);

/* Room for one more in a list; aborts when out of memory. */
void *crash_room(void *list, size_t n, size_t room, size_t element);
#define CRASH_GROW(list, n, room)                                              \
	do {                                                                   \
		if ((n) == (room)) {                                           \
			(list) = crash_room(list, n, room, sizeof(*(list)));   \
			(room) = (room) ? (room)*2 : 8;                        \
		}                                                              \
	} while (0)

void crash_log_free(struct crash_log *log);

/* The file of a live inode; made, empty and durable, when it is new. */
struct crash_file *crash_log_file(struct crash_log *log, uint64_t inode);

/* The live content changed in this range, by one operation. */
void crash_log_write(struct crash_log *log, struct crash_file *file,
		     const struct mem_data *live, uint64_t offset,
		     uint64_t length);
void crash_log_resize(struct crash_log *log, struct crash_file *file,
		      const struct mem_data *live, uint64_t old_size);

/* Everything, or one range only, is durable as it was when log->now was mark;
 * content is what the file held then. */
void crash_log_flush(struct crash_file *file, struct mem_data *content,
		     uint64_t mark);
void crash_log_flush_range(struct crash_file *file,
			   const struct mem_data *content, uint64_t mark,
			   uint64_t offset, uint64_t length);

/* crash_names.c */
void crash_names_free(struct crash_log *log);
void crash_log_name(struct crash_log *log, const char *path,
		    struct crash_file *file);
void crash_log_names(struct crash_log *log, const char *a,
		     struct crash_file *a_file, const char *b,
		     struct crash_file *b_file);
void crash_log_sync_dir(struct crash_log *log, const char *path, uint64_t mark);

/* Apply one change to a list of names that has room for two more.  The paths
 * stay the change's own. */
size_t crash_name_apply(struct crash_name *names, size_t n,
			const struct crash_name_op *op);

/* A flush failed: of each sector that it was to keep, some version is durable
 * now, and the others never will be.  draw says which. */
void crash_log_lose(struct crash_file *file, uint64_t mark,
		    uint64_t (*draw)(uint64_t *state, uint64_t below),
		    uint64_t *state);

bool crash_log_pending(const struct crash_log *log);

/* crash_io.c: a recording store over live, which it takes over. */
struct io *crash_io_new(struct crash_fs *fs, struct io *live, const char *path);

/* What a flush covers, content and moment: what completed before it was
 * called.  Then the test may look, and write more, which the flush does not
 * cover.  Returns with the file system locked.  io NULL: a directory. */
uint64_t crash_begin_flush(struct mem_data **ret, struct crash_fs *fs,
			   struct io *io);
#endif
