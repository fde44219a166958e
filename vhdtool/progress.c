/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * progress.c - the bar, and the lines for programs.
 */
#include "progress.h"

#include "cmd.h"
#include "say.h"
#include "size.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SHOW_BAR_MS  200
#define SHOW_JSON_MS 1000
#define BAR_DELAY_MS 500 /* shorter jobs need no bar */
#define SMOOTH_MS    3000.0
#define BAR_MIN      10
#define BAR_MAX      40

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* It lasts for the call only, and may come from a server: plain characters
 * that need no escape. */
static void
set_phase(struct progress *p, const char *phase)
{
	size_t n = 0;

	for (; *phase && n < sizeof(p->phase) - 1; phase++)
		if (*phase >= ' ' && *phase <= '~' && *phase != '"' &&
		    *phase != '\\')
			p->phase[n++] = *phase;
	p->phase[n] = '\0';
}

void
progress_begin(struct progress *p, const char *job, enum progress_mode mode)
{
	if (mode == PROGRESS_AUTO)
		mode = isatty(STDERR_FILENO) ? PROGRESS_BAR : PROGRESS_NONE;
	*p = (struct progress){.job = job, .mode = mode, .began = now_ms()};
	set_phase(p, "start");
	p->shown = p->began;
}

/* The rate of late, not since the beginning: what comes is like what was
 * just now. */
static void
update_rate(struct progress *p, int64_t now)
{
	double ms = (double)(now - p->shown);
	double latest, weight;

	if (ms <= 0)
		return;
	latest = (double)(p->done - p->shown_done) * 1000.0 / ms;
	weight = p->shown == p->began ? 1.0 : ms / (ms + SMOOTH_MS);
	p->rate += (latest - p->rate) * weight;
	p->shown = now;
	p->shown_done = p->done;
}

/* Seconds to go; -1: cannot be told. */
static int64_t
eta(const struct progress *p)
{
	double seconds;

	if (p->total < p->done || p->total == 0)
		return -1;
	if (p->total == p->done)
		return 0;
	if (p->rate <= 0.0)
		return -1;
	seconds = (double)(p->total - p->done) / p->rate;
	return seconds < 1e9 ? (int64_t)(seconds + 0.5) : -1;
}

static void
show_json(const struct progress *p)
{
	int64_t left = eta(p);

	fprintf(stderr,
		"{\"event\":\"progress\",\"job\":\"%s\",\"done\":%" PRIu64
		",\"total\":%" PRIu64 ",\"rate\":%" PRIu64 ",\"eta-s\":",
		p->job, p->done, p->total, (uint64_t)p->rate);
	if (left < 0)
		fputs("null", stderr);
	else
		fprintf(stderr, "%" PRId64, left);
	fprintf(stderr, ",\"phase\":\"%s\"}\n", p->phase);
}

static int
terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

static void
print_eta(char *buf, size_t size, int64_t left)
{
	if (left < 0)
		snprintf(buf, size, "ETA -:--");
	else if (left < 3600)
		snprintf(buf, size, "ETA %d:%02d", (int)(left / 60),
			 (int)(left % 60));
	else
		snprintf(buf, size, "ETA %" PRId64 " h %02d min", left / 3600,
			 (int)(left / 60 % 60));
}

/* "[====>     ]  43%", or nothing when there is no room. */
static void
print_gauge(char *buf, size_t size, const struct progress *p, int room)
{
	double part = (double)p->done / (double)p->total;
	int width = room < BAR_MAX ? room : BAR_MAX;
	int filled;

	if (part > 1.0)
		part = 1.0;
	if (width < BAR_MIN) {
		snprintf(buf, size, "%3d%%", (int)(part * 100.0));
		return;
	}
	filled = (int)(part * (double)width);
	snprintf(buf, size, "[%.*s%*s] %3d%%", filled,
		 "========================================", width - filled, "",
		 (int)(part * 100.0));
}

/* "merge: copy [=====     ]  50%  1.4 GiB of 2.8 GiB  210 MiB/s  ETA 0:07" */
static void
show_bar(struct progress *p)
{
	char done[SIZE_TEXT_MAX], total[SIZE_TEXT_MAX], rate[SIZE_TEXT_MAX];
	char time_left[40], left[80], right[160], gauge[64] = "";
	int width = terminal_width();

	snprintf(left, sizeof(left), "%s: %s ", p->job, p->phase);
	size_print(done, p->done);
	size_print(rate, (uint64_t)p->rate);
	print_eta(time_left, sizeof(time_left), eta(p));
	if (p->total != 0) {
		snprintf(right, sizeof(right), "  %s of %s  %s/s  %s", done,
			 size_print(total, p->total), rate, time_left);
		print_gauge(gauge, sizeof(gauge), p,
			    width - 8 - (int)strlen(left) - (int)strlen(right));
	} else {
		snprintf(right, sizeof(right), "  %s  %s/s", done, rate);
	}
	fprintf(stderr, "\r%s%s%s\033[K", left, gauge, right);
	fflush(stderr);
	p->visible = true;
}

static bool
is_due(const struct progress *p, int64_t now)
{
	switch (p->mode) {
	case PROGRESS_BAR:
		return now - p->shown >= SHOW_BAR_MS &&
		       now - p->began >= BAR_DELAY_MS;
	case PROGRESS_JSON:
		return now - p->shown >= SHOW_JSON_MS;
	default:
		return false;
	}
}

void
progress_hide(struct progress *p)
{
	if (p->visible)
		fputs("\r\033[K", stderr);
	p->visible = false;
}

/* Once each time that it comes to wait. */
static void
say_that_it_waits(struct progress *p, const char *why)
{
	if (why && !p->waits) {
		progress_hide(p);
		say("%s is paused and goes on when it can: %s", p->job, why);
	}
	p->waits = why != NULL;
}

static void
say_what_comes_first(struct progress *p, const char *phase)
{
	if (strcmp(phase, "finish") != 0 || strcmp(p->phase, "finish") == 0)
		return;
	progress_hide(p);
	say("note: another merge was interrupted, and is finished first");
}

int
progress_step(const struct vhd_progress *step, void *user)
{
	struct progress *p = user;
	int64_t now = now_ms();

	p->done = step->done;
	p->total = step->total;
	if (step->phase) {
		say_what_comes_first(p, step->phase);
		set_phase(p, step->phase);
	}
	say_that_it_waits(p, step->waits);
	if (is_due(p, now)) {
		update_rate(p, now);
		if (p->mode == PROGRESS_BAR)
			show_bar(p);
		else
			show_json(p);
	}
	return interrupted() ? 1 : 0;
}

void
progress_end(struct progress *p)
{
	if (p->mode == PROGRESS_JSON) {
		update_rate(p, now_ms());
		show_json(p);
	}
	progress_hide(p);
}
