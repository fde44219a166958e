/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daemon.h - go into the background without losing an error on the way.
 *
 * The process forks before it opens a file, takes a lock or starts a thread,
 * because none of these survive a fork unharmed.  The parent waits for the
 * outcome and ends with it, so that whoever started it sees the sentence and
 * the exit status as if nothing had been forked.
 */
#ifndef VHDFUSE_DAEMON_H
#define VHDFUSE_DAEMON_H

/* Fork; returns in the child only.  0, or -1 when it cannot be done. */
int daemon_fork(void);

/* All is well: let the parent end, leave the terminal, and send messages to
 * the system's log.  Does nothing the second time, or without a fork. */
void daemon_ready(void);

/* This process ends with status; the parent, if it still waits, does too. */
int daemon_end(int status);
#endif
