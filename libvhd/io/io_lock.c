/* SPDX-License-Identifier: BSD-3-Clause */
/* io_lock.c - keep other writers and readers of a file away.
 *
 * Locks belong to the open file, not to the process: closing another
 * descriptor of the same file gives none of them up, and two disks in one
 * process exclude each other.  The bytes are explained in io_lock.h. */
#include "io/io_lock.h"

#include <errno.h>
#include <fcntl.h>

#include "io/holder.h"
#include "io/io_file.h"

/* Bit p of each: permission p. */
struct lock_set {
	unsigned uses;
	unsigned keeps;
};

static const struct lock_set lock_sets[] = {
	[IO_LOCK_NONE] = {0, 0},
	[IO_LOCK_READ] =
		{
			1 << LOCK_PERM_READ,
			1 << LOCK_PERM_WRITE | 1 << LOCK_PERM_RESIZE,
		},
	[IO_LOCK_WRITE] =
		{
			1 << LOCK_PERM_READ | 1 << LOCK_PERM_WRITE |
				1 << LOCK_PERM_RESIZE,
			1 << LOCK_PERM_WRITE | 1 << LOCK_PERM_RESIZE,
		},
};

static int
set_byte(int fd, int byte, short type)
{
	struct flock lock = {
		.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	while (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		if (errno != EINTR)
			return errno;
	return 0;
}

bool
lock_is_taken(long *ret_pid, int fd, int byte)
{
	struct flock lock = {
		.l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = byte,
		.l_len = 1,
	};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return false;
	*ret_pid = lock.l_pid > 0 ? lock.l_pid : 0;
	return true;
}

/* Lock what `want` has and `have` has not; 0 or an errno. */
static int
add_bytes(int fd, struct lock_set have, struct lock_set want)
{
	int sys = 0;

	for (int p = 0; p < LOCK_PERMS && !sys; p++) {
		if (want.uses & ~have.uses & 1u << p)
			sys = set_byte(fd, LOCK_HELD + p, F_RDLCK);
		if (!sys && want.keeps & ~have.keeps & 1u << p)
			sys = set_byte(fd, LOCK_KEPT + p, F_RDLCK);
	}
	return sys;
}

/* Unlock what `keep` has not.  Giving up a lock can fail only for want of
 * memory, and then errs on the safe side. */
static void
drop_bytes(int fd, struct lock_set keep)
{
	for (int p = 0; p < LOCK_PERMS; p++) {
		if (!(keep.uses & 1u << p))
			(void)set_byte(fd, LOCK_HELD + p, F_UNLCK);
		if (!(keep.keeps & 1u << p))
			(void)set_byte(fd, LOCK_KEPT + p, F_UNLCK);
	}
}

/* Does anyone keep away what we use, or use what we keep away?  *ret_writer:
 * that is a writer. */
static bool
collides(bool *ret_writer, long *ret_pid, int fd, struct lock_set want)
{
	for (int p = 0; p < LOCK_PERMS; p++)
		if (want.keeps & 1u << p &&
		    lock_is_taken(ret_pid, fd, LOCK_HELD + p)) {
			*ret_writer = true;
			return true;
		}
	for (int p = 0; p < LOCK_PERMS; p++)
		if (want.uses & 1u << p &&
		    lock_is_taken(ret_pid, fd, LOCK_KEPT + p)) {
			*ret_writer = false;
			return true;
		}
	return false;
}

static int
fail_busy(struct io *io, bool writer, long pid, enum io_lock mode)
{
	struct vhd_holder holder = {.pid = pid};
	struct stat st;
	char who[160];

	if (fstat(io_file_of(io)->fd, &st) == 0)
		holder_search(&holder, &st, io_file_of(io)->fd);
	holder_text(who, sizeof(who), &holder);
	if (mode == IO_LOCK_READ || writer)
		return fail(
			VHD_E_BUSY,
			"%s: in use for writing by %s; close it there first",
			io->name, who);
	return fail(VHD_E_BUSY,
		    "%s: in use for reading by %s; it cannot be written to "
		    "until it is closed there",
		    io->name, who);
}

static int
fail_lock(struct io *io, int sys)
{
	if (sys == ENOLCK || sys == EOPNOTSUPP || sys == ENOSYS ||
	    sys == EINVAL)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: the file system has no locks, so others "
			    "cannot be kept away; try: a copy on one that has",
			    io->name);
	return fail_sys(sys, "%s: cannot lock", io->name);
}

/* Between open and lock, the name may have been given to another file: the
 * one that was opened may be a parent by now. */
static int
check_still_named(struct io *io)
{
	struct stat st;
	struct io_id id;

	if (stat(io->name, &st) < 0)
		return fail_sys(errno, "%s: gone while it was being opened",
				io->name);
	id = io_file_id(&st);
	if (id.device == io->id.device && id.inode == io->id.inode)
		return 0;
	return fail(VHD_E_BUSY,
		    "%s: replaced by another file while it was being opened; "
		    "try again",
		    io->name);
}

static int
change_lock(struct io_file *file, enum io_lock mode)
{
	struct lock_set have = lock_sets[file->held];
	struct lock_set want = lock_sets[mode];
	bool writer;
	long pid;
	int sys, err = 0;

	sys = add_bytes(file->fd, have, want);
	if (sys)
		err = fail_lock(&file->io, sys);
	else if (collides(&writer, &pid, file->fd, want))
		err = fail_busy(&file->io, writer, pid, mode);
	else if (file->held == IO_LOCK_NONE && mode != IO_LOCK_NONE)
		err = check_still_named(&file->io);
	drop_bytes(file->fd, err ? have : want);
	if (!err)
		file->held = mode;
	return err;
}

int
io_file_lock(struct io *io, enum io_lock mode)
{
	struct io_file *file = io_file_of(io);
	int err;

	pthread_mutex_lock(&file->lock_lock);
	err = change_lock(file, mode);
	pthread_mutex_unlock(&file->lock_lock);
	return err;
}
