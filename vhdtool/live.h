/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.h - jobs on a disk that another process serves.
 *
 * A command opens its disk; when that is in use, the process that serves it
 * is asked to do the same job, and nobody at the terminal sees a difference.
 */
#ifndef VHDTOOL_LIVE_H
#define VHDTOOL_LIVE_H
#include "job.h"

#include <jansson.h>
#include <vhd.h>

struct live {
	char *disk;   /* the live disk that is served */
	json_t *info; /* what query-disk tells of it */
};

#define AUTO_LIVE __attribute__((cleanup(live_free)))
void live_free(struct live *live);

/* Opening path, a served disk, failed with err.  Find who serves it:
 * EXIT_DONE, or the status after saying why it failed. */
int live_find(struct live *ret, const char *path, int err);

/* The same for a served disk or one of its layers. */
int live_find_layer(struct live *ret, const char *path, int err);

/* The same for whoever needs no reason: false when nobody answers. */
bool live_look(struct live *ret, const char *path);

/* The path as the server knows it, for arguments of requests; a path without
 * links when there is no such file. */
json_t *live_path(const char *path);

/* Directories of --search, for arguments of requests. */
void live_search(json_t *arguments, const struct words *search);

/* The layers of the served disk, and which of them is the file at a path: the
 * live disk is 0; as many as there are: none. */
size_t live_layers(const struct live *live);
size_t live_layer(const struct live *live, const char *path);

/* Have the job done, with progress, rate and Ctrl-C of args; takes arguments
 * over.  Returns the exit status. */
int live_job(const struct live *live, const char *command, json_t *arguments,
	     const struct job_args *args);

/* Ask for something that is done at once; takes arguments over, and *ret is
 * the answer, unless NULL. */
int live_ask(json_t **ret, const struct live *live, const char *command,
	     json_t *arguments);
#endif
