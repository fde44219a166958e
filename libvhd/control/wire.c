/* SPDX-License-Identifier: BSD-3-Clause */
/* wire.c - one JSON object a line. */
#include "control/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
wire_init(struct wire *w, int fd, const char *name)
{
	*w = (struct wire){.fd = fd};
	snprintf(w->name, sizeof(w->name), "%s", name);
}

void
wire_close(struct wire *w)
{
	if (w->fd >= 0)
		close(w->fd);
	free(w->buf);
	w->fd = -1;
	w->buf = NULL;
}

static int
send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_sys(errno, "the control socket");
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int
wire_send(int fd, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	size_t len;
	int err;

	json_decref(object);
	if (!text)
		return fail_nomem();
	len = strlen(text);
	text[len] = '\n'; /* in the place of the NUL */
	err = send_all(fd, text, len + 1);
	free(text);
	return err;
}

/* The first line in the buffer, as an object. */
static int
take_line(json_t **ret, struct wire *w, char *end)
{
	size_t len = (size_t)(end - w->buf);
	json_error_t why;

	*ret = json_loadb(w->buf, len, JSON_REJECT_DUPLICATES, &why);
	w->have -= len + 1;
	memmove(w->buf, end + 1, w->have);
	if (!*ret && json_error_code(&why) == json_error_out_of_memory)
		return fail_nomem();
	if (!json_is_object(*ret)) {
		json_decref(*ret);
		*ret = NULL;
		return fail(VHD_E_INVALID,
			    "%s: sent something that is not a JSON object",
			    w->name);
	}
	return 0;
}

static int
fill(struct wire *w)
{
	ssize_t n;

	if (!w->buf)
		w->buf = malloc(WIRE_LINE_MOST);
	if (!w->buf)
		return fail_nomem();
	if (w->have == WIRE_LINE_MOST)
		return fail(VHD_E_TOOBIG,
			    "%s: sent a line of more than %u bytes", w->name,
			    WIRE_LINE_MOST);
	do
		n = recv(w->fd, w->buf + w->have, WIRE_LINE_MOST - w->have, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return fail_sys(errno, "%s: control socket", w->name);
	if (n == 0)
		return fail(VHD_E_NOTFOUND,
			    "%s: the process that serves it ended, or closed "
			    "the connection; try: vhdtool job list %s",
			    w->name, w->name);
	w->have += (size_t)n;
	return 0;
}

int
wire_read(json_t **ret, struct wire *w, int timeout_ms)
{
	struct pollfd p = {.fd = w->fd, .events = POLLIN};
	int err = 0;

	*ret = NULL;
	while (!err) {
		char *end = w->have ? memchr(w->buf, '\n', w->have) : NULL;
		int ready;

		if (end)
			return take_line(ret, w, end);
		ready = poll(&p, 1, timeout_ms);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			return 0;
		err = fill(w);
	}
	return err;
}
