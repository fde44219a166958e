/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * opt.h - option tables.
 *
 * Each command describes its options and operands once, as a table.  Parsing,
 * the text of --help and the words for completion all come from that table,
 * and a test holds the manual to it.
 */
#ifndef VHDTOOL_OPT_H
#define VHDTOOL_OPT_H
#include <stdbool.h>
#include <stddef.h>

struct command;

/* One of the words an option takes. */
struct choice {
	const char *word; /* NULL ends a list */
	int value;
};

/* Reads a word of the command line into the field at ret.  NULL on success,
 * or what it should have been: "a size such as 64G". */
typedef const char *(*opt_read_fn)(void *ret, const char *text,
				   const struct choice *choices);

struct opt {
	char letter;       /* 0: there is no short form */
	const char *name;  /* without the dashes; NULL ends a table */
	const char *value; /* what to call it in help; NULL: a flag */
	const char *help;
	opt_read_fn read; /* NULL for a flag, whose field is bool */
	size_t to;        /* offset of the field in the arguments */
	const struct choice *choices;
};

enum operand_flags {
	OPERAND_OPTIONAL = 1 << 0,
	OPERAND_MANY = 1 << 1, /* the last one only; at least one */
};

struct operand {
	const char *name; /* NULL ends a table */
	opt_read_fn read;
	size_t to;
	unsigned int flags; /* enum operand_flags */
};

#define OPT_GO_ON (-1)

/* Fill args, which begins as zeros, from the words after the command's name.
 * OPT_GO_ON, or the exit status when everything is said already. */
int opt_parse(void *args, const struct command *command, int argc,
	      char *argv[]);

/* Release what opt_parse() allocated in args. */
void opt_free(void *args, const struct command *command);

/* "vhdtool: sentence", then where help is; returns EXIT_USAGE.  command may
 * be NULL. */
int opt_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* help.c: the text of "vhdtool COMMAND --help", on stdout. */
void help_command(const struct command *command);
#endif
