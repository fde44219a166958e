/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * opt.c - parse a command line by its command's table.
 *
 * Options may stand anywhere; "--" ends them, and "-" alone is an operand.
 * Long options are written out in full, so that a new one never changes what
 * an old script means.
 */
#include "opt.h"

#include "cmd.h"
#include "exit.h"
#include "out.h"
#include "say.h"
#include "value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where parsing has got to. */
struct parser {
	void *args;
	const struct command *command;
	int argc;
	char **argv;
	int next;                      /* index of the next word */
	const struct operand *operand; /* the next one to fill */
	size_t filled;                 /* words that it has already */
};

int
opt_usage(const struct command *command, const char *format, ...)
{
	char sentence[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(sentence, sizeof(sentence), format, ap);
	va_end(ap);
	say("%s", sentence);
	fprintf(stderr, "Try 'vhdtool%s%s --help'.\n", command ? " " : "",
		command ? command->name : "");
	return EXIT_USAGE;
}

static const struct opt *
find_long(const struct command *command, const char *name, size_t length)
{
	for (const struct opt *o = command->options; o->name; o++) {
		if (strlen(o->name) == length &&
		    strncmp(o->name, name, length) == 0)
			return o;
	}
	return NULL;
}

static const struct opt *
find_short(const struct command *command, char letter)
{
	for (const struct opt *o = command->options; o->name; o++) {
		if (o->letter == letter)
			return o;
	}
	return NULL;
}

/* Read the value of an option: attached to it, or the next word. */
static int
take_value(struct parser *p, const struct opt *o, const char *shown,
	   const char *value)
{
	const char *wanted;

	if (!value) {
		if (p->next >= p->argc)
			return opt_usage(p->command, "%s needs a value: %s",
					 shown, o->value);
		value = p->argv[p->next++];
	}
	wanted = o->read((char *)p->args + o->to, value, o->choices);
	if (wanted)
		return opt_usage(p->command, "%s takes %s, not '%s'", shown,
				 wanted, value);
	return OPT_GO_ON;
}

static void
set_flag(struct parser *p, const struct opt *o)
{
	*(bool *)((char *)p->args + o->to) = true;
}

/* For completion: "--long-options" prints the names of the options, and
 * "--choices=OPTION" the words that one takes. */
static void
print_long_options(const struct command *command)
{
	for (const struct opt *o = command->options; o->name; o++)
		printf("--%s\n", o->name);
	puts("--help");
}

static void
print_choices(const struct command *command, const char *name)
{
	const struct opt *o;

	if (strncmp(name, "--", 2) == 0)
		o = find_long(command, name + 2, strlen(name + 2));
	else
		o = find_short(command, name[0] == '-' ? name[1] : '\0');
	if (!o || !o->choices)
		return;
	for (const struct choice *c = o->choices; c->word; c++)
		puts(c->word);
}

/* Words that every command knows and no table lists. */
static int
parse_common(const struct command *command, const char *word)
{
	static const char choices[] = "--choices=";

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		help_command(command);
	else if (strcmp(word, "--long-options") == 0)
		print_long_options(command);
	else if (strncmp(word, choices, strlen(choices)) == 0)
		print_choices(command, word + strlen(choices));
	else
		return OPT_GO_ON;
	return out_finish();
}

static int
parse_long(struct parser *p, const char *word)
{
	const char *name = word + 2;
	const char *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct opt *o = find_long(p->command, name, length);
	char shown[64];

	snprintf(shown, sizeof(shown), "--%.*s", (int)length, name);
	if (!o)
		return opt_usage(p->command, "%s has no option '%s'",
				 p->command->name, shown);
	if (o->read)
		return take_value(p, o, shown, equals ? equals + 1 : NULL);
	if (equals)
		return opt_usage(p->command, "%s takes no value", shown);
	set_flag(p, o);
	return OPT_GO_ON;
}

/* "-z", "-fraw", "-f raw", "-zO raw". */
static int
parse_short(struct parser *p, const char *word)
{
	for (const char *letter = word + 1; *letter != '\0'; letter++) {
		const struct opt *o = find_short(p->command, *letter);
		const char shown[] = {'-', *letter, '\0'};

		if (!o)
			return opt_usage(p->command, "%s has no option '%s'",
					 p->command->name, shown);
		if (o->read)
			return take_value(p, o, shown,
					  letter[1] ? letter + 1 : NULL);
		set_flag(p, o);
	}
	return OPT_GO_ON;
}

static int
parse_operand(struct parser *p, const char *word)
{
	const struct operand *operand = p->operand;
	const char *wanted;

	if (!operand->name)
		return opt_usage(p->command, "'%s' is one word too many for %s",
				 word, p->command->name);
	wanted = operand->read((char *)p->args + operand->to, word, NULL);
	if (wanted)
		return opt_usage(p->command, "%s must be %s, not '%s'",
				 operand->name, wanted, word);
	if (operand->flags & OPERAND_MANY)
		p->filled++;
	else
		p->operand++;
	return OPT_GO_ON;
}

static int
parse_word(struct parser *p, bool *options)
{
	const char *word = p->argv[p->next++];
	int status;

	if (!*options || word[0] != '-' || word[1] == '\0')
		return parse_operand(p, word);
	if (strcmp(word, "--") == 0) {
		*options = false;
		return OPT_GO_ON;
	}
	status = parse_common(p->command, word);
	if (status != OPT_GO_ON)
		return status;
	return word[1] == '-' ? parse_long(p, word) : parse_short(p, word);
}

int
opt_parse(void *args, const struct command *command, int argc, char *argv[])
{
	struct parser p = {
		.args = args,
		.command = command,
		.argc = argc,
		.argv = argv,
		.operand = command->operands,
	};
	bool options = true;

	while (p.next < argc) {
		int status = parse_word(&p, &options);

		if (status != OPT_GO_ON)
			return status;
	}
	if (p.operand->name && p.filled == 0 &&
	    !(p.operand->flags & OPERAND_OPTIONAL))
		return opt_usage(command, "%s is missing", p.operand->name);
	return OPT_GO_ON;
}

static void
free_words(void *args, opt_read_fn read, size_t to)
{
	if (read == value_words)
		free(((struct words *)(void *)((char *)args + to))->items);
}

void
opt_free(void *args, const struct command *command)
{
	for (const struct opt *o = command->options; o->name; o++)
		free_words(args, o->read, o->to);
	for (const struct operand *o = command->operands; o->name; o++)
		free_words(args, o->read, o->to);
}
