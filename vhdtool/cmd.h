/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cmd.h - what a command is, and the list of them.
 *
 * A new command is one file with a struct command in it, one line at the end
 * of this header and one in the table of main.c.  A command may be a group of
 * others, which are named "group command".
 */
#ifndef VHDTOOL_CMD_H
#define VHDTOOL_CMD_H
#include "opt.h"

#include <stdbool.h>
#include <stddef.h>

struct command {
	const char *name;
	const char *aliases[2]; /* other tools' words for it */
	const char *brief;      /* one line for the list of commands */
	const char *about;      /* the paragraphs of --help */
	const struct opt *options;
	const struct operand *operands;
	const char *const
		*examples; /* a command line, what it does, ...; NULL */
	size_t args_size;  /* of the struct the tables point into */
	bool stops;        /* has a job that a signal ends cleanly */
	int (*run)(const void *args); /* returns the exit status */

	/* Of a group, which has nothing else but name, brief and about. */
	const struct command *const *group; /* ends with NULL */
};

/* Has a signal asked us to stop? */
bool interrupted(void);

extern const struct command command_create;
extern const struct command command_inspect;
extern const struct command command_map;
extern const struct command command_check;
extern const struct command command_measure;
extern const struct command command_compare;
extern const struct command command_convert;
extern const struct command command_merge;
extern const struct command command_compact;
extern const struct command command_resize;
extern const struct command command_rebase;
extern const struct command command_relink;
extern const struct command command_tree;
extern const struct command command_serve;
extern const struct command command_snapshot;
extern const struct command command_snapshot_create;
extern const struct command command_snapshot_list;
extern const struct command command_snapshot_revert;
extern const struct command command_snapshot_delete;
extern const struct command command_snapshot_rename;
extern const struct command command_snapshot_clone;
extern const struct command command_mount;
extern const struct command command_umount;
extern const struct command command_job;
#endif
