/* SPDX-License-Identifier: BSD-3-Clause */
/* commands.c - what a server can be asked (docs/control.md).
 *
 * Commands of a job start it and return its id; how it goes on comes as
 * events, and query-jobs tells at any time. */
#include <string.h>
#include <unistd.h>

#include "control/server.h"
#include "tree/snapshot.h"

json_t *
control_error(int err)
{
	return json_pack("{s{ss ss}}", "error", "class", error_name(err),
			 "desc", error_message());
}

static json_t *
done(json_t *value)
{
	return value ? json_pack("{so}", "return", value) : NULL;
}

static json_t *
capabilities(struct control *c, json_t *a)
{
	(void)c;
	(void)a;
	return done(json_object());
}

/* The list with another item; NULL, and neither, for want of memory. */
static json_t *
with(json_t *list, json_t *item)
{
	if (json_array_append_new(list, item) == 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
query_disk(struct control *c, json_t *a)
{
	struct chain *chain = c->chain;
	json_t *layers = json_array(), *disk;

	(void)a;
	gate_share(&chain->gate, 0);
	for (uint32_t i = 0; layers && i < chain->depth; i++)
		layers = with(layers, json_string(chain->layers[i].path));
	disk = json_pack("{ss sI sI sI so sb}", "filename",
			 chain->layers[0].path, "virtual-size",
			 (json_int_t)chain->size, "pid", (json_int_t)getpid(),
			 "since", (json_int_t)c->since, "layers", layers,
			 "writable", chain->writable);
	gate_unshare(&chain->gate, 0);
	return done(disk);
}

static json_t *
query_jobs(struct control *c, json_t *a)
{
	json_t *jobs = json_array();

	(void)a;
	pthread_mutex_lock(&c->lock);
	if (jobs && c->run.id[0])
		jobs = with(jobs, run_describe(&c->run));
	pthread_mutex_unlock(&c->lock);
	return done(jobs);
}

/* The job that the request is about: the one there is, unless it names
 * another. [lock] */
static int
the_job(struct control *c, const json_t *a)
{
	const char *id = json_string_value(json_object_get(a, "id"));

	if (c->run.id[0] && c->run.state != RUN_CONCLUDED &&
	    (!id || !strcmp(id, c->run.id)))
		return 0;
	return fail(VHD_E_NOTFOUND, "%s: no such job runs on it",
		    c->chain->name);
}

enum change { PAUSE, RESUME, CANCEL, SPEED };

static json_t *
change_job(struct control *c, const json_t *a, enum change what)
{
	json_int_t speed = json_integer_value(json_object_get(a, "speed"));
	int err;

	pthread_mutex_lock(&c->lock);
	err = the_job(c, a);
	if (!err && what == SPEED && speed < 0)
		err = fail(VHD_E_INVALID, "a speed of %lld bytes a second",
			   (long long)speed);
	if (!err && what == SPEED)
		__atomic_store_n(&c->run.opts.rate, (uint64_t)speed,
				 __ATOMIC_RELAXED);
	else if (!err && what == CANCEL)
		c->run.cancel = true;
	else if (!err)
		c->run.pause = what == PAUSE;
	if (!err && what == RESUME)
		c->run.waits = false;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	return err ? control_error(err) : done(json_object());
}

static json_t *
job_pause(struct control *c, json_t *a)
{
	return change_job(c, a, PAUSE);
}

static json_t *
job_resume(struct control *c, json_t *a)
{
	return change_job(c, a, RESUME);
}

static json_t *
job_cancel(struct control *c, json_t *a)
{
	return change_job(c, a, CANCEL);
}

static json_t *
job_set_speed(struct control *c, json_t *a)
{
	return change_job(c, a, SPEED);
}

static json_t *
snapshot(struct control *c, json_t *a)
{
	const char *name = json_string_value(json_object_get(a, "name"));
	int err = name ? snapshot_create_live(c->chain, name)
		       : fail(VHD_E_INVALID, "snapshot-create needs a name");

	if (!err) {
		pthread_mutex_lock(&c->lock);
		err = control_renew(c);
		pthread_mutex_unlock(&c->lock);
	}
	return err ? control_error(err) : done(json_object());
}

typedef json_t *(*command_fn)(struct control *c, json_t *arguments);

static const struct {
	const char *name;
	command_fn run;
} commands[] = {
	{"qmp_capabilities", capabilities}, {"query-disk", query_disk},
	{"query-jobs", query_jobs},         {"job-pause", job_pause},
	{"job-resume", job_resume},         {"job-cancel", job_cancel},
	{"job-set-speed", job_set_speed},   {"snapshot-create", snapshot},
};

static command_fn
command_of(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, name))
			return commands[i].run;
	return NULL;
}

static json_t *
start_job(struct control *c, const char *name, json_t *arguments)
{
	json_t *job;
	int err = run_start(c, name, arguments);

	if (err)
		return control_error(err);
	pthread_mutex_lock(&c->lock);
	job = json_string(c->run.id);
	pthread_mutex_unlock(&c->lock);
	return done(json_pack("{so}", "job", job));
}

json_t *
control_execute(struct control *c, const json_t *request)
{
	const char *name =
		json_string_value(json_object_get(request, "execute"));
	json_t *arguments = json_object_get(request, "arguments");
	json_t *empty = NULL, *reply;
	command_fn run;

	if (!name || (arguments && !json_is_object(arguments)))
		return control_error(fail(
			VHD_E_INVALID, "a request has \"execute\", a string, "
				       "and \"arguments\", an object"));
	if (!arguments)
		arguments = empty = json_object();
	run = command_of(name);
	reply = run ? run(c, arguments) : start_job(c, name, arguments);
	json_decref(empty);
	return reply;
}
