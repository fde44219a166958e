/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main.c - the table of commands, dispatch, signals.
 */
#include "cmd.h"
#include "exit.h"
#include "memory.h"
#include "out.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vhd.h>

static const struct command *const commands[] = {
	&command_create,  &command_inspect,  &command_tree,    &command_map,
	&command_measure, &command_check,    &command_compare, &command_convert,
	&command_merge,   &command_compact,  &command_resize,  &command_rebase,
	&command_relink,  &command_snapshot, &command_serve,   &command_mount,
	&command_umount,  &command_job,
};
#define NCOMMANDS (sizeof(commands) / sizeof(commands[0]))

static volatile sig_atomic_t stop;

bool
interrupted(void)
{
	return stop != 0;
}

static void
on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* A signal that is ignored, as in the background of a script, stays so. */
static void
catch_signal(int number, const struct sigaction *action)
{
	struct sigaction old;

	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(number, action, NULL);
}

/* The first signal stops a job at a consistent point; a second one, for a
 * job that hangs, kills as usual, which no image minds either. */
static void
catch_signals(void)
{
	struct sigaction action = {0};

	action.sa_handler = on_signal;
	action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
	sigemptyset(&action.sa_mask);
	catch_signal(SIGINT, &action);
	catch_signal(SIGTERM, &action);
}

static bool
is_called(const struct command *command, const char *name)
{
	if (strcmp(command->name, name) == 0)
		return true;
	for (size_t i = 0; i < 2 && command->aliases[i]; i++) {
		if (strcmp(command->aliases[i], name) == 0)
			return true;
	}
	return false;
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < NCOMMANDS; i++) {
		if (is_called(commands[i], name))
			return commands[i];
	}
	return NULL;
}

/* The last word of the name of a command in a group. */
static const char *
name_in_group(const struct command *command)
{
	const char *space = strrchr(command->name, ' ');

	return space ? space + 1 : command->name;
}

static const struct command *
find_in_group(const struct command *group, const char *name)
{
	for (size_t i = 0; group->group[i]; i++) {
		if (strcmp(name_in_group(group->group[i]), name) == 0)
			return group->group[i];
	}
	return NULL;
}

static void
print_help(void)
{
	puts("Usage: vhdtool COMMAND [OPTION]... FILE...\n"
	     "\n"
	     "Work with VHD virtual disks and their snapshots.\n"
	     "\n"
	     "Commands:");
	for (size_t i = 0; i < NCOMMANDS; i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->brief);
	puts("\n"
	     "  -h, --help     print this help; after a COMMAND, its own\n"
	     "      --version  print the version\n"
	     "\n"
	     "Examples:\n"
	     "  vhdtool inspect --chain disk.avhd\n"
	     "      Show an image and every parent below it.\n"
	     "  vhdtool snapshot create disk.vhd before-update\n"
	     "      Freeze the present state under a name.\n"
	     "  vhdtool merge --dry-run disk.avhd\n"
	     "      Say what merging an image into its parent would cost.\n"
	     "  vhdtool convert -O raw disk.avhd disk.img\n"
	     "      Copy what the guest sees into a plain file.\n"
	     "\n"
	     "See vhdtool(1).");
}

static int
run_command(const struct command *command, int argc, char *argv[])
{
	void *args = must(calloc(1, command->args_size));
	int status = opt_parse(args, command, argc, argv);

	if (status == OPT_GO_ON) {
		if (command->stops)
			catch_signals();
		status = command->run(args);
	}
	opt_free(args, command);
	free(args);
	return status;
}

/* What follows the name of a group. */
static int
run_group(const struct command *group, int argc, char *argv[])
{
	const char *word = argc > 0 ? argv[0] : NULL;
	const struct command *command;

	if (!word)
		return opt_usage(group, "%s: a command is missing",
				 group->name);
	command = find_in_group(group, word);
	if (command)
		return run_command(command, argc - 1, argv + 1);
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		help_command(group);
	else if (strcmp(word, "--commands") == 0)
		for (size_t i = 0; group->group[i]; i++)
			puts(name_in_group(group->group[i]));
	else if (strcmp(word, "--long-options") == 0)
		puts("--help");
	else
		return opt_usage(group, "there is no command '%s %s'",
				 group->name, word);
	return out_finish();
}

/* Words in the place of a command. */
static int
run_option(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		print_help();
	else if (strcmp(word, "--version") == 0)
		printf("vhdtool %d.%d.%d\n", VHD_VERSION_MAJOR,
		       VHD_VERSION_MINOR, VHD_VERSION_PATCH);
	else if (strcmp(word, "--commands") == 0)
		for (size_t i = 0; i < NCOMMANDS; i++)
			puts(commands[i]->name);
	else if (strcmp(word, "--long-options") == 0)
		puts("--help\n--version");
	else if (word[0] == '-')
		return opt_usage(NULL, "there is no option '%s'", word);
	else
		return opt_usage(NULL, "there is no command '%s'", word);
	return out_finish();
}

/* names: what follows "help", ends with NULL. */
static int
run_help(char *names[])
{
	const struct command *command;

	if (!names[0]) {
		print_help();
		return out_finish();
	}
	command = find_command(names[0]);
	if (command && command->group && names[1])
		command = find_in_group(command, names[1]);
	if (!command)
		return opt_usage(NULL, "there is no command '%s%s%s'", names[0],
				 names[1] ? " " : "", names[1] ? names[1] : "");
	help_command(command);
	return out_finish();
}

int
main(int argc, char *argv[])
{
	const struct command *command;

	if (argc < 2)
		return opt_usage(NULL, "a command is missing");
	if (strcmp(argv[1], "help") == 0)
		return run_help(argv + 2);
	command = find_command(argv[1]);
	if (!command)
		return run_option(argv[1]);
	if (command->group)
		return run_group(command, argc - 2, argv + 2);
	return run_command(command, argc - 2, argv + 2);
}
