/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * branches.c - a tree as text.
 */
#include "branches.h"

#include "memory.h"
#include "say.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_COLUMNS_MAX 60 /* longer names push the details away */

/* Which lines go on below a branch. */
struct lines {
	bool *last; /* of branch i: no sibling follows */
	bool *open; /* at a depth */
};

size_t
text_columns(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++) {
		if (((unsigned char)*text & 0xC0) != 0x80)
			columns++;
	}
	return columns;
}

/* From the end: a sibling follows if one was seen, and nothing less deep
 * since. */
static void
find_last(struct lines *lines, const struct branch *branches, size_t count)
{
	size_t deepest = 0;

	for (size_t i = count; i-- > 0;) {
		size_t depth = branches[i].depth;

		lines->last[i] = depth > deepest || !lines->open[depth];
		for (size_t d = deepest + 1; d < depth; d++)
			lines->open[d] = false;
		lines->open[depth] = true;
		deepest = depth;
	}
}

static size_t
name_columns(const struct branch *branches, size_t count)
{
	size_t widest = 8;

	for (size_t i = 0; i < count; i++) {
		size_t columns =
			4 * branches[i].depth + text_columns(branches[i].name);

		if (columns > widest && columns <= NAME_COLUMNS_MAX)
			widest = columns;
	}
	return widest;
}

static void
print_branch(struct lines *lines, const struct branch *branch, bool last,
	     size_t columns)
{
	size_t used = 4 * branch->depth + text_columns(branch->name);

	for (size_t d = 1; d < branch->depth; d++)
		fputs(lines->open[d] ? "│   " : "    ", stdout);
	if (branch->depth > 0)
		fputs(last ? "└── " : "├── ", stdout);
	lines->open[branch->depth] = !last;
	say_plain(stdout, branch->name);
	printf("%*s", used < columns ? (int)(columns - used) : 0, "");
	say_plain(stdout, branch->details);
	putchar('\n');
}

void
branches_print(const struct branch *branches, size_t count,
	       const char *name_head, const char *head)
{
	size_t columns = name_columns(branches, count);
	struct lines lines = {
		.last = must(calloc(count + 1, sizeof(*lines.last))),
		.open = must(calloc(count + 1, sizeof(*lines.open))),
	};

	find_last(&lines, branches, count);
	printf("%-*s%s\n", (int)columns, name_head, head);
	for (size_t i = 0; i < count; i++)
		print_branch(&lines, &branches[i], lines.last[i], columns);
	free(lines.last);
	free(lines.open);
}
