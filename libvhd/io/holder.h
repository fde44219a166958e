/* SPDX-License-Identifier: BSD-3-Clause */
/* holder.h - who has a file open and locked. */
#ifndef VHDI_HOLDER_H
#define VHDI_HOLDER_H
#include <sys/stat.h>

#include <vhd.h>

#include "base/error.h"

/* Ask about path.  Takes no lock, and leaves ret->struct_size alone. */
int holder_find(struct vhd_holder *ret, const char *path) MUST_CHECK;

/* Look among all processes for one with a lock on the file of st, other than
 * through descriptor not_fd of this process; a writer is preferred.  Fills
 * pid, since and program as far as the system lets us see. */
void holder_search(struct vhd_holder *ret, const struct stat *st, int not_fd);

/* "qemu-system-x86_64 (pid 712, since 2024-05-01 12:00:00 UTC)", or words for
 * an unknown one. */
void holder_text(char *ret, size_t ret_size, const struct vhd_holder *holder);
#endif
