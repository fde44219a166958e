/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * args.c - the command line of vhdfuse.
 *
 * Options are read by libfuse's parser, so that they work as those of any
 * FUSE file system do and from /etc/fstab; what is not ours goes on to
 * libfuse, which knows the general mount options.
 */
#include "args.h"

#include "exit.h"
#include "say.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODE_UNSET    UINT_MAX
#define THREADS_MOST  64U
#define THREADS_USUAL 10U

enum key {
	KEY_HELP,
	KEY_VERSION,
	KEY_ALLOW_DIR,
	KEY_CACHE,
	KEY_CONTROL,
	KEY_NUMBER,
	KEY_MODE,
};

#define INTO(template, member)                                                 \
	{                                                                      \
		template, offsetof(struct args, member), 1                     \
	}

/* FUSE_OPT_KEY() negates an unsigned number, which not every compiler likes. */
#define KEYED(template, key)                                                   \
	{                                                                      \
		template, UINT_MAX, key                                        \
	}

static const struct fuse_opt options[] = {
	INTO("-f", foreground),
	INTO("-d", foreground),
	INTO("debug", foreground),
	INTO("ro", read_only),
	INTO("-r", read_only),
	INTO("allow_other", allow_other),
	INTO("raw-parent", raw_parent),
	INTO("autoresume", autoresume),
	KEYED("-d", FUSE_OPT_KEY_KEEP),
	KEYED("debug", FUSE_OPT_KEY_KEEP),
	KEYED("allow_other", FUSE_OPT_KEY_KEEP),
	KEYED("allow-dir=", KEY_ALLOW_DIR),
	KEYED("cache=", KEY_CACHE),
	KEYED("control=", KEY_CONTROL),
	KEYED("threads=", KEY_NUMBER),
	KEYED("uid=", KEY_NUMBER),
	KEYED("gid=", KEY_NUMBER),
	KEYED("mode=", KEY_MODE),
	KEYED("-h", KEY_HELP),
	KEYED("--help", KEY_HELP),
	KEYED("-V", KEY_VERSION),
	KEYED("--version", KEY_VERSION),
	FUSE_OPT_END,
};

static void
print_help(void)
{
	puts("Usage: vhdfuse [-f] [-o OPTION[,OPTION]...] DISK DIR\n"
	     "\n"
	     "Mount a VHD disk: DIR/disk is what its guest sees, DIR/p1,\n"
	     "DIR/p2, ... are its partitions, and DIR/snapshots/NAME are its\n"
	     "snapshots, read-only.  If DIR is a regular file, it becomes the\n"
	     "disk.  End it with: fusermount3 -u DIR\n"
	     "\n"
	     "Examples:\n"
	     "  vhdfuse -o ro disk.vhd /mnt/vm\n"
	     "      Look into a disk without a chance to change it.\n"
	     "  mount -o loop /mnt/vm/p1 /mnt/p1\n"
	     "      Then mount its first partition, as root.\n"
	     "\n"
	     "Options:\n"
	     "  -f               stay in the foreground\n"
	     "  -d               the same, and show every request\n"
	     "  -h, --help       print this help\n"
	     "  -V, --version    print the version\n"
	     "  -o ro            open the disk for reading only\n"
	     "  -o allow_other   let other users in; see also mode=\n"
	     "  -o allow-dir=DIR parents may be in DIR too; repeatable\n"
	     "  -o raw-parent    allow a parent that is a raw disk\n"
	     "  -o cache=on      let the kernel keep what was read; then only\n"
	     "                   one of disk and pN may be used at a time\n"
	     "  -o threads=N     requests served at the same time (10)\n"
	     "  -o control=PATH  listen for vhdtool at PATH\n"
	     "  -o autoresume    carry on with a merge that was interrupted\n"
	     "  -o uid=N, gid=N  owner and group of the files\n"
	     "  -o mode=OCTAL    their permissions: 600, or 666 with\n"
	     "                   allow_other\n"
	     "  -o OPTION        any option of mount.fuse3(8)\n"
	     "\n"
	     "See vhdfuse(1).");
}

static int
usage(const char *format, ...)
{
	char sentence[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	say("%s; try: vhdfuse --help", sentence);
	return EXIT_USAGE;
}

static int
read_number(unsigned int *ret, const char *text, int base)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, base);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 ||
	    value >= UINT_MAX)
		return -1;
	*ret = (unsigned int)value;
	return 0;
}

static int
read_number_option(struct args *args, const char *word)
{
	const char *value = strchr(word, '=') + 1;
	unsigned int *to = &args->threads;

	if (word[0] == 'u')
		to = &args->uid;
	else if (word[0] == 'g')
		to = &args->gid;
	if (read_number(to, value, 10))
		return usage("%.*s takes a number, not '%s'",
			     (int)(value - word), word, value);
	if (to == &args->threads && (*to == 0 || *to > THREADS_MOST))
		return usage("threads= takes 1 to %u, not '%s'", THREADS_MOST,
			     value);
	return ARGS_GO_ON;
}

static int
read_mode(struct args *args, const char *value)
{
	if (read_number(&args->mode, value, 8) || args->mode > 0777)
		return usage("mode= takes octal permissions such as 640, "
			     "not '%s'",
			     value);
	return ARGS_GO_ON;
}

static int
read_cache(struct args *args, const char *value)
{
	args->cache = strcmp(value, "on") == 0;
	if (!args->cache && strcmp(value, "off") != 0)
		return usage("cache= takes on or off, not '%s'", value);
	return ARGS_GO_ON;
}

static int
no_memory(void)
{
	say("out of memory");
	return EXIT_FAILED;
}

static int
add_search(struct args *args, const char *value)
{
	const char **more;
	char *dir = realpath(value, NULL);

	if (!dir)
		return usage("allow-dir=%s: %s", value, strerror(errno));
	more = realloc(args->search, (args->nsearch + 1) * sizeof(*more));
	if (!more) {
		free(dir);
		return no_memory();
	}
	args->search = more;
	args->search[args->nsearch++] = dir;
	return ARGS_GO_ON;
}

/* The file is not there yet, and the process may change its directory. */
static int
read_control(struct args *args, const char *value)
{
	char *dir = NULL;
	int n;

	if (value[0] != '/')
		dir = realpath(".", NULL);
	free(args->control);
	n = asprintf(&args->control, "%s%s%s", dir ? dir : "", dir ? "/" : "",
		     value);
	free(dir);
	if (n < 0)
		args->control = NULL;
	return n < 0 ? no_memory() : ARGS_GO_ON;
}

static int
add_operand(struct args *args, const char *word)
{
	char **to = &args->disk;

	if (args->disk)
		to = &args->dir;
	if (*to)
		return usage("'%s' is one word too many", word);
	*to = strdup(word);
	return *to ? ARGS_GO_ON : no_memory();
}

/* Called for each word and each option that does not go into the args by
 * itself.  1 passes it on to libfuse, 0 takes it, -1 ends. */
static int
take(void *user, const char *word, int key, struct fuse_args *out)
{
	struct args *args = user;
	const char *equals = strchr(word, '=');

	(void)out;
	switch (key) {
	case KEY_ALLOW_DIR:
		args->status = add_search(args, equals + 1);
		break;
	case KEY_CACHE:
		args->status = read_cache(args, equals + 1);
		break;
	case KEY_CONTROL:
		args->status = read_control(args, equals + 1);
		break;
	case KEY_NUMBER:
		args->status = read_number_option(args, word);
		break;
	case KEY_MODE:
		args->status = read_mode(args, equals + 1);
		break;
	case KEY_HELP:
		print_help();
		args->status = EXIT_DONE;
		break;
	case KEY_VERSION:
		printf("vhdfuse %d.%d.%d\n", VHD_VERSION_MAJOR,
		       VHD_VERSION_MINOR, VHD_VERSION_PATCH);
		args->status = EXIT_DONE;
		break;
	case FUSE_OPT_KEY_NONOPT:
		args->status = add_operand(args, word);
		break;
	default:
		return 1;
	}
	return args->status == ARGS_GO_ON ? 0 : -1;
}

/* Paths must stand when the working directory changes.  One that does not
 * exist stays, for whoever opens it to complain. */
static void
resolve(char **path)
{
	char *absolute = realpath(*path, NULL);

	if (absolute) {
		free(*path);
		*path = absolute;
	}
}

/* Tell libfuse what the mount is called, and that the kernel is to check
 * permissions. */
static int
add_mount_options(struct args *args)
{
	char *list = NULL, *name = NULL;
	int err = -1;

	if (asprintf(&name, "fsname=%s", args->disk) < 0)
		return no_memory();
	if (!fuse_opt_add_opt_escaped(&list, name) &&
	    !fuse_opt_add_opt(&list, "subtype=vhd") &&
	    !fuse_opt_add_opt(&list, "default_permissions") &&
	    !(args->read_only && fuse_opt_add_opt(&list, "ro")) &&
	    !fuse_opt_add_arg(&args->fuse, "-o") &&
	    !fuse_opt_add_arg(&args->fuse, list))
		err = ARGS_GO_ON;
	free(name);
	free(list);
	return err == ARGS_GO_ON ? ARGS_GO_ON : no_memory();
}

static void
fill_mode(struct args *args)
{
	if (args->mode == MODE_UNSET)
		args->mode = args->allow_other ? 0666 : 0600;
	if (args->read_only)
		args->mode &= ~0222U;
}

int
args_parse(struct args *ret, int argc, char *argv[])
{
	*ret = (struct args){
		.status = ARGS_GO_ON,
		.threads = THREADS_USUAL,
		.uid = getuid(),
		.gid = getgid(),
		.mode = MODE_UNSET,
		.fuse = FUSE_ARGS_INIT(argc, argv),
	};
	if (fuse_opt_parse(&ret->fuse, ret, options, take))
		return ret->status == ARGS_GO_ON ? no_memory() : ret->status;
	if (!ret->disk)
		return usage("DISK is missing");
	if (!ret->dir)
		return usage("DIR is missing");
	resolve(&ret->disk);
	resolve(&ret->dir);
	fill_mode(ret);
	return add_mount_options(ret);
}

void
args_free(struct args *args)
{
	for (size_t i = 0; i < args->nsearch; i++)
		free((void *)(uintptr_t)args->search[i]);
	free(args->search);
	free(args->control);
	free(args->disk);
	free(args->dir);
	fuse_opt_free_args(&args->fuse);
}
