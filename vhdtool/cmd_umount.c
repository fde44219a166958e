/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_umount.c - vhdtool umount: end what mount began, and only return when
 * the image is closed.
 *
 * Nobody can be told of an error once the mount is gone, so the disk is
 * flushed while it is still there.
 */
#include "cmd.h"
#include "exit.h"
#include "memory.h"
#include "say.h"
#include "value.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vhd.h>

#define READER_WAIT 2000 /* ms; there is nothing it could lose */

extern char **environ;

struct umount_args {
	const char *dir;
};

static const struct opt options[] = {
	{0},
};

static const struct operand operands[] = {
	{"DIR", value_text, offsetof(struct umount_args, dir), 0},
	{0},
};

static const char *const examples[] = {
	"umount /mnt/vm",
	"End the mount at /mnt/vm.",
	NULL,
};

/* The absolute path of a mount point, which itself may refuse to be looked
 * at: its server is gone, or serves another user. */
static char *
resolve(const char *dir)
{
	char *path = realpath(dir, NULL), *copy, *slash, *parent;

	if (path || (errno != ENOTCONN && errno != EACCES))
		return path;
	copy = must(strdup(dir));
	while ((slash = strrchr(copy, '/')) && slash != copy && !slash[1])
		*slash = '\0';
	if (slash)
		*slash = '\0';
	parent = realpath(!slash ? "." : slash == copy ? "/" : copy, NULL);
	if (parent && asprintf(&path, "%s/%s", parent[1] ? parent : "",
			       slash ? slash + 1 : copy) < 0)
		path = must(NULL);
	free(parent);
	free(copy);
	return path;
}

/* In the list of mounts, spaces and the like are "\\040"; getmntent() does not
 * know all that the kernel writes so. */
static void
unescape(char *text)
{
	char *to = text;

	for (; *text != '\0'; text++) {
		unsigned int code;

		if (sscanf(text, "\\%3o", &code) == 1) {
			*to++ = (char)code;
			text += 3;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

/* The image of a line of that list; NULL when it is about another place. */
static char *
image_of(char *line, const char *dir, bool *ret_there)
{
	char *image = strsep(&line, " "), *where = strsep(&line, " ");
	const char *type = strsep(&line, " ");

	*ret_there = false;
	if (!where || !type)
		return NULL;
	unescape(image);
	unescape(where);
	*ret_there = strcmp(where, dir) == 0;
	return *ret_there && strcmp(type, "fuse.vhd") == 0 ? image : NULL;
}

/* The image that is mounted there, or NULL. */
static char *
find_image(const char *dir)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char *line = NULL, *image = NULL;
	size_t room = 0;

	while (mounts && getline(&line, &room, mounts) > 0) {
		bool there;
		const char *mounted = image_of(line, dir, &there);

		if (!there)
			continue;
		free(image); /* mounted over */
		image = mounted ? must(strdup(mounted)) : NULL;
	}
	free(line);
	if (mounts)
		fclose(mounts);
	return image;
}

/* Only an error of the flush itself counts: a mount whose server is gone, or
 * which others may not enter, has nothing that could be flushed by us. */
static int
flush(const char *dir)
{
	AUTO_FREE char *disk = NULL;
	struct stat st;
	int fd, err;

	if (stat(dir, &st) < 0)
		return EXIT_DONE;
	if (asprintf(&disk, "%s%s", dir, S_ISDIR(st.st_mode) ? "/disk" : "") <
	    0)
		disk = must(NULL);
	fd = open(disk, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return EXIT_DONE;
	err = fsync(fd) ? errno : 0;
	close(fd);
	if (!err)
		return EXIT_DONE;
	say("%s: the last writes cannot be stored: %s; try: make room for "
	    "them, or give them up with fusermount3 -u %s",
	    dir, strerror(err), dir);
	return err == ENOSPC ? EXIT_NOSPACE : EXIT_FAILED;
}

/* The server, to wait for; -1 if it cannot be told. */
static int
open_server(bool *ret_writes, const char *image)
{
	struct vhd_holder holder = VHD_HOLDER_INIT;

	if (vhd_get_holder(&holder, image) || !holder.in_use ||
	    holder.pid <= 0 || strcmp(holder.program, "vhdfuse") != 0)
		return -1;
	*ret_writes = holder.writer;
	return pidfd_open((pid_t)holder.pid, 0);
}

static void
wait_for_server(int server, bool writes)
{
	struct pollfd end = {.fd = server, .events = POLLIN};
	int ended;

	if (server < 0)
		return;
	do
		ended = poll(&end, 1, writes ? -1 : READER_WAIT);
	while (ended < 0 && errno == EINTR);
	close(server);
}

static int
detach(char *dir)
{
	char program[] = "fusermount3", option[] = "-u", end[] = "--";
	char *words[] = {program, option, end, dir, NULL};
	int status, err;
	pid_t pid;

	err = posix_spawnp(&pid, program, NULL, NULL, words, environ);
	if (err) {
		say("cannot run %s: %s; it is in the package fuse3", program,
		    strerror(err));
		return EXIT_FAILED;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_FAILED;
	}
	return status == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int
run(const void *user)
{
	const struct umount_args *args = user;
	AUTO_FREE char *dir = resolve(args->dir);
	AUTO_FREE char *image = NULL;
	int server, status;
	bool writes = false;

	if (!dir) {
		say("%s: %s", args->dir, strerror(errno));
		return EXIT_FAILED;
	}
	image = find_image(dir);
	if (!image) {
		say("%s: no disk is mounted there", args->dir);
		return EXIT_FAILED;
	}
	status = flush(dir);
	if (status != EXIT_DONE)
		return status;
	server = open_server(&writes, image);
	status = detach(dir);
	if (status == EXIT_DONE)
		wait_for_server(server, writes);
	else if (server >= 0)
		close(server);
	return status;
}

const struct command command_umount = {
	.name = "umount",
	.brief = "end a mount, and wait until the image is closed",
	.about = "End what mount began. Everything is written to the image "
		 "first; if that fails, the mount stays. When the command is "
		 "done the image can be opened by others.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct umount_args),
	.run = run,
};
