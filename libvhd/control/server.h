/* SPDX-License-Identifier: BSD-3-Clause */
/* server.h - the serving end: requests to a process that has a disk open.
 *
 * One thread accepts, one serves each connection, one runs the job (there is
 * one at a time).  control.lock is held for moments only, and the only lock
 * taken under it is a connection's send_lock. */
#ifndef VHDI_SERVER_H
#define VHDI_SERVER_H
#include <pthread.h>
#include <vhd.h>

#include "chain/chain.h"
#include "control/wire.h"

struct connection {
	struct connection *next;
	struct control *control;
	pthread_t thread;
	struct wire wire;
	pthread_mutex_t send_lock;
	bool greeted; /* may be sent events [control.lock] */
	bool gone;    /* its thread can be joined [control.lock] */
};

/* A job's life, in QEMU's words. */
enum run_state { RUN_RUNNING, RUN_PAUSED, RUN_ABORTING, RUN_CONCLUDED };

/* A layer of the job, by its file. */
struct known_layer {
	struct io_id id;
	bool set;
};

enum run_layer { RUN_LAYER, RUN_INTO, RUN_LAYERS };

/* The job that runs, or ran last. [control.lock] */
struct run {
	char id[24];
	char type[24];
	enum run_state state;
	uint64_t done, total;
	char phase[24];
	int64_t started;
	bool cancel, pause;
	bool begun;         /* it has got past its plan */
	bool waits;         /* paused, because there is no space: error */
	uint64_t base;      /* done before it waited last */
	struct error error; /* code 0: done well */
	struct known_layer layers[RUN_LAYERS]; /* of its thread */
	struct vhd_job_opts opts;
	json_t *arguments;
	pthread_t thread;
	bool joinable;
};

struct control {
	struct chain *chain;
	char path[108];  /* of the socket */
	char place[108]; /* where it is found by the disk's file: the socket
			  * itself, or a link to it; renewed when the leaf
			  * changes; "": nowhere */
	int listen_fd, wake[2];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct connection *connections; /* [lock] */
	struct run run;                 /* [lock] */
	unsigned runs;                  /* [lock] */
	bool stopping;                  /* [lock] */
	int64_t since;
};

int control_start(struct control **ret, struct chain *chain,
		  const struct vhd_control_opts *opts) MUST_CHECK;
/* A running job is stopped at a consistent point; then everyone leaves. */
void control_stop(struct control *c);

/* The leaf is another file now: listen under its name. [lock] */
int control_renew(struct control *c) MUST_CHECK;

/* pthread_create(), with every signal blocked: they are for the program. */
int control_thread(pthread_t *ret, void *(*run)(void *), void *user) MUST_CHECK;

/* To everyone who listens; takes data over. */
void control_broadcast(struct control *c, const char *event, json_t *data);

/* commands.c: the answer to a request, to be sent. */
json_t *control_execute(struct control *c, const json_t *request);
json_t *control_error(int err);

/* works.c: one try at the job of c->run, on its thread. */
bool work_is_known(const char *type);
int work_do(struct control *c) MUST_CHECK;

/* runs.c */
int run_start(struct control *c, const char *type,
	      json_t *arguments) MUST_CHECK;
json_t *run_describe(const struct run *r); /* [lock] */
void run_stop(struct control *c);
/* Layers with a hidden name are a merge that was interrupted: go on. */
int run_resume(struct control *c) MUST_CHECK;
#endif
