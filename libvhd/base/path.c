/* SPDX-License-Identifier: BSD-3-Clause */
/* path.c - take POSIX paths apart and put them together. */
#include "base/path.h"

#include <stdlib.h>
#include <string.h>

const char *
path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *
path_directory(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

char *
path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir), length = strlen(name);
	char *path;

	if (name[0] == '/')
		return strdup(name);
	path = malloc(n + length + 2);
	if (!path)
		return NULL;
	memcpy(path, dir, n);
	if (n && dir[n - 1] != '/')
		path[n++] = '/';
	memcpy(path + n, name, length + 1);
	return path;
}

bool
path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n && dir[n - 1] == '/')
		n--;
	return !strncmp(path, dir, n) && path[n] == '/' && path[n + 1];
}

/* How much of dir, up to a whole component, begins path too? */
static size_t
common_front(const char *dir, const char *path)
{
	size_t common = 0, i = 0;

	while (dir[i] && dir[i] == path[i]) {
		if (dir[i] == '/')
			common = i + 1;
		i++;
	}
	return !dir[i] && path[i] == '/' ? i + 1 : common;
}

char *
path_relative(const char *dir, const char *path)
{
	size_t common = common_front(dir, path), climbs = 0, length;
	const char *rest = path + common;
	char *relative;

	for (const char *d = dir; *d; d++)
		if ((size_t)(d - dir) + 1 > common && *d != '/' &&
		    (d == dir || d[-1] == '/'))
			climbs++;
	length = strlen(rest);
	relative = malloc(3 * climbs + length + 1);
	if (!relative)
		return NULL;
	for (size_t i = 0; i < climbs; i++)
		memcpy(relative + 3 * i, "../", 3);
	memcpy(relative + 3 * climbs, rest, length + 1);
	return relative;
}
