/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daemon.c - go into the background without losing an error on the way.
 */
#include "daemon.h"

#include "exit.h"
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int to_parent = -1; /* one byte: the exit status */

/* What the child has to say, or that it ended without a word. */
static int
wait_for_outcome(int from_child)
{
	unsigned char status;
	ssize_t got;

	do
		got = read(from_child, &status, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1)
		return status;
	say("it ended unexpectedly while it was starting");
	return EXIT_FAILED;
}

int
daemon_fork(void)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC)) {
		say("cannot make a pipe: %s", strerror(errno));
		return -1;
	}
	child = fork();
	if (child < 0) {
		say("cannot fork: %s", strerror(errno));
		close(ends[0]);
		close(ends[1]);
		return -1;
	}
	if (child > 0) {
		close(ends[1]);
		_exit(wait_for_outcome(ends[0]));
	}
	close(ends[0]);
	to_parent = ends[1];
	return 0;
}

static void
tell_parent(int status)
{
	unsigned char byte = (unsigned char)status;
	ssize_t put;

	do
		put = write(to_parent, &byte, 1);
	while (put < 0 && errno == EINTR);
	close(to_parent);
	to_parent = -1;
}

static void
leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/") != 0)
		say("cannot go to /: %s", strerror(errno));
	say_to_log();
	if (null < 0)
		return;
	for (int fd = 0; fd <= 2; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

void
daemon_ready(void)
{
	if (to_parent < 0)
		return;
	leave_terminal();
	tell_parent(EXIT_DONE);
}

int
daemon_end(int status)
{
	if (to_parent >= 0)
		tell_parent(status);
	return status;
}
