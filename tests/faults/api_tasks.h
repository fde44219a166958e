/* SPDX-License-Identifier: BSD-3-Clause */
/* api_tasks.h - what a program asks of vhd.h, on small files of its own.
 *
 * Tasks take no memory and ask nothing of the system by themselves, other than
 * by functions that sys_calls.c lets alone. */
#ifndef VHD_TEST_API_TASKS_H
#define VHD_TEST_API_TASKS_H
#include <stddef.h>
#include <stdint.h>

#include <vhd.h>

#define WORLD_SECTOR 512u
#define WORLD_DISK   (32u << 10) /* bytes of a disk at first */
#define WORLD_BLOCK  4096u

enum api_task_flags {
	TASK_WRITES = 1 << 0,    /* what the guest reads may change in part */
	TASK_ASKS = 1 << 1,      /* another thread, which fails by itself */
	TASK_OVERLOOKS = 1 << 2, /* what cannot be read, and may be foreign */
};

/* One of the two functions. */
struct api_task {
	const char *name; /* NULL ends a list */
	unsigned flags;   /* enum api_task_flags */
	int (*alone)(void);
	int (*on_disk)(vhd_t *disk);
	const char *disk;
	uint32_t open; /* enum vhd_open_flags */
};

extern const struct api_task disk_tasks[], file_tasks[];

/* The first error; *answer sums up what was told. */
int task_run(const struct api_task *task, uint64_t *answer);

/* The message of the last error that a task has met. */
const char *task_said(void);

/* ---- For the tasks: what they were told, and the first error. */

void mix(const void *bytes, size_t n);
void mix_text(const char *text);
void mix_number(uint64_t number);
int noted(int first, int err);

/* ---- world.c ---- */

/* All files are in this directory, which is there and empty. */
void world_make(const char *dir);

/* The path of a file in it, until some more calls. */
const char *world_path(const char *name);

/* Write n sectors, at most 8, of one value. */
int world_put(vhd_t *disk, uint64_t sector, unsigned n, uint8_t value,
	      uint32_t flags);

int world_check(const char *name, uint32_t flags, const char *undo,
		vhd_finding_fn found);
#endif
