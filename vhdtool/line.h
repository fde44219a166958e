/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * line.h - the command line of another program that this one becomes.
 */
#ifndef VHDTOOL_LINE_H
#define VHDTOOL_LINE_H
#include <stddef.h>

struct line {
	char **words; /* NULL-terminated; the words are owned too */
	size_t count;
};

#define AUTO_LINE __attribute__((cleanup(line_free)))
void line_free(struct line *line);

/* The first takes word over, which may be what a failed malloc() returned. */
void line_add(struct line *line, char *word);
void line_add_text(struct line *line, const char *word);
void line_add_parameter(struct line *line, const char *key, const char *value);

/* The file at this path from the folder of the running program, which is how
 * it is found when nothing was installed; NULL if there is none. */
char *line_find_beside(const char *path);
#endif
