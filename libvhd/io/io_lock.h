/* SPDX-License-Identifier: BSD-3-Clause */
/* io_lock.h - the bytes of a file that stand for what its openers do and do
 * not allow; the convention is QEMU's, so that QEMU and we exclude each other.
 *
 * Byte LOCK_HELD + p is locked by whoever uses permission p, byte LOCK_KEPT +
 * p by whoever keeps others from using it.  All of these are shared locks,
 * which never collide; taking them and then testing for others' is what
 * collides.
 *
 *	                 uses             keeps away
 *	IO_LOCK_READ     read             write, resize
 *	IO_LOCK_WRITE    read, write,     write, resize
 *	                 resize
 *
 * So readers share; a writer, ours or QEMU's, is alone but for readers that
 * declared to accept writers, which is QEMU's option force-share. */
#ifndef VHDI_IO_LOCK_H
#define VHDI_IO_LOCK_H
#include <stdbool.h>

enum lock_perm {
	LOCK_PERM_READ = 0,
	LOCK_PERM_WRITE = 1,
	LOCK_PERM_WRITE_SAME = 2,
	LOCK_PERM_RESIZE = 3,
	LOCK_PERMS = 4,
};

#define LOCK_HELD 100
#define LOCK_KEPT 200

/* Does another open file hold a lock on this byte?  A failure reads as no;
 * *ret_pid is 0 unless the system says. */
bool lock_is_taken(long *ret_pid, int fd, int byte);
#endif
