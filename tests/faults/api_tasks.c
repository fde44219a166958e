/* SPDX-License-Identifier: BSD-3-Clause */
/* api_tasks.c - see api_tasks.h. */
#include "api_tasks.h"

#include <stdio.h>
#include <string.h>

static char said[600];
static uint64_t told;

int
noted(int first, int err)
{
	if (first || !err)
		return first;
	(void)snprintf(said, sizeof(said), "%s", vhd_last_message());
	return err;
}

const char *
task_said(void)
{
	return said;
}

void
mix(const void *bytes, size_t n)
{
	const unsigned char *b = bytes;

	while (n--)
		told = (told ^ *b++) * UINT64_C(0x100000001b3);
}

void
mix_text(const char *text)
{
	if (text)
		mix(text, strlen(text));
}

void
mix_number(uint64_t number)
{
	mix(&number, sizeof(number));
}

static int
on_open_disk(const struct api_task *task)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *disk = NULL;
	int err;

	opts.flags = task->open;
	err = noted(0, vhd_open(&disk, world_path(task->disk), &opts));
	if (err)
		return err;
	err = noted(0, task->on_disk(disk));
	return noted(err, vhd_close(disk));
}

int
task_run(const struct api_task *task, uint64_t *answer)
{
	int err;

	told = 0;
	err = task->alone ? task->alone() : on_open_disk(task);
	*answer = told;
	return err;
}
