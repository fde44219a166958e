/* SPDX-License-Identifier: BSD-3-Clause */
/* fault_api.c - what vhd.h offers, with every single failure below it.
 *
 *	fault_api [--system] [--every N] [--from N] [--task NAME] [--verbose]
 *
 * Each task is begun again and again on files that are as they were; each time
 * another request for memory fails, or with --system another call of the
 * system, once or from then on.  It must say so, or give the whole answer; each
 * disk reads what it did before or what it must then; the same task once more
 * completes it; and neither memory nor a descriptor is lost.  With --every N
 * one failure in N is tried, from the one that --from tells. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#if VHD_CONTROL
#include <jansson.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_tasks.h"
#include "call_fault.h"
#include "scratch.h"
#include "views.h"

#define HANG_SECONDS 30

static struct {
	bool system, verbose;
	uint64_t every, from, faults, runs, told;
	const char *only;
	struct scratch scratch;
	char doing[400]; /* for whoever asks why it hangs */
} t;

bool
view_wrong(const char *what, const char *about)
{
	(void)fprintf(stderr,
		      "fault_api: %s\n  %s%s\n  it said: %s\n"
		      "  hit first: %s\n",
		      t.doing, what, about, task_said(), call_hit());
	return false;
}

static void
on_alarm(int signal)
{
	static const char text[] = "fault_api: goes on for too long:\n  ";

	(void)signal;
	if (write(2, text, sizeof(text) - 1) > 0 &&
	    write(2, t.doing, strlen(t.doing)) > 0)
		_exit(3);
	_exit(4);
}

/* ---- One failure --------------------------------------------------------- */

static size_t
open_descriptors(void)
{
	DIR *stream = fdopendir(
		openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY));
	size_t n = 0;

	while (stream && readdir(stream))
		n++;
	if (stream)
		(void)closedir(stream);
	return n;
}

/* What a call of the system that failed is called. */
static int
code_of(const struct call_fault *f)
{
	return f->sys == ENOMEM   ? VHD_E_NOMEM
	       : f->sys == ENOSPC ? VHD_E_NOSPACE
				  : VHD_E_IO;
}

static bool
is_harmless(const struct call_fault *f)
{
	return f->sys == EINTR || f->sys == CALL_BRIEF;
}

static bool
check_error(const struct api_task *task, const struct call_fault *f, int err)
{
	if (err && is_harmless(f))
		return view_wrong("it did not go on, but ended with ",
				  vhd_err_name(err));
	if (err && err != code_of(f) && !(task->flags & TASK_ASKS))
		return view_wrong("it should not have ended with ",
				  vhd_err_name(err));
	return true;
}

static bool
check_files(const struct api_task *task, int err)
{
	const char *other;
	uint64_t any = 0;

	view_look(&now);
	if (!view_check_between(task->flags & TASK_WRITES))
		return false;
	other = view_difference();
	if (!other)
		return true;
	if (!err)
		return view_wrong("it said that all is done, but not: ", other);
	err = task_run(task, &any);
	if (err)
		return view_wrong("once more it ends with ", vhd_err_name(err));
	view_look(&now);
	other = view_difference();
	return !other ||
	       view_wrong("is not as it should be in the end: ", other);
}

static bool
run_once(const struct api_task *task, const struct call_fault *f,
	 uint64_t answer)
{
	size_t descriptors;
	int64_t memory;
	uint64_t got = 0;
	bool fired;
	int err;

	ignore_left_overs = false;
	view_put_back();
	descriptors = open_descriptors();
	memory = alloc_live();
	(void)alarm(HANG_SECONDS);
	call_arm(f);
	err = task_run(task, &got);
	call_disarm();
	fired = call_fired();
	ignore_left_overs = f->kinds & CALL_NAMES &&
			    (f->sticky || !strcmp(call_hit(), "unlink"));
	t.runs++;
	t.faults += fired;
	t.told += err != 0;
	if (alloc_live() != memory)
		return view_wrong("memory was lost", "");
	if (open_descriptors() != descriptors)
		return view_wrong("a descriptor was lost", "");
	if (!err && got != answer &&
	    !(t.system && task->flags & TASK_OVERLOOKS))
		return view_wrong("the answer was not whole", "");
	return check_error(task, f, err) && check_files(task, err);
}

/* ---- All of them --------------------------------------------------------- */

static bool
each_in_turn(const struct api_task *task, struct call_fault f, uint64_t answer)
{
	f.at = 1 + t.from % t.every;
	do {
		(void)snprintf(t.doing, sizeof(t.doing),
			       "%s: failure %" PRIu64 " of kinds %#x, %s%s",
			       task->name, f.at, f.kinds,
			       f.sys == CALL_BRIEF ? "half of it"
						   : strerrorname_np(f.sys),
			       f.sticky ? ", and all after it" : "");
		if (!run_once(task, &f, answer))
			return false;
		f.at += t.every;
	} while (call_fired());
	return true;
}

static const struct call_fault memory_faults[] = {
	{.kinds = CALL_MEMORY, .sys = ENOMEM},
	{.kinds = CALL_MEMORY, .sys = ENOMEM, .sticky = true},
	{0},
};

#define CALL_MOVE (CALL_READ | CALL_WRITE)
#define CALL_SYSTEM                                                            \
	(CALL_MOVE | CALL_FLUSH | CALL_SPACE | CALL_OPEN | CALL_LOOK |         \
	 CALL_NAMES)

static const struct call_fault system_faults[] = {
	{.kinds = CALL_SYSTEM, .sys = EIO},
	{.kinds = CALL_SYSTEM, .sys = EIO, .sticky = true},
	{.kinds = CALL_FLUSH, .sys = EIO, .sticky = true},
	{.kinds = CALL_WRITE | CALL_SPACE, .sys = ENOSPC},
	{.kinds = CALL_WRITE | CALL_SPACE, .sys = ENOSPC, .sticky = true},
	{.kinds = CALL_MOVE | CALL_FLUSH | CALL_SPACE, .sys = EINTR},
	{.kinds = CALL_MOVE, .sys = CALL_BRIEF},
	{.kinds = CALL_MOVE, .sys = CALL_BRIEF, .sticky = true},
	{0},
};

static bool
try_task(const struct api_task *task)
{
	const struct call_fault *f = t.system ? system_faults : memory_faults;
	uint64_t answer = 0;

	if (t.verbose)
		(void)fprintf(stderr, "%s\n", task->name);
	(void)snprintf(t.doing, sizeof(t.doing), "%s, without a failure",
		       task->name);
	view_put_back();
	(void)alarm(HANG_SECONDS);
	if (task_run(task, &answer))
		return view_wrong("it does not work", "");
	view_look(&after);
	for (; f->kinds; f++)
		if (!each_in_turn(task, *f, answer))
			return false;
	return true;
}

static bool
try_all(void)
{
	static const struct api_task *const lists[] = {disk_tasks, file_tasks};
	bool ok = true;

#if VHD_CONTROL
	json_set_alloc_funcs(malloc, free);
#endif
	(void)signal(SIGALRM, on_alarm);
	scratch_make(&t.scratch);
	world_make(t.scratch.dir);
	view_keep();
	for (size_t l = 0; l < sizeof(lists) / sizeof(*lists); l++)
		for (const struct api_task *a = lists[l]; a->name; a++)
			if (!t.only || !strcmp(t.only, a->name))
				ok &= try_task(a);
	scratch_remove(&t.scratch);
	view_forget();
	return ok;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{"system", no_argument, NULL, 's'},
		{"every", required_argument, NULL, 'e'},
		{"from", required_argument, NULL, 'f'},
		{"task", required_argument, NULL, 't'},
		{"verbose", no_argument, NULL, 'v'},
		{0},
	};
	int o;

	t.every = 1;
	while ((o = getopt_long(argc, argv, "se:f:t:v", options, NULL)) != -1) {
		if (o == 's')
			t.system = true;
		else if (o == 'e')
			t.every = strtoull(optarg, NULL, 0);
		else if (o == 'f')
			t.from = strtoull(optarg, NULL, 0);
		else if (o == 't')
			t.only = optarg;
		else if (o == 'v')
			t.verbose = true;
		else
			return 2;
	}
	if (!t.every || !try_all())
		return 1;
	(void)printf("fault_api: %" PRIu64 " failures in %" PRIu64
		     " runs, of which %" PRIu64 " were told; nothing lost\n",
		     t.faults, t.runs, t.told);
	return 0;
}
