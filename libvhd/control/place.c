/* SPDX-License-Identifier: BSD-3-Clause */
/* place.c - where the control socket of a disk is, and who may use it.
 *
 * The name is made of the device and the inode of the live disk's file, so
 * whoever knows the disk by any path finds the process that serves it.  The
 * directory belongs to the user, and the peer's user is checked as well. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/wire.h"

static int
directory(char *ret, size_t size, bool make)
{
	const char *run = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (geteuid() == 0)
		snprintf(ret, size, "/run/vhd");
	else if (run && run[0] == '/')
		snprintf(ret, size, "%s/vhd", run);
	else
		snprintf(ret, size, "/run/user/%u/vhd", (unsigned)geteuid());
	if (make && mkdir(ret, 0700) < 0 && errno != EEXIST)
		return fail_sys(errno, "%s: cannot make it for control sockets",
				ret);
	if (make && (lstat(ret, &st) < 0 || !S_ISDIR(st.st_mode) ||
		     st.st_uid != geteuid()))
		return fail(VHD_E_POLICY,
			    "%s: is not a directory of this user, so no "
			    "control socket is put there",
			    ret);
	return 0;
}

int
control_place(char *ret, size_t ret_size, const char *disk, bool make)
{
	char dir[80];
	struct stat st;
	int err, n;

	if (stat(disk, &st) < 0)
		return fail_sys(errno, "%s", disk);
	err = directory(dir, sizeof(dir), make);
	if (err)
		return err;
	n = snprintf(ret, ret_size, "%s/%llx-%llx.sock", dir,
		     (unsigned long long)st.st_dev,
		     (unsigned long long)st.st_ino);
	if (n < 0 || (size_t)n >= ret_size)
		return fail(VHD_E_INVALID, "%s: too long for a socket", dir);
	return 0;
}

static int
address(struct sockaddr_un *ret, const char *path)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(ret->sun_path))
		return fail(VHD_E_INVALID,
			    "%s: longer than the %zu bytes a socket's path "
			    "may have",
			    path, sizeof(ret->sun_path) - 1);
	memcpy(ret->sun_path, path, strlen(path));
	return 0;
}

static int
new_socket(int *ret)
{
	*ret = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return *ret < 0 ? fail_sys(errno, "cannot make a socket") : 0;
}

int
control_connect(int *ret_fd, const char *path)
{
	struct sockaddr_un a;
	int fd = -1, err = address(&a, path);

	if (!err)
		err = new_socket(&fd);
	if (err)
		return err;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		int sys = errno;

		close(fd);
		if (sys == ENOENT || sys == ECONNREFUSED)
			return fail(VHD_E_NOTFOUND, "%s: nobody listens", path);
		return fail_sys(sys, "%s: cannot connect", path);
	}
	*ret_fd = fd;
	return 0;
}

int
control_remove_stale(const char *path)
{
	int fd = -1, err = control_connect(&fd, path);

	if (!err) {
		close(fd);
		return fail(VHD_E_BUSY, "%s: another process listens there",
			    path);
	}
	if (err == VHD_E_NOTFOUND && unlink(path) < 0 && errno != ENOENT)
		return fail_sys(errno, "%s: cannot remove", path);
	return err == VHD_E_NOTFOUND ? 0 : err;
}

int
control_listen(int *ret_fd, const char *path)
{
	struct sockaddr_un a;
	int fd = -1, err = address(&a, path);

	if (!err)
		err = control_remove_stale(path);
	if (!err)
		err = new_socket(&fd);
	if (err)
		return err;
	/* The mode of a socket that nobody can connect to yet. */
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    chmod(path, 0600) < 0 || listen(fd, 8) < 0) {
		err = fail_sys(errno, "%s: cannot listen", path);
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

bool
control_peer_allowed(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == geteuid();
}
