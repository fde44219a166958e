/* SPDX-License-Identifier: BSD-3-Clause */
/* client.c - ask the process that serves a disk.
 *
 * A command that starts a job is followed to its end: its events become
 * progress, and a progress callback that says stop becomes job-cancel.  If
 * this process is killed the job goes on. */
#include "control/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/wire.h"

struct client {
	struct wire wire;
	const struct vhd_job_opts *job;
	char id[32];
	bool cancelled;
};

static int
request(struct client *k, const char *command, json_t *arguments)
{
	return wire_send(k->wire.fd,
			 json_pack("{ss so}", "execute", command, "arguments",
				   arguments ? arguments : json_object()));
}

static int
code_of(const char *class)
{
	for (int code = -1; code > -64; code--)
		if (class && !strcmp(error_name(code), class))
			return code;
	return VHD_E_IO;
}

static int
fail_as_told(const json_t *e, const char *text_key)
{
	const char *class = json_string_value(json_object_get(e, "class"));
	const char *text = json_string_value(json_object_get(e, text_key));

	return fail(code_of(class), "%s", text ? text : "no reason was given");
}

/* The answer to the last request; events in between are of no interest. */
static int
read_answer(json_t **ret, struct client *k)
{
	for (;;) {
		json_t *o, *e, *value;
		int err = wire_read(&o, &k->wire, -1);

		if (err)
			return err;
		e = json_object_get(o, "error");
		value = json_object_get(o, "return");
		if (e)
			err = fail_as_told(e, "desc");
		else if (value)
			*ret = json_incref(value);
		json_decref(o);
		if (e || value)
			return err;
	}
}

static int
open_client(struct client *k, const char *disk)
{
	char path[108];
	int fd = -1, err = control_place(path, sizeof(path), disk, false);
	json_t *hello = NULL;

	if (!err)
		err = control_connect(&fd, path);
	if (err == VHD_E_NOTFOUND)
		return fail(err, "%s: no process that serves it answers", disk);
	if (err)
		return err;
	wire_init(&k->wire, fd, disk);
	err = wire_read(&hello, &k->wire, 10000);
	if (!err && !json_object_get(hello, "QMP"))
		err = fail(VHD_E_NOTFOUND,
			   "%s: what listens at %s is no server of disks", disk,
			   path);
	json_decref(hello);
	return err;
}

/* Inodes are used again: ask whether it is this disk. */
static int
confirm(struct client *k, const char *disk)
{
	json_t *answer = NULL;
	const char *path;
	struct stat a, b;
	int err = request(k, "query-disk", NULL);

	if (!err)
		err = read_answer(&answer, k);
	if (err)
		return err;
	path = json_string_value(json_object_get(answer, "filename"));
	if (!path || stat(path, &a) < 0 || stat(disk, &b) < 0 ||
	    a.st_dev != b.st_dev || a.st_ino != b.st_ino)
		err = fail(VHD_E_NOTFOUND,
			   "%s: the server found serves another disk (%s)",
			   disk, path ? path : "unnamed");
	json_decref(answer);
	return err;
}

/* ---- Jobs ---- */

static int
show_progress(struct client *k, const json_t *data)
{
	struct vhd_progress p = {
		.done = (uint64_t)json_integer_value(
			json_object_get(data, "current-progress")),
		.total = (uint64_t)json_integer_value(
			json_object_get(data, "total-progress")),
		.phase = json_string_value(json_object_get(data, "phase"))};
	const char *status = json_string_value(json_object_get(data, "status"));

	if (status && !strcmp(status, "paused"))
		p.waits = json_string_value(json_object_get(data, "error"));

	if (!p.phase)
		p.phase = "";
	if (!k->job || !k->job->progress || k->cancelled ||
	    !k->job->progress(&p, k->job->progress_user))
		return 0;
	k->cancelled = true;
	return request(k, "job-cancel", json_pack("{ss}", "id", k->id));
}

/* What is told of a job; *ret_over when it is ours and has ended. */
static int
on_job(bool *ret_over, struct client *k, const json_t *data)
{
	const char *id = json_string_value(json_object_get(data, "id"));
	const char *status = json_string_value(json_object_get(data, "status"));
	int err;

	*ret_over = false;
	if (!id || strcmp(id, k->id) != 0)
		return 0;
	err = show_progress(k, data);
	if (err || !status || strcmp(status, "concluded") != 0)
		return err;
	*ret_over = true;
	return json_object_get(data, "error") ? fail_as_told(data, "error") : 0;
}

/* A job may have ended before its events were listened to, so the list of
 * jobs is asked for as well, at first and when nothing comes. */
static int
follow(struct client *k)
{
	bool over = false;
	int err = request(k, "query-jobs", NULL);

	while (!err && !over) {
		json_t *o, *jobs;

		err = wire_read(&o, &k->wire, 500);
		if (err)
			return err;
		jobs = json_object_get(o, "return");
		if (!o)
			err = request(k, "query-jobs", NULL);
		else if (json_is_array(jobs))
			err = on_job(&over, k, json_array_get(jobs, 0));
		else
			err = on_job(&over, k, json_object_get(o, "data"));
		json_decref(o);
	}
	return err;
}

static int
call(char **ret_json, struct client *k, const char *command, json_t *arguments)
{
	json_t *answer = NULL;
	const char *id;
	int err = request(k, command, arguments);

	if (!err)
		err = read_answer(&answer, k);
	if (err)
		return err;
	id = json_string_value(json_object_get(answer, "job"));
	if (id && strlen(id) < sizeof(k->id)) {
		memcpy(k->id, id, strlen(id) + 1);
		err = follow(k);
	}
	if (!err && ret_json) {
		*ret_json = json_dumps(answer, JSON_COMPACT);
		if (!*ret_json)
			err = fail_nomem();
	}
	json_decref(answer);
	return err;
}

static int
read_arguments(json_t **ret, const char *text)
{
	json_error_t why;

	*ret = json_loads(text, 0, &why);
	if (json_is_object(*ret))
		return 0;
	if (!*ret && json_error_code(&why) == json_error_out_of_memory)
		return fail_nomem();
	return fail(VHD_E_INVALID, "the arguments are not a JSON object");
}

int
client_call(char **ret_json, const char *disk, const char *command,
	    const char *arguments, const struct vhd_job_opts *job)
{
	struct client k = {.wire = {.fd = -1}, .job = job};
	json_t *a = NULL;
	int err = arguments ? read_arguments(&a, arguments) : 0;

	if (!err)
		err = open_client(&k, disk);
	if (!err)
		err = confirm(&k, disk);
	if (!err)
		err = call(ret_json, &k, command, json_incref(a));
	json_decref(a);
	wire_close(&k.wire);
	return err;
}
