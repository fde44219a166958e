/* SPDX-License-Identifier: BSD-3-Clause */
/* server.c - accept connections, read requests, send answers and events. */
#include "control/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int
connection_send(struct connection *k, json_t *object)
{
	int err;

	pthread_mutex_lock(&k->send_lock);
	err = wire_send(k->wire.fd, object);
	pthread_mutex_unlock(&k->send_lock);
	return err;
}

static json_t *
event_object(const char *event, json_t *data)
{
	return json_pack("{ss sO s{sI}}", "event", event, "data", data,
			 "timestamp", "seconds", (json_int_t)time(NULL));
}

void
control_broadcast(struct control *c, const char *event, json_t *data)
{
	pthread_mutex_lock(&c->lock);
	for (struct connection *k = c->connections; k; k = k->next)
		if (k->greeted && !k->gone &&
		    connection_send(k, event_object(event, data)))
			shutdown(k->wire.fd, SHUT_RDWR); /* dropped */
	pthread_mutex_unlock(&c->lock);
	json_decref(data);
}

int
control_thread(pthread_t *ret, void *(*run)(void *), void *user)
{
	sigset_t all, old;
	int sys;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	sys = pthread_create(ret, NULL, run, user);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return sys ? fail_sys(sys, "cannot start a thread") : 0;
}

static json_t *
greeting(void)
{
	return json_pack("{s{s{si si si} s[]}}", "QMP", "version", "major",
			 VHD_VERSION_MAJOR, "minor", VHD_VERSION_MINOR, "micro",
			 VHD_VERSION_PATCH, "capabilities");
}

/* Answers carry the id of their request. */
static json_t *
answer(struct control *c, const json_t *request)
{
	json_t *id = json_object_get(request, "id");
	json_t *reply = control_execute(c, request);

	if (!reply)
		reply = control_error(fail_nomem());
	if (!id || json_object_set(reply, "id", id) == 0)
		return reply;
	json_decref(reply);
	return NULL;
}

static void *
serve(void *user)
{
	struct connection *k = user;
	int err = connection_send(k, greeting());

	/* Nothing comes before the greeting. */
	pthread_mutex_lock(&k->control->lock);
	k->greeted = true;
	pthread_mutex_unlock(&k->control->lock);
	while (!err) {
		json_t *request, *reply;

		err = wire_read(&request, &k->wire, -1);
		if (err == VHD_E_INVALID) {
			err = connection_send(k, control_error(err));
			continue;
		}
		if (err || !request)
			continue;
		reply = answer(k->control, request);
		json_decref(request);
		err = reply ? connection_send(k, reply) : VHD_E_NOMEM;
	}
	/* Whoever waits for an answer that could not be made is told now. */
	pthread_mutex_lock(&k->control->lock);
	shutdown(k->wire.fd, SHUT_RDWR);
	k->gone = true;
	pthread_mutex_unlock(&k->control->lock);
	return NULL;
}

static void
free_connection(struct connection *k)
{
	pthread_join(k->thread, NULL);
	wire_close(&k->wire);
	pthread_mutex_destroy(&k->send_lock);
	free(k);
}

/* Join those who left; all of them at the end. */
static void
sweep(struct control *c, bool all)
{
	struct connection *left = NULL, **at;

	pthread_mutex_lock(&c->lock);
	at = &c->connections;
	while (*at) {
		struct connection *k = *at;

		if (!k->gone && !all) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		k->next = left;
		left = k;
		if (!k->gone)
			shutdown(k->wire.fd, SHUT_RDWR);
	}
	pthread_mutex_unlock(&c->lock);
	while (left) {
		struct connection *k = left;

		left = k->next;
		free_connection(k);
	}
}

/* A client that does not read its events is not waited for. */
static void
limit_sending(int fd)
{
	struct timeval t = {.tv_sec = 5};

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
}

static void
welcome(struct control *c, int fd)
{
	struct connection *k = calloc(1, sizeof(*k));

	if (!k || !control_peer_allowed(fd)) {
		close(fd);
		free(k);
		return;
	}
	k->control = c;
	limit_sending(fd);
	wire_init(&k->wire, fd, "a client");
	pthread_mutex_init(&k->send_lock, NULL);
	pthread_mutex_lock(&c->lock);
	if (control_thread(&k->thread, serve, k) == 0) {
		k->next = c->connections;
		c->connections = k;
		k = NULL;
	}
	pthread_mutex_unlock(&c->lock);
	if (k) {
		wire_close(&k->wire);
		free(k);
	}
}

static void *
accept_loop(void *user)
{
	struct control *c = user;

	for (;;) {
		struct pollfd p[2] = {{.fd = c->wake[0], .events = POLLIN},
				      {.fd = c->listen_fd, .events = POLLIN}};
		int fd;

		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return NULL;
		}
		if (p[0].revents)
			return NULL;
		fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			welcome(c, fd);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			(void)poll(p, 1, 100); /* who waits stays readable */
		sweep(c, false);
	}
}

int
control_renew(struct control *c)
{
	bool link = strcmp(c->path, c->place) != 0;
	char place[sizeof(c->place)];
	int err;

	if (!c->place[0])
		return 0;
	err = control_place(place, sizeof(place), c->chain->layers[0].path,
			    true);
	if (err || !strcmp(place, c->place))
		return err;
	if (rename(c->place, place) < 0)
		return fail_sys(errno, "%s: cannot rename the control socket",
				c->place);
	memcpy(c->place, place, sizeof(place));
	if (!link)
		memcpy(c->path, place, sizeof(place));
	return 0;
}

static int
find_place(struct control *c, const struct vhd_control_opts *opts)
{
	int err = control_place(c->place, sizeof(c->place),
				c->chain->layers[0].path, true);

	if (err)
		c->place[0] = '\0';
	if (!opts->socket) {
		memcpy(c->path, c->place, sizeof(c->path));
		return err;
	}
	if (strlen(opts->socket) >= sizeof(c->path))
		return fail(VHD_E_INVALID, "%s: too long for a socket",
			    opts->socket);
	memcpy(c->path, opts->socket, strlen(opts->socket) + 1);
	return 0;
}

/* A socket elsewhere is found through a link, where one can be made; before
 * it listens, or a link that a killed server left would seem to be in use. */
static void
link_place(struct control *c)
{
	if (!c->place[0] || !strcmp(c->path, c->place))
		return;
	if (c->path[0] != '/' || control_remove_stale(c->place) != 0 ||
	    symlink(c->path, c->place) < 0)
		c->place[0] = '\0';
}

static void
unlink_all(const struct control *c)
{
	if (c->place[0])
		(void)unlink(c->place);
	(void)unlink(c->path);
}

static void
control_free(struct control *c)
{
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	for (int i = 0; i < 2; i++)
		if (c->wake[i] >= 0)
			close(c->wake[i]);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
	free(c);
}

static int
start_listening(struct control *c, const struct vhd_control_opts *opts)
{
	int err = find_place(c, opts);

	if (!err && pipe2(c->wake, O_CLOEXEC) < 0)
		err = fail_sys(errno, "cannot make a pipe");
	if (err)
		return err;
	link_place(c);
	err = control_listen(&c->listen_fd, c->path);
	if (err) {
		if (strcmp(c->path, c->place) != 0 && c->place[0])
			(void)unlink(c->place);
		return err;
	}
	err = control_thread(&c->thread, accept_loop, c);
	if (err)
		unlink_all(c);
	return err;
}

int
control_start(struct control **ret, struct chain *chain,
	      const struct vhd_control_opts *opts)
{
	struct control *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return fail_nomem();
	c->chain = chain;
	c->since = time(NULL);
	c->listen_fd = c->wake[0] = c->wake[1] = -1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	err = start_listening(c, opts);
	if (err) {
		control_free(c);
		return err;
	}
	if (opts->autoresume)
		err = run_resume(c);
	if (err) {
		control_stop(c);
		return err;
	}
	*ret = c;
	return 0;
}

void
control_stop(struct control *c)
{
	if (!c)
		return;
	run_stop(c);
	unlink_all(c);
	close(c->wake[1]);
	c->wake[1] = -1;
	pthread_join(c->thread, NULL);
	sweep(c, true);
	control_free(c);
}
