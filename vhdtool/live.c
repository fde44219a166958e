/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.c - find the process that serves a disk, and have it do the job.
 *
 * A served disk is found by its own file.  When the file of one of its parents
 * is given, every live disk beside that is asked what it stands on.
 */
#include "live.h"

#include "exit.h"
#include "memory.h"
#include "out.h"
#include "say.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAPS   8
#define NAP_NS 50000000L

void
live_free(struct live *live)
{
	free(live->disk);
	json_decref(live->info);
	*live = (struct live){0};
}

static int
call(json_t **ret, const char *disk, const char *command,
     const json_t *arguments, const struct vhd_job_opts *job)
{
	AUTO_FREE char *text = NULL, *answer = NULL;
	int err;

	if (arguments)
		text = must(json_dumps(arguments, JSON_COMPACT));
	err = vhd_control_call(&answer, disk, command, text, job);
	if (!err && ret)
		*ret = must(json_loads(answer, JSON_DECODE_ANY, NULL));
	return err;
}

static bool
ask_disk(struct live *ret, const char *disk)
{
	json_t *info = NULL;

	if (call(&info, disk, "query-disk", NULL, NULL))
		return false;
	ret->disk = must(strdup(disk));
	ret->info = info;
	return true;
}

size_t
live_layers(const struct live *live)
{
	return json_array_size(json_object_get(live->info, "layers"));
}

size_t
live_layer(const struct live *live, const char *path)
{
	const json_t *layers = json_object_get(live->info, "layers");
	AUTO_FREE char *full = realpath(path, NULL);
	size_t i = 0, n = live_layers(live);

	while (i < n) {
		const char *layer =
			json_string_value(json_array_get(layers, i));

		if (full && layer && strcmp(layer, full) == 0)
			break;
		i++;
	}
	return i;
}

static bool
ask_node(struct live *ret, const struct vhd_tree_node *node, const char *path)
{
	if (node->err || !node->live || !ask_disk(ret, node->path))
		return false;
	if (live_layer(ret, path) < live_layers(ret))
		return true;
	live_free(ret);
	return false;
}

/* Does a disk in the same directory, which is served, stand on path? */
static bool
ask_beside(struct live *ret, const char *path)
{
	AUTO_FREE char *full = realpath(path, NULL);
	AUTO_FREE char *copy = full ? must(strdup(full)) : NULL;
	const char *dir = copy ? dirname(copy) : NULL;
	vhd_tree_t *tree;
	bool found = false;

	if (!dir || vhd_tree_scan(&tree, &dir, 1))
		return false;
	for (size_t i = 0; i < vhd_tree_count(tree) && !found; i++)
		found = ask_node(ret, vhd_tree_get(tree, i), path);
	vhd_tree_free(tree);
	return found;
}

bool
live_look(struct live *ret, const char *path)
{
	*ret = (struct live){0};
	return ask_disk(ret, path) || ask_beside(ret, path);
}

typedef bool (*look_fn)(struct live *ret, const char *path);

/* A server that has just begun, or whose live disk has just become another
 * file, is not where it is looked for until a moment later. */
static int
find(struct live *ret, const char *path, int err, look_fn look)
{
	AUTO_FREE char *why = must(strdup(vhd_last_message()));
	const struct timespec nap = {.tv_nsec = NAP_NS};

	if (err != VHD_E_BUSY)
		return say_err(err);
	*ret = (struct live){0};
	for (int i = 0; i < NAPS; i++) {
		if (look(ret, path))
			return EXIT_DONE;
		nanosleep(&nap, NULL);
	}
	say("%s", why);
	return exit_from_err(err);
}

int
live_find(struct live *ret, const char *path, int err)
{
	return find(ret, path, err, ask_disk);
}

int
live_find_layer(struct live *ret, const char *path, int err)
{
	return find(ret, path, err, live_look);
}

json_t *
live_path(const char *path)
{
	AUTO_FREE char *full = realpath(path, NULL);

	return out_string(full ? full : path);
}

void
live_search(json_t *arguments, const struct words *search)
{
	json_t *dirs;

	if (search->count == 0)
		return;
	dirs = must(json_array());
	for (size_t i = 0; i < search->count; i++)
		out_append(dirs, live_path(search->items[i]));
	out_add(arguments, "search", dirs);
}

int
live_job(const struct live *live, const char *command, json_t *arguments,
	 const struct job_args *args)
{
	vhd_t *none = NULL;
	struct job job;
	int err;

	job_begin(&job, command, args);
	if (args->rate)
		out_number(arguments, "speed", args->rate);
	err = call(NULL, live->disk, command, arguments, &job.opts);
	json_decref(arguments);
	return job_end(&job, err, &none);
}

int
live_ask(json_t **ret, const struct live *live, const char *command,
	 json_t *arguments)
{
	int err = call(ret, live->disk, command, arguments, NULL);

	json_decref(arguments);
	return err ? say_err(err) : EXIT_DONE;
}
