/* SPDX-License-Identifier: BSD-3-Clause */
/* kill_at.c - runs a program and kills it, as kill -9 does, before its Nth
 * system call that may change a file or a name.
 *
 *	kill_at N PROGRAM [ARGUMENT]...
 *
 * Exits with 137 if it was killed, with 77 where programs cannot be traced,
 * else as the program did.  So every instant in which a kill makes a
 * difference can be tried, one after the other. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
changes_something(unsigned long long number)
{
	static const long calls[] = {
		SYS_write,           SYS_pwrite64,  SYS_writev,
		SYS_pwritev,         SYS_fsync,     SYS_fdatasync,
		SYS_ftruncate,       SYS_fallocate, SYS_fchmod,
		SYS_fchmodat,        SYS_fchown,    SYS_utimensat,
		SYS_fsetxattr,       SYS_linkat,    SYS_unlinkat,
		SYS_renameat2,       SYS_pwritev2,  SYS_ioctl,
		SYS_copy_file_range,
#ifdef SYS_rename /* newer machines have the *at calls only */
		SYS_rename,          SYS_link,      SYS_unlink,
		SYS_chmod,
#endif
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (number == (unsigned long long)calls[i])
			return true;
	return false;
}

static int
run(char **argv)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
		_exit(77);
	(void)raise(SIGSTOP);
	(void)execvp(argv[0], argv);
	_exit(127);
}

/* To the next stop; false when the program has ended. */
static bool
go_on(pid_t child, int *status, int signal)
{
	if (ptrace(PTRACE_SYSCALL, child, 0, signal) < 0 ||
	    waitpid(child, status, 0) < 0)
		return false;
	return WIFSTOPPED(*status);
}

static bool
enters_change(pid_t child, int status)
{
	struct __ptrace_syscall_info info;

	if (WSTOPSIG(status) != (SIGTRAP | 0x80) ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) < 0)
		return false;
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		return false;
	if (info.entry.nr == SYS_openat)
		return info.entry.args[2] & O_CREAT;
	return changes_something(info.entry.nr);
}

static int
exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
trace(pid_t child, unsigned long n)
{
	unsigned long seen = 0;
	int status, signal = 0;

	if (waitpid(child, &status, 0) < 0)
		return 77;
	if (!WIFSTOPPED(status))
		return exit_status(status);
	if (ptrace(PTRACE_SETOPTIONS, child, 0,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0)
		return 77;
	while (go_on(child, &status, signal)) {
		signal = WSTOPSIG(status) & 0x80 ? 0 : WSTOPSIG(status);
		if (signal == SIGTRAP || signal == SIGSTOP)
			signal = 0;
		if (!enters_change(child, status) || ++seen < n)
			continue;
		(void)kill(child, SIGKILL);
		(void)waitpid(child, &status, 0);
		return 137;
	}
	return exit_status(status);
}

int
main(int argc, char **argv)
{
	pid_t child;

	if (argc < 3)
		return 2;
	child = fork();
	if (child < 0) {
		perror("kill_at");
		return 99;
	}
	if (child == 0)
		return run(argv + 2);
	return trace(child, strtoul(argv[1], NULL, 0));
}
