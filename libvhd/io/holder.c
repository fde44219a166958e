/* SPDX-License-Identifier: BSD-3-Clause */
/* holder.c - who has a file open and locked, without locking it.
 *
 * Whether anyone has is asked of the file itself.  Who it is the system does
 * not say for this kind of lock; but it lists, for every descriptor of every
 * process that we may look into, the locks held through it. */
#include "io/holder.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/utf.h"
#include "io/io_lock.h"

struct search {
	const struct stat *st;
	int not_fd;
	struct vhd_holder found;
};

/* One line of fdinfo, such as
 *	lock:	1: OFDLCK  ADVISORY  READ -1 fe:00:10953175 201 201 */
static void
read_lock_line(bool *any, bool *writer, const char *line)
{
	unsigned long first, last;
	char end[24];

	if (strncmp(line, "lock:", 5) != 0 ||
	    sscanf(line, "lock: %*s %*s %*s %*s %*s %*s %lu %23s", &first,
		   end) != 2)
		return;
	last = strcmp(end, "EOF") == 0 ? LOCK_KEPT + LOCK_PERMS
				       : strtoul(end, NULL, 10);
	if (last < LOCK_HELD || first >= LOCK_KEPT + LOCK_PERMS)
		return;
	*any = true;
	if (first <= LOCK_HELD + LOCK_PERM_WRITE &&
	    last >= LOCK_HELD + LOCK_PERM_WRITE)
		*writer = true;
}

/* Does this descriptor hold any of our bytes? */
static void
read_fdinfo(bool *any, bool *writer, long pid, const char *fd)
{
	char path[64], line[256];
	FILE *info;

	*any = *writer = false;
	(void)snprintf(path, sizeof(path), "/proc/%ld/fdinfo/%.16s", pid, fd);
	info = fopen(path, "re");
	if (!info)
		return;
	while (fgets(line, sizeof(line), info))
		read_lock_line(any, writer, line);
	(void)fclose(info);
}

static bool
is_number(const char *name)
{
	return name[0] && name[strspn(name, "0123456789")] == '\0';
}

static void
look_at_fd(struct search *search, long pid, const char *fd)
{
	char path[64];
	struct stat st;
	bool any, writer;

	(void)snprintf(path, sizeof(path), "/proc/%ld/fd/%.16s", pid, fd);
	if (!is_number(fd) || stat(path, &st) < 0 ||
	    st.st_dev != search->st->st_dev || st.st_ino != search->st->st_ino)
		return;
	if (pid == getpid() && strtol(fd, NULL, 10) == search->not_fd)
		return;
	read_fdinfo(&any, &writer, pid, fd);
	if (!any || (search->found.pid && !writer))
		return;
	search->found.pid = pid;
	search->found.writer = writer;
}

static void
look_at_process(struct search *search, long pid)
{
	char path[64];
	struct dirent *entry;
	DIR *fds;

	(void)snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
	fds = opendir(path);
	if (!fds)
		return;
	while (!search->found.writer && (entry = readdir(fds)))
		look_at_fd(search, pid, entry->d_name);
	(void)closedir(fds);
}

/* The program's file name; what the process calls itself where we may not
 * know that. */
static void
read_program(char ret[static 64], long pid)
{
	char path[64], text[4096];
	char *base;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/exe", pid);
	n = readlink(path, text, sizeof(text) - 1);
	if (n < 0) {
		(void)snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
		if (fd >= 0)
			(void)close(fd);
	}
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	base = strstr(text, " (deleted)");
	if (base)
		*base = '\0';
	base = strrchr(text, '/');
	utf8_printable(ret, 64, base ? base + 1 : text);
}

static int64_t
boot_time(void)
{
	char line[256];
	long long seconds = 0;
	FILE *stat = fopen("/proc/stat", "re");

	if (!stat)
		return 0;
	while (!seconds && fgets(line, sizeof(line), stat))
		if (sscanf(line, "btime %lld", &seconds) != 1)
			seconds = 0;
	(void)fclose(stat);
	return seconds;
}

/* The program's name, in parentheses, may hold anything; what follows the
 * last of them are numbers, and the twentieth is the start in clock ticks
 * since boot. */
static int64_t
start_time(long pid)
{
	char path[64], text[1024];
	long hz = sysconf(_SC_CLK_TCK);
	int64_t boot = boot_time();
	long long ticks;
	size_t n;
	FILE *stat;
	char *at;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	stat = fopen(path, "re");
	if (!stat)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, stat);
	(void)fclose(stat);
	text[n] = '\0';
	at = strrchr(text, ')');
	for (int i = 0; at && i < 20; i++)
		at = strchr(at + 1, ' ');
	if (!at || sscanf(at, "%lld", &ticks) != 1 || hz <= 0 || !boot)
		return 0;
	return boot + ticks / hz;
}

void
holder_search(struct vhd_holder *ret, const struct stat *st, int not_fd)
{
	struct search search = {.st = st, .not_fd = not_fd};
	struct dirent *entry;
	DIR *proc = NULL;

	if (!ret->pid)
		proc = opendir("/proc");
	while (proc && !search.found.writer && (entry = readdir(proc)))
		if (is_number(entry->d_name))
			look_at_process(&search,
					strtol(entry->d_name, NULL, 10));
	if (proc)
		(void)closedir(proc);
	if (!ret->pid)
		ret->pid = search.found.pid;
	if (!ret->pid)
		return;
	ret->since = start_time((long)ret->pid);
	read_program(ret->program, (long)ret->pid);
}

void
holder_text(char *ret, size_t ret_size, const struct vhd_holder *holder)
{
	char since[40] = "";
	struct tm tm;
	time_t at = (time_t)holder->since;

	if (!holder->pid) {
		(void)snprintf(ret, ret_size, "a process that we may not see");
		return;
	}
	if (at && gmtime_r(&at, &tm))
		(void)strftime(since, sizeof(since),
			       ", since %Y-%m-%d %H:%M:%S UTC", &tm);
	(void)snprintf(ret, ret_size, "%s (pid %lld%s)",
		       holder->program[0] ? holder->program : "a process",
		       (long long)holder->pid, since);
}

/* Any of our bytes, by whoever uses or keeps away anything. */
static void
ask_file(struct vhd_holder *ret, int fd)
{
	long pid = 0;

	for (int p = 0; p < LOCK_PERMS; p++) {
		if (lock_is_taken(&pid, fd, LOCK_HELD + p)) {
			ret->in_use = true;
			ret->writer |= p == LOCK_PERM_WRITE;
		}
		if (lock_is_taken(&pid, fd, LOCK_KEPT + p))
			ret->in_use = true;
	}
	ret->pid = pid;
}

int
holder_find(struct vhd_holder *ret, const char *path)
{
	struct vhd_holder holder = {.struct_size = ret->struct_size};
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return fail_sys(errno, "%s: cannot open", path);
	if (fstat(fd, &st) < 0) {
		int sys = errno;

		(void)close(fd);
		return fail_sys(sys, "%s: cannot examine", path);
	}
	ask_file(&holder, fd);
	if (holder.in_use)
		holder_search(&holder, &st, fd);
	(void)close(fd);
	*ret = holder;
	return 0;
}
