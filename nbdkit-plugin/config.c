/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.c - read the parameters, and refuse what makes no sense before
 * anything is opened.
 */
#include "config.h"

#include "plugin.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <vhd.h>

struct config config;

static int
set_path(char **to, const char *key, const char *value)
{
	if (*to) {
		nbdkit_error("%s= is given twice; one server serves one disk, "
			     "or with dir= a directory of them",
			     key);
		return -1;
	}
	*to = nbdkit_absolute_path(value);
	return *to ? 0 : -1;
}

static int
set_snapshot(const char *value)
{
	free(config.snapshot);
	config.snapshot = strdup(value);
	if (!config.snapshot) {
		nbdkit_error("out of memory");
		return -1;
	}
	return 0;
}

static int
add_allowed(const char *value)
{
	size_t n = config.nallow;
	const char **more = realloc(config.allow, (n + 1) * sizeof(*more));

	if (!more) {
		nbdkit_error("out of memory");
		return -1;
	}
	config.allow = more;
	more[n] = nbdkit_absolute_path(value);
	if (!more[n])
		return -1;
	config.nallow++;
	return 0;
}

static int
set_bool(bool *to, const char *value)
{
	int yes = nbdkit_parse_bool(value);

	if (yes >= 0)
		*to = yes;
	return yes < 0 ? -1 : 0;
}

int
config_read(const char *key, const char *value)
{
	if (strcmp(key, "file") == 0)
		return set_path(&config.file, key, value);
	if (strcmp(key, "dir") == 0)
		return set_path(&config.dir, key, value);
	if (strcmp(key, "snapshot") == 0)
		return set_snapshot(value);
	if (strcmp(key, "allow-dir") == 0)
		return add_allowed(value);
	if (strcmp(key, "readonly") == 0)
		return set_bool(&config.readonly, value);
	if (strcmp(key, "control") == 0)
		return set_path(&config.control, key, value);
	if (strcmp(key, "autoresume") == 0)
		return set_bool(&config.autoresume, value);
	nbdkit_error("there is no parameter '%s='; try: nbdkit vhd --help",
		     key);
	return -1;
}

static int
check_directory(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		nbdkit_error("%s: cannot examine: %m", path);
		return -1;
	}
	if (!S_ISDIR(st.st_mode)) {
		nbdkit_error("%s: is not a directory", path);
		return -1;
	}
	return 0;
}

/* A snapshot is beside the disk itself, not beside a link to it. */
static void
resolve_file(void)
{
	char *path = realpath(config.file, NULL);

	if (!path)
		return; /* whoever opens it will say so */
	free(config.file);
	config.file = path;
}

static int
use_snapshot(void)
{
	char *path;

	resolve_file();
	if (vhd_snapshot_path(&path, config.file, config.snapshot)) {
		nbdkit_error("%s", vhd_last_message());
		return -1;
	}
	free(config.file);
	config.file = path;
	return 0;
}

int
config_complete(void)
{
	if (!config.file && !config.dir) {
		nbdkit_error("which disk? try: nbdkit vhd disk.vhd, or dir=DIR "
			     "for every disk in a directory");
		return -1;
	}
	if (config.dir && (config.file || config.snapshot)) {
		nbdkit_error("dir= serves a whole directory, snapshots "
			     "included; leave %s= out",
			     config.file ? "file" : "snapshot");
		return -1;
	}
	if (config.dir && config.control) {
		nbdkit_error("control= is for one disk; those of dir= have a "
			     "socket each, and vhdtool finds them");
		return -1;
	}
	for (size_t i = 0; i < config.nallow; i++) {
		if (check_directory(config.allow[i]) < 0)
			return -1;
	}
	if (config.dir)
		return check_directory(config.dir);
	return config.snapshot ? use_snapshot() : 0;
}

void
config_free(void)
{
	for (size_t i = 0; i < config.nallow; i++)
		free((char *)(uintptr_t)config.allow[i]);
	free(config.allow);
	free(config.control);
	free(config.snapshot);
	free(config.file);
	free(config.dir);
	memset(&config, 0, sizeof(config));
}
