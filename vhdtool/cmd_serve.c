/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_serve.c - vhdtool serve: nbdkit with our plugin, in one short command.
 *
 * The disk is opened here first, for the same sentence and exit status that
 * every other command has; then this process becomes nbdkit.
 */
#include "cmd.h"
#include "disk.h"
#include "exit.h"
#include "line.h"
#include "memory.h"
#include "say.h"
#include "value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PLUGIN_FILE "nbdkit-vhd-plugin.so"

struct serve_args {
	const char *disk;
	const char *socket;
	const char *snapshot;
	bool read_only;
	bool background;
	struct chain_args chain; /* no raw parent */
	struct words more;
};

#define TO(member) .to = offsetof(struct serve_args, member)

static const struct opt options[] = {
	{.name = "socket",
	 .value = "PATH",
	 .help = "listen on the UNIX socket PATH, not on port 10809 of this "
		 "host",
	 .read = value_text,
	 TO(socket)},
	{.letter = 'r',
	 .name = "read-only",
	 .help = "let clients only read, and others read DISK too",
	 TO(read_only)},
	{.name = "snapshot",
	 .value = "NAME",
	 .help = "serve this snapshot of DISK",
	 .read = value_text,
	 TO(snapshot)},
	{.name = "background",
	 .help = "return as soon as clients can connect",
	 TO(background)},
	{.name = "search",
	 .value = "DIR",
	 .help = "look for parents in DIR too; may be repeated",
	 .read = value_words,
	 TO(chain.search)},
	{0},
};

static const struct operand operands[] = {
	{"DISK", value_text, offsetof(struct serve_args, disk), 0},
	{"NBDKIT-OPTION", value_words, offsetof(struct serve_args, more),
	 OPERAND_OPTIONAL | OPERAND_MANY},
	{0},
};

static const char *const examples[] = {
	"serve --socket /run/vm.sock disk.avhd",
	"Let a QEMU machine use an image and all its parents, as the drive "
	"file=nbd:unix:/run/vm.sock,format=raw.",
	"serve -r --socket /run/vm.sock /vm",
	"Serve every image of a directory, each as an export of its name.",
	"serve -r disk.vhd -- --run 'nbdinfo --map \"$uri\"'",
	"Serve a disk as long as another command runs.",
	NULL,
};

/* ---- The words for nbdkit ---- */

/* Is one of nbdkit's options among the words?  "-p1" and "--port=1" too. */
static bool
has_option(const struct words *words, char letter, const char *name)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];

		if (word[0] == '-' && letter && word[1] == letter)
			return true;
		if (strncmp(word, "--", 2) == 0 &&
		    strncmp(word + 2, name, strlen(name)) == 0)
			return true;
	}
	return false;
}

/* Are there sockets for this process?  The variables may be inherited from one
 * that had its own. */
static bool
is_activated(void)
{
	const char *pid = getenv("LISTEN_PID");

	return getenv("LISTEN_FDS") && pid &&
	       strtoll(pid, NULL, 10) == (long long)getpid();
}

/* Where to listen when nobody said: nbdkit itself would take connections from
 * everywhere. */
static void
add_place(struct line *line, const struct serve_args *args)
{
	const struct words *more = &args->more;

	if (args->socket) {
		line_add_text(line, "-U");
		line_add_text(line, args->socket);
	} else if (has_option(more, 'U', "unix") ||
		   has_option(more, 'p', "port") ||
		   has_option(more, 'i', "ip") ||
		   has_option(more, 's', "single") ||
		   has_option(more, 0, "vsock") || is_activated()) {
		return;
	} else if (has_option(more, 0, "run")) {
		line_add_text(line, "-U");
		line_add_text(line, "-");
	} else {
		line_add_text(line, "-i");
		line_add_text(line, "127.0.0.1");
	}
}

/* ---- The plugin ---- */

/* A file, or the name by which nbdkit looks for one itself. */
static char *
find_plugin(void)
{
	static const char installed[] = VHD_PLUGIN_DIR "/" PLUGIN_FILE;
	const char *given = getenv("VHD_NBDKIT_PLUGIN");
	char *path = given ? must(strdup(given))
			   : line_find_beside("../nbdkit-plugin/" PLUGIN_FILE);

	if (path)
		return path;
	return must(strdup(access(installed, R_OK) == 0 ? installed : "vhd"));
}

/* ---- Run it ---- */

static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int
try_disk(const struct serve_args *args)
{
	AUTO_DISK vhd_t *disk = NULL;
	uint32_t flags = args->read_only ? VHD_OPEN_RDONLY : VHD_OPEN_RDWR;
	int err = disk_open(&disk, args->disk, flags, &args->chain);

	return err ? say_err(err) : EXIT_DONE;
}

/* nbdkit leaves its socket behind, and will not listen on one that exists. */
static void
remove_dead_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct stat st;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path) || lstat(path, &st) < 0 ||
	    !S_ISSOCK(st.st_mode))
		return;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) <
		    0 &&
	    errno == ECONNREFUSED)
		(void)unlink(path);
	(void)close(fd);
}

static void
make_line(struct line *line, const struct serve_args *args)
{
	line_add_text(line, "nbdkit");
	if (!args->background)
		line_add_text(line, "-f");
	if (args->read_only)
		line_add_text(line, "-r");
	add_place(line, args);
	line_add(line, find_plugin());
	line_add_parameter(line, is_directory(args->disk) ? "dir" : "file",
			   args->disk);
	if (args->snapshot)
		line_add_parameter(line, "snapshot", args->snapshot);
	if (args->read_only)
		line_add_text(line, "readonly=true");
	for (size_t i = 0; i < args->chain.search.count; i++)
		line_add_parameter(line, "allow-dir",
				   args->chain.search.items[i]);
	for (size_t i = 0; i < args->more.count; i++)
		line_add_text(line, args->more.items[i]);
}

static int
run(const void *user)
{
	const struct serve_args *args = user;
	AUTO_LINE struct line line = {0};
	int status;

	if (!is_directory(args->disk) && !args->snapshot) {
		status = try_disk(args);
		if (status != EXIT_DONE)
			return status;
	}
	if (args->socket)
		remove_dead_socket(args->socket);
	make_line(&line, args);
	(void)execvp(line.words[0], line.words);
	say("cannot run nbdkit: %s; it is in the package nbdkit",
	    strerror(errno));
	return EXIT_FAILED;
}

const struct command command_serve = {
	.name = "serve",
	.brief = "let other programs use a disk, over NBD",
	.about = "Serve the disk that the guest of DISK sees, or, if DISK is a "
		 "directory, every image in it, by running nbdkit with its "
		 "VHD plugin until a signal ends it. Without a place to "
		 "listen, programs on this host can connect to "
		 "nbd://localhost. What follows -- is for nbdkit: options, "
		 "filters and their parameters.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct serve_args),
	.run = run,
};
