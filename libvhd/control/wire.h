/* SPDX-License-Identifier: BSD-3-Clause */
/* wire.h - JSON objects, one a line, over a UNIX socket: the framing of QMP
 * (docs/control.md).  What a peer may make us hold is bounded. */
#ifndef VHDI_WIRE_H
#define VHDI_WIRE_H
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define WIRE_LINE_MOST (256u << 10)

struct wire {
	int fd;
	char *buf;
	size_t have;
	char name[128]; /* for messages */
};

void wire_init(struct wire *w, int fd, const char *name);
void wire_close(struct wire *w);

/* One object; takes it over.  Safe for one writer at a time. */
int wire_send(int fd, json_t *object) MUST_CHECK;

/* The next object; waits at most timeout_ms (-1: for ever).  *ret is NULL
 * when the time is up.  VHD_E_NOTFOUND: the peer went away. */
int wire_read(json_t **ret, struct wire *w, int timeout_ms) MUST_CHECK;

/* place.c: where the socket of a disk is, by device and inode of its file;
 * ret_size >= 108.  make: create the directory. */
int control_place(char *ret, size_t ret_size, const char *disk,
		  bool make) MUST_CHECK;

/* Remove a socket, or a link to one, that was left by a process which was
 * killed.  VHD_E_BUSY: somebody listens there. */
int control_remove_stale(const char *path) MUST_CHECK;

/* Listen at a path, 0600, replacing a socket that nobody answers. */
int control_listen(int *ret_fd, const char *path) MUST_CHECK;
/* VHD_E_NOTFOUND when nobody listens. */
int control_connect(int *ret_fd, const char *path) MUST_CHECK;

/* Is the process at the other end of the same user, or root? */
bool control_peer_allowed(int fd);
#endif
