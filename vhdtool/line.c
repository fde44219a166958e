/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * line.c - the command line of another program that this one becomes.
 */
#include "line.h"

#include "memory.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
line_add(struct line *line, char *word)
{
	size_t room = (line->count + 2) * sizeof(*line->words);

	line->words = must(realloc(line->words, room));
	line->words[line->count++] = must(word);
	line->words[line->count] = NULL;
}

void
line_add_text(struct line *line, const char *word)
{
	line_add(line, strdup(word));
}

void
line_add_parameter(struct line *line, const char *key, const char *value)
{
	char *word;

	if (asprintf(&word, "%s=%s", key, value) < 0)
		word = NULL;
	line_add(line, word);
}

void
line_free(struct line *line)
{
	for (size_t i = 0; i < line->count; i++)
		free(line->words[i]);
	free(line->words);
}

char *
line_find_beside(const char *path)
{
	char self[PATH_MAX], *found, *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return NULL;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	if (asprintf(&found, "%s/%s", self, path) < 0)
		return must(NULL);
	if (access(found, R_OK) == 0)
		return found;
	free(found);
	return NULL;
}
