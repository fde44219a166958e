/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * help.c - the text of "vhdtool COMMAND --help", made from its tables.
 */
#include "cmd.h"
#include "opt.h"

#include <stdio.h>
#include <string.h>

#define WIDTH  79
#define COLUMN 26

/* Print text in lines of at most WIDTH, every line but the first indented;
 * column is where the first one has got to.  A newline in text is kept. */
static void
print_wrapped(const char *text, size_t column, size_t indent)
{
	while (*text != '\0') {
		size_t word = strcspn(text, " \n");

		if (column > indent && column + 1 + word > WIDTH) {
			putchar('\n');
			column = 0;
		}
		if (column < indent) {
			printf("%*s", (int)(indent - column), "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)word, text);
		column += word;
		text += word;
		if (*text == '\n') {
			putchar('\n');
			column = 0;
		}
		if (*text != '\0')
			text++;
	}
	putchar('\n');
}

static void
print_usage(const struct command *command)
{
	printf("Usage: vhdtool %s [OPTION]...", command->name);
	for (const struct operand *o = command->operands; o->name; o++) {
		bool optional = o->flags & OPERAND_OPTIONAL;

		printf(" %s%s%s%s", optional ? "[" : "", o->name,
		       optional ? "]" : "",
		       o->flags & OPERAND_MANY ? "..." : "");
	}
	putchar('\n');
	for (size_t i = 0; i < 2 && command->aliases[i]; i++)
		printf("%s%s", i == 0 ? "Also called: " : ", ",
		       command->aliases[i]);
	if (command->aliases[0])
		putchar('\n');
}

static void
print_option(const struct opt *o)
{
	char left[80];
	int length;

	length = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s",
			  o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			  o->letter ? ", " : "  ", o->name, o->value ? " " : "",
			  o->value ? o->value : "");
	fputs(left, stdout);
	if (length > COLUMN - 2) {
		putchar('\n');
		length = 0;
	}
	printf("%*s", COLUMN - length, "");
	print_wrapped(o->help, COLUMN, COLUMN);
}

static void
print_examples(const struct command *command)
{
	puts("\nExamples:");
	for (const char *const *e = command->examples; *e; e += 2) {
		printf("  vhdtool %s\n", e[0]);
		print_wrapped(e[1], 0, 6);
	}
}

static void
help_group(const struct command *group)
{
	size_t skip = strlen(group->name) + 1;

	printf("Usage: vhdtool %s COMMAND [OPTION]... FILE...\n\n",
	       group->name);
	print_wrapped(group->about, 0, 0);
	puts("\nCommands:");
	for (size_t i = 0; group->group[i]; i++)
		printf("  %-9s %s\n", group->group[i]->name + skip,
		       group->group[i]->brief);
	puts("\n  -h, --help  print this help; after a COMMAND, its own");
	puts("\nSee vhdtool(1) for exit statuses and JSON keys.");
}

void
help_command(const struct command *command)
{
	static const struct opt help = {
		.letter = 'h', .name = "help", .help = "print this help"};

	if (command->group) {
		help_group(command);
		return;
	}
	print_usage(command);
	putchar('\n');
	print_wrapped(command->about, 0, 0);
	puts("\nOptions:");
	for (const struct opt *o = command->options; o->name; o++)
		print_option(o);
	print_option(&help);
	print_examples(command);
	puts("\nSee vhdtool(1) for exit statuses and JSON keys.");
}
