/* SPDX-License-Identifier: BSD-3-Clause */
/* fs_attr.c - make one file look like another to everyone but its readers:
 * owner, mode, ACL, extended attributes, label, times.
 *
 * Whatever the caller may not set is left out, but never so that the new file
 * is open to someone to whom the old one was closed. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "io/io_file.h"

#define ACL_NAME "system.posix_acl_access"

struct attr_copy {
	int from, to;
	const char *to_name;
	struct stat st;
	bool group_kept;
};

static bool
not_allowed(int sys)
{
	return sys == EPERM || sys == EACCES || sys == EOPNOTSUPP ||
	       sys == EINVAL || sys == ENODATA;
}

/* Owner and group together, else the group alone. */
static int
copy_owner(struct attr_copy *copy)
{
	struct stat now;

	if (fchown(copy->to, copy->st.st_uid, copy->st.st_gid) < 0 &&
	    fchown(copy->to, (uid_t)-1, copy->st.st_gid) < 0 &&
	    !not_allowed(errno))
		return fail_sys(errno, "%s: cannot set the owner",
				copy->to_name);
	if (fstat(copy->to, &now) < 0)
		return fail_sys(errno, "%s: cannot examine", copy->to_name);
	copy->group_kept = now.st_gid == copy->st.st_gid;
	return 0;
}

/* Another group gets no more than everybody. */
static int
copy_mode(struct attr_copy *copy)
{
	mode_t mode = copy->st.st_mode & 0777;

	if (!copy->group_kept)
		mode &= ~(mode_t)070 | (mode & 07) << 3;
	if (fchmod(copy->to, mode) < 0 && !not_allowed(errno))
		return fail_sys(errno, "%s: cannot set the mode",
				copy->to_name);
	return 0;
}

/* Digests of the old content are not true of the new one. */
static bool
wanted(const struct attr_copy *copy, const char *name)
{
	if (strcmp(name, "security.ima") == 0 ||
	    strcmp(name, "security.evm") == 0)
		return false;
	return copy->group_kept || strcmp(name, ACL_NAME) != 0;
}

static int
copy_attr(struct attr_copy *copy, const char *name)
{
	AUTO_FREE char *value = NULL;
	ssize_t n = fgetxattr(copy->from, name, NULL, 0);

	if (n < 0)
		return 0;
	value = malloc((size_t)n + 1);
	if (!value)
		return fail_nomem();
	n = fgetxattr(copy->from, name, value, (size_t)n);
	if (n < 0)
		return 0;
	if (fsetxattr(copy->to, name, value, (size_t)n, 0) < 0 &&
	    !not_allowed(errno))
		return fail_sys(errno, "%s: cannot set the attribute %s",
				copy->to_name, name);
	return 0;
}

static int
copy_attrs(struct attr_copy *copy)
{
	AUTO_FREE char *names = NULL;
	ssize_t n = flistxattr(copy->from, NULL, 0);
	int err = 0;

	if (n <= 0)
		return 0;
	names = malloc((size_t)n);
	if (!names)
		return fail_nomem();
	n = flistxattr(copy->from, names, (size_t)n);
	for (ssize_t at = 0; at < n && !err;
	     at += (ssize_t)strlen(names + at) + 1)
		if (wanted(copy, names + at))
			err = copy_attr(copy, names + at);
	return err;
}

static int
copy_times(struct attr_copy *copy)
{
	struct timespec times[2] = {copy->st.st_atim, copy->st.st_mtim};

	if (futimens(copy->to, times) < 0 && !not_allowed(errno))
		return fail_sys(errno, "%s: cannot set the times",
				copy->to_name);
	return 0;
}

static int
copy_all(struct attr_copy *copy)
{
	int err;

	err = copy_owner(copy);
	if (!err)
		err = copy_mode(copy);
	if (!err)
		err = copy_attrs(copy);
	if (!err)
		err = copy_times(copy);
	return err;
}

static int
open_any(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int
fs_posix_copy_attributes(const struct fs *fs, const char *from, const char *to)
{
	struct attr_copy copy = {.to_name = to};
	int err;

	(void)fs;
	copy.from = open_any(from);
	if (copy.from < 0)
		return fail_sys(errno, "%s: cannot open", from);
	copy.to = open_any(to);
	if (copy.to < 0)
		err = fail_sys(errno, "%s: cannot open", to);
	else if (fstat(copy.from, &copy.st) < 0)
		err = fail_sys(errno, "%s: cannot examine", from);
	else
		err = copy_all(&copy);
	if (copy.to >= 0)
		close(copy.to);
	close(copy.from);
	return err;
}

int
fs_posix_set_readonly(const struct fs *fs, const char *path, bool on)
{
	struct stat st;
	mode_t mode;

	(void)fs;
	if (stat(path, &st) < 0)
		return fail_sys(errno, "%s: cannot examine", path);
	mode = st.st_mode & 07777;
	mode = on ? mode & ~(mode_t)0222 : mode | 0200;
	if (chmod(path, mode) < 0)
		return fail_sys(errno, "%s: cannot make it %s", path,
				on ? "read-only" : "writable");
	return 0;
}

int
fs_posix_set_mtime(const struct fs *fs, const char *path,
		   const struct fs_stat *to)
{
	struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT},
		{.tv_sec = (time_t)to->mtime, .tv_nsec = (long)to->mtime_ns}};

	(void)fs;
	if (utimensat(AT_FDCWD, path, times, 0) < 0)
		return fail_sys(errno, "%s: cannot set the times", path);
	return 0;
}
