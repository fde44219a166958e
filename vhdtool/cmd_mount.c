/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd_mount.c - vhdtool mount: vhdfuse in one short command.
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
#include <unistd.h>

struct mount_args {
	const char *disk;
	const char *dir;
	const char *options;
	bool read_only;
	bool foreground;
	struct chain_args chain;
};

#define TO(member) .to = offsetof(struct mount_args, member)

static const struct opt options[] = {
	{.letter = 'r',
	 .name = "read-only",
	 .help = "let nobody write, and others read DISK too",
	 TO(read_only)},
	{.letter = 'o',
	 .name = "options",
	 .value = "LIST",
	 .help = "mount options, such as allow_other,cache=on; see vhdfuse(1)",
	 .read = value_text,
	 TO(options)},
	{.name = "foreground",
	 .help = "do not go into the background",
	 TO(foreground)},
	OPT_CHAIN(struct mount_args, chain),
	{0},
};

static const struct operand operands[] = {
	{"DISK", value_text, offsetof(struct mount_args, disk), 0},
	{"DIR", value_text, offsetof(struct mount_args, dir), 0},
	{0},
};

static const char *const examples[] = {
	"mount -r disk.avhd /mnt/vm",
	"Look into a disk: /mnt/vm/disk is all of it, /mnt/vm/p1 its first "
	"partition, and the snapshots are in /mnt/vm/snapshots.",
	"mount disk.vhd disk.img",
	"Let the regular file disk.img, which may be empty, be the disk.",
	NULL,
};

/* A value inside of a list of options, in which commas part them. */
static char *
escape(const char *key, const char *value)
{
	size_t length = strlen(key) + 1;
	char *text = must(malloc(length + 2 * strlen(value) + 1)), *to;

	memcpy(text, key, length - 1);
	text[length - 1] = '=';
	to = text + length;
	for (; *value != '\0'; value++) {
		if (*value == ',' || *value == '\\')
			*to++ = '\\';
		*to++ = *value;
	}
	*to = '\0';
	return text;
}

static void
add_option(struct line *line, const char *option)
{
	line_add_text(line, "-o");
	line_add_text(line, option);
}

static char *
find_program(void)
{
	const char *given = getenv("VHD_FUSE");
	char *path = given ? must(strdup(given)) : line_find_beside("vhdfuse");

	if (!path)
		path = line_find_beside("../fuse/vhdfuse");
	return path ? path : must(strdup("vhdfuse"));
}

static void
make_line(struct line *line, const struct mount_args *args)
{
	line_add(line, find_program());
	if (args->foreground)
		line_add_text(line, "-f");
	if (args->read_only)
		add_option(line, "ro");
	if (args->chain.raw_parent)
		add_option(line, "raw-parent");
	for (size_t i = 0; i < args->chain.search.count; i++) {
		line_add_text(line, "-o");
		line_add(line,
			 escape("allow-dir", args->chain.search.items[i]));
	}
	if (args->options)
		add_option(line, args->options);
	line_add_text(line, "--");
	line_add_text(line, args->disk);
	line_add_text(line, args->dir);
}

static int
run(const void *user)
{
	const struct mount_args *args = user;
	AUTO_LINE struct line line = {0};

	make_line(&line, args);
	(void)execvp(line.words[0], line.words);
	say("cannot run %s: %s; it comes with libvhd where there is FUSE",
	    line.words[0], strerror(errno));
	return EXIT_FAILED;
}

const struct command command_mount = {
	.name = "mount",
	.brief = "show a disk, its partitions and snapshots as files",
	.about = "Mount the disk that the guest of DISK sees, by running "
		 "vhdfuse. If DIR is a directory, DIR/disk is the disk, "
		 "DIR/p1, DIR/p2 and so on are its partitions, and "
		 "DIR/snapshots/NAME its snapshots, which can only be read. "
		 "If DIR is a regular file, it becomes the disk. A file "
		 "system in one of these can be mounted from there in turn, "
		 "with mount -o loop.",
	.options = options,
	.operands = operands,
	.examples = examples,
	.args_size = sizeof(struct mount_args),
	.run = run,
};
