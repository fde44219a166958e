/* SPDX-License-Identifier: BSD-3-Clause */
/* names.c - what a file name says about an image. */
#include "chain/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/path.h"
#include "base/utf.h"
#include "base/uuid.h"

#define MERGING       "@.merging-"
#define EXTENSION_MAX 8

bool
snapshot_name_valid(const char *name)
{
	size_t n = strlen(name);

	if (!n || n > SNAPSHOT_NAME_MAX || name[0] == '.' ||
	    name[n - 1] == '.' || name[n - 1] == ' ' || !utf8_valid(name))
		return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f ||
		    strchr("/\\:*?\"<>|@", *c))
			return false;
	return true;
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Where the extension of a file name begins, with its dot; its end if it has
 * none.  The ".0" of "disk@v1.0" is no extension. */
static const char *
extension(const char *name)
{
	const char *end = name + strlen(name);
	const char *dot = strrchr(name, '.');

	if (!dot || dot == name || !is_letter(dot[1]) ||
	    end - dot > EXTENSION_MAX)
		return end;
	return dot;
}

int
snapshot_name(char **ret, const char *path)
{
	const char *file = path_name(path);
	const char *at = strrchr(file, '@');
	const char *dot = extension(file);
	char *name;

	if (!at || at == file || dot < at) {
		*ret = NULL;
		return 0;
	}
	name = strndup(at + 1, (size_t)(dot - at - 1));
	if (!name)
		return fail_nomem();
	if (!snapshot_name_valid(name)) {
		free(name);
		name = NULL;
	}
	*ret = name;
	return 0;
}

/* path up to `end`, then middle, then the extension. */
static char *
splice(const char *path, const char *end, const char *middle)
{
	const char *dot = extension(path_name(path));
	char *result;

	if (asprintf(&result, "%.*s%s%s", (int)(end - path), path, middle,
		     dot) < 0)
		return NULL;
	return result;
}

char *
snapshot_path(const char *disk, const char *name)
{
	AUTO_FREE char *middle = NULL;

	if (asprintf(&middle, "@%s", name) < 0) {
		middle = NULL;
		return NULL;
	}
	return splice(disk, extension(path_name(disk)), middle);
}

char *
disk_path(const char *path)
{
	const char *at = strrchr(path_name(path), '@');

	return at ? splice(path, at, "") : strdup(path);
}

bool
is_merging_path(const char *path)
{
	const char *at = strrchr(path_name(path), '@');

	return at && !strncmp(at, MERGING, strlen(MERGING));
}

char *
merging_path(const char *path, const uint8_t uuid[static 16])
{
	char middle[sizeof(MERGING) + UUID_TEXT_SIZE] = MERGING;
	const char *file = path_name(path);
	const char *at = strrchr(file, '@');

	uuid_text(middle + strlen(MERGING), uuid);
	return splice(path, at ? at : extension(file), middle);
}
