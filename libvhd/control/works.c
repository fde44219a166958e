/* SPDX-License-Identifier: BSD-3-Clause */
/* works.c - what the commands of jobs do: their arguments, and the library's
 * function.
 *
 * A job that waited for space is started again, when the paths in its
 * arguments may be other ones: so layers are known by their files from the
 * first time on. */
#include <stdlib.h>
#include <string.h>

#include "control/server.h"
#include "job/jobs.h"
#include "tree/snapshot.h"

/* The layer at a path; VHD_E_NOTFOUND. */
static int
layer_at(uint32_t *ret, struct chain *c, const char *path)
{
	AUTO_FREE char *full = NULL;
	const char *want = path;
	int err = c->fs->ops->resolve(&full, c->fs, path);

	if (err && err != VHD_E_NOTFOUND)
		return err;
	if (!err)
		want = full;
	for (uint32_t i = 0; i < c->depth; i++) {
		if (strcmp(c->layers[i].path, want) != 0)
			continue;
		*ret = i;
		return 0;
	}
	return fail(VHD_E_NOTFOUND, "%s: is not in the chain of %s", path,
		    c->name);
}

static int
layer_of_file(uint32_t *ret, struct chain *c, const struct io_id *id)
{
	for (uint32_t i = 0; i < c->depth; i++) {
		if (!io_id_equal(c->layers[i].img->io->id, *id))
			continue;
		*ret = i;
		return 0;
	}
	return fail(VHD_E_NOTFOUND, "%s: a layer of the job is gone", c->name);
}

/* The layer that an argument names, if it is there. */
static int
named_layer(uint32_t *ret, struct control *c, enum run_layer which,
	    const json_t *arguments, const char *key)
{
	const char *path = json_string_value(json_object_get(arguments, key));
	struct known_layer *known = &c->run.layers[which];
	int err;

	if (known->set)
		return layer_of_file(ret, c->chain, &known->id);
	if (!path)
		return 0;
	err = layer_at(ret, c->chain, path);
	if (!err) {
		known->id = c->chain->layers[*ret].img->io->id;
		known->set = true;
	}
	return err;
}

/* Directories that the request names, to look in for other images. */
static int
search_of(const char ***ret, size_t *ret_n, const json_t *arguments)
{
	const json_t *list = json_object_get(arguments, "search");
	size_t n = json_array_size(list), k = 0;
	const char **dirs = calloc(n + 1, sizeof(*dirs));

	if (!dirs)
		return fail_nomem();
	for (size_t i = 0; i < n; i++) {
		const char *dir = json_string_value(json_array_get(list, i));

		if (dir)
			dirs[k++] = dir;
	}
	*ret = dirs;
	*ret_n = k;
	return 0;
}

/* [chain taken] */
static int
merge_named(struct control *c, const json_t *a)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	AUTO_FREE const char **dirs = NULL;
	int err = search_of(&dirs, &o.nsearch, a);

	o.search = dirs;
	o.job = &c->run.opts;
	if (json_is_true(json_object_get(a, "at-parent")))
		o.flags = VHD_MERGE_AT_PARENT;
	if (!err)
		err = named_layer(&o.layer, c, RUN_LAYER, a, "layer");
	if (!err)
		err = named_layer(&o.into, c, RUN_INTO, a, "into");
	return err ? err : job_merge_held(c->chain, &o);
}

/* Merges and deletions that were interrupted left layers with hidden names:
 * they come first, and may be what was asked for. */
static int
finish_merges(size_t *ret_n, struct control *c, const json_t *a)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	AUTO_FREE const char **dirs = NULL;
	int err = search_of(&dirs, &o.nsearch, a);

	o.search = dirs;
	o.job = &c->run.opts;
	if (!err)
		err = job_take(c->chain);
	if (err)
		return err;
	err = snapshot_finish_live(ret_n, c->chain, &o);
	job_leave(c->chain);
	return err;
}

static int
do_merge(struct control *c, const json_t *a)
{
	size_t finished;
	int err;

	if (json_is_true(json_object_get(a, "unfinished")))
		return finish_merges(&finished, c, a);
	err = job_take(c->chain);
	if (err)
		return err;
	err = merge_named(c, a);
	job_leave(c->chain);
	return err;
}

static int
do_delete(struct control *c, const json_t *a)
{
	const char *name = json_string_value(json_object_get(a, "name"));
	struct vhd_snapshot_opts o = VHD_SNAPSHOT_OPTS_INIT;
	AUTO_FREE const char **dirs = NULL;
	size_t finished = 0;
	int err;

	if (!name)
		return fail(VHD_E_INVALID, "snapshot-delete needs a name");
	err = search_of(&dirs, &o.nsearch, a);
	o.search = dirs;
	o.job = &c->run.opts;
	if (json_is_true(json_object_get(a, "tree")))
		o.flags |= VHD_SNAPSHOT_SUBTREE;
	if (!err)
		err = finish_merges(&finished, c, a);
	if (!err)
		err = snapshot_delete_live(c->chain, name, &o);
	return err == VHD_E_NOTFOUND && finished ? 0 : err;
}

static int
do_compact(struct control *c, const json_t *a)
{
	const char *mode = json_string_value(json_object_get(a, "mode"));

	return job_compact(c->chain,
			   mode && !strcmp(mode, "repack") ? VHD_COMPACT_REPACK
							   : VHD_COMPACT_PUNCH,
			   &c->run.opts);
}

static int
do_resize(struct control *c, const json_t *a)
{
	json_int_t size = json_integer_value(json_object_get(a, "size"));

	return job_resize(c->chain, (uint64_t)size, 0, &c->run.opts);
}

typedef int (*kind_fn)(struct control *c, const json_t *arguments);

static const struct {
	const char *type;
	kind_fn run;
} kinds[] = {
	{"merge", do_merge},
	{"snapshot-delete", do_delete},
	{"compact", do_compact},
	{"resize", do_resize},
};

static kind_fn
kind_of(const char *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].type, type))
			return kinds[i].run;
	return NULL;
}

bool
work_is_known(const char *type)
{
	return kind_of(type) != NULL;
}

int
work_do(struct control *c)
{
	return kind_of(c->run.type)(c, c->run.arguments);
}
