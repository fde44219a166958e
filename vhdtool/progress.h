/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress.h - how far a long job has got, on stderr.
 *
 * A bar for people when stderr is a terminal, a line of JSON each second for
 * programs that ask for it, and nothing otherwise.
 */
#ifndef VHDTOOL_PROGRESS_H
#define VHDTOOL_PROGRESS_H
#include <stdbool.h>
#include <stdint.h>
#include <vhd.h>

enum progress_mode {
	PROGRESS_AUTO = 0, /* a bar if stderr is a terminal */
	PROGRESS_BAR,
	PROGRESS_JSON,
	PROGRESS_NONE,
};

struct progress {
	const char *job; /* "merge" */
	char phase[24];  /* a word */
	enum progress_mode mode;
	uint64_t done;       /* bytes */
	uint64_t total;      /* 0: unknown */
	double rate;         /* bytes a second, smoothed */
	int64_t began;       /* milliseconds of the monotonic clock */
	int64_t shown;       /* the same, when last shown */
	uint64_t shown_done; /* what done was then */
	bool visible;        /* a bar stands on the terminal */
	bool waits;          /* it was said that the job waits */
};

void progress_begin(struct progress *progress, const char *job,
		    enum progress_mode mode);

/* A vhd_progress_fn; user is the struct progress.  Stops the job when a
 * signal has asked for it. */
int progress_step(const struct vhd_progress *step, void *user);

/* Take the bar away; another one may follow. */
void progress_hide(struct progress *progress);

/* The same at the end of the job, or print the last line of JSON. */
void progress_end(struct progress *progress);
#endif
