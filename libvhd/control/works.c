/* SPDX-License-Identifier: BSD-3-Clause */
/* works.c - what the commands of jobs do: their arguments, and the library's
 * function.
 *
 * A job that waited for space is started again, when the paths in its
 * arguments may be other ones: so layers are known by their files from the
 * first time on. */
#include <string.h>

#include "control/server.h"
#include "job/jobs.h"

/* The layer at a path; VHD_E_NOTFOUND. */
static int
layer_at(uint32_t *ret, struct chain *c, const char *path)
{
	AUTO_FREE char *full = NULL;
	const char *want = path;

	if (c->fs->ops->resolve(&full, c->fs, path) == 0)
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
		const struct io_id *it = &c->layers[i].img->io->id;

		if (it->device != id->device || it->inode != id->inode)
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

static int
do_merge(struct control *c, const json_t *a)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	int err;

	o.job = &c->run.opts;
	if (json_is_true(json_object_get(a, "at-parent")))
		o.flags = VHD_MERGE_AT_PARENT;
	err = named_layer(&o.layer, c, RUN_LAYER, a, "layer");
	if (!err)
		err = named_layer(&o.into, c, RUN_INTO, a, "into");
	return err ? err : job_merge(c->chain, &o);
}

/* A state that the served disk stands on: what is above is pushed into it. */
static int
do_delete(struct control *c, const json_t *a)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;
	uint32_t layer = 0;
	int err = named_layer(&layer, c, RUN_INTO, a, "path");

	if (err)
		return err;
	if (layer == 0)
		return fail(VHD_E_INVALID,
			    "%s: is the live disk, not a snapshot",
			    c->chain->name);
	o.job = &c->run.opts;
	o.layer = layer - 1;
	o.into = layer;
	return job_merge(c->chain, &o);
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

	if (size <= 0 || (uint64_t)size < c->chain->size)
		return fail(VHD_E_INVALID,
			    "%s: a served disk of %llu bytes can only grow",
			    c->chain->name, (unsigned long long)c->chain->size);
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
