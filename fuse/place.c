/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * place.c - may a disk be mounted there?
 */
#include "place.h"

#include "args.h"
#include "exit.h"
#include "say.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Is path the mount point, or anywhere below it?  Device and inode tell,
 * whatever names, links or bind mounts lead there. */
static bool
is_hidden_by(const char *path, const struct stat *mountpoint)
{
	char *walk = realpath(path, NULL);
	bool hidden = false;
	struct stat st;

	while (walk && walk[0] != '\0' && !hidden) {
		hidden = stat(walk, &st) == 0 &&
			 st.st_dev == mountpoint->st_dev &&
			 st.st_ino == mountpoint->st_ino;
		*strrchr(walk, '/') = '\0';
	}
	free(walk);
	return hidden ||
	       (stat("/", &st) == 0 && st.st_dev == mountpoint->st_dev &&
		st.st_ino == mountpoint->st_ino);
}

static int
check(const char *path, const struct args *args, const struct stat *mountpoint)
{
	if (!is_hidden_by(path, mountpoint))
		return EXIT_DONE;
	say("%s would be hidden by a mount on %s; try: another directory", path,
	    args->dir);
	return EXIT_POLICY;
}

int
place_check(struct stat *ret, const struct args *args)
{
	if (stat(args->dir, ret)) {
		say("%s: %s; try: mkdir %s", args->dir, strerror(errno),
		    args->dir);
		return EXIT_FAILED;
	}
	if (!S_ISDIR(ret->st_mode) && !S_ISREG(ret->st_mode)) {
		say("%s: neither a directory nor a regular file to mount on",
		    args->dir);
		return EXIT_FAILED;
	}
	return check(args->disk, args, ret);
}

int
place_check_images(vhd_t *disk, const struct args *args,
		   const struct stat *mountpoint)
{
	uint32_t depth = vhd_depth(disk);
	int status = EXIT_DONE;

	for (uint32_t i = 0; i < depth && status == EXIT_DONE; i++) {
		struct vhd_info info = VHD_INFO_INIT;
		int err = vhd_get_info(&info, disk, i);

		if (err) {
			say("%s", vhd_last_message());
			return exit_from_err(err);
		}
		status = check(info.path, args, mountpoint);
	}
	for (size_t i = 0; i < args->nsearch && status == EXIT_DONE; i++)
		status = check(args->search[i], args, mountpoint);
	return status;
}
