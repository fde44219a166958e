/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * branches.h - a tree as text: lines in front of names, details in a column.
 */
#ifndef VHDTOOL_BRANCHES_H
#define VHDTOOL_BRANCHES_H
#include <stddef.h>

struct branch {
	size_t depth; /* at most one more than the one before */
	const char *name;
	char *details;
};

/* Print branches in the order of a walk from the roots; what stands above the
 * names, and above the details. */
void branches_print(const struct branch *branches, size_t count,
		    const char *name_head, const char *head);

/* Columns that UTF-8 text takes, a character each. */
size_t text_columns(const char *text);
#endif
