/* SPDX-License-Identifier: BSD-3-Clause */
/* file_tasks.c - what is done with files that are called by name. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_tasks.h"

static bool unreadable;

/* A block that cannot be read is a finding. */
static int
on_finding(const struct vhd_finding *f, void *user)
{
	unreadable |= !strcmp(f->code, "V87");
	(void)user;
	mix_text(f->code);
	mix_number(f->severity);
	return 0;
}

static int
check(const char *name, uint32_t flags, const char *undo)
{
	int err;

	unreadable = false;
	err = world_check(name, flags, undo, on_finding);
	return err || !unreadable ? err : VHD_E_IO;
}

static int
do_check(void)
{
	return check("disk.vhd", VHD_CHECK_CHAIN, NULL);
}

static int
do_check_bad(void)
{
	return check("bad.vhd", 0, NULL);
}

static int
do_repair(void)
{
	const char *undo = world_path("bad.undo");

	(void)remove(undo);
	return check("bad.vhd", VHD_CHECK_REPAIR, undo);
}

static int
do_undo(void)
{
	return noted(0, vhd_undo(world_path("mended.vhd"),
				 world_path("mended.undo")));
}

static int
create(const char *name, const struct vhd_create_opts *opts)
{
	return noted(0, vhd_create(world_path(name), opts));
}

static int
do_create(void)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;

	opts.virtual_size = WORLD_DISK;
	opts.block_size = WORLD_BLOCK;
	return create("new.vhd", &opts);
}

static int
do_create_fixed(void)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;

	opts.virtual_size = WORLD_DISK;
	opts.type = VHD_TYPE_FIXED;
	return create("new.vhd", &opts);
}

static int
do_create_child(void)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;

	opts.parent = world_path("disk@one.vhd");
	return create("new.vhd", &opts);
}

/* What is replaced is a link to a file in another directory. */
static int
do_create_through_link(void)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;

	opts.parent = world_path("disk@one.vhd");
	opts.flags = VHD_CREATE_FORCE;
	return create("link.vhd", &opts);
}

static int
do_from_fd(void)
{
	struct vhd_convert_opts opts = VHD_CONVERT_OPTS_INIT;
	int fd = openat(AT_FDCWD, world_path("plain.raw"), O_RDONLY);
	int err;

	if (fd < 0)
		abort();
	opts.block_size = WORLD_BLOCK;
	err = noted(0, vhd_convert_from_fd(fd, world_path("new.vhd"), &opts));
	(void)close(fd);
	return err;
}

static int
do_relink(void)
{
	return noted(0, vhd_relink(world_path(""), NULL, 0, false, NULL, NULL));
}

/* A file that could not be read is told of, too. */
static int
mix_tree(vhd_tree_t *tree)
{
	int err = 0;

	for (size_t i = 0; i < vhd_tree_count(tree); i++) {
		const struct vhd_tree_node *node = vhd_tree_get(tree, i);

		mix_text(node->path);
		mix_text(node->name);
		mix_number(node->parent);
		mix_number(node->nchildren);
		if (node->err && !err)
			err = node->err;
	}
	vhd_tree_free(tree);
	return err;
}

static int
do_scan(void)
{
	const char *dir = world_path("");
	vhd_tree_t *tree = NULL;
	int err = noted(0, vhd_tree_scan(&tree, &dir, 1));

	return err ? err : mix_tree(tree);
}

static int
do_tree(void)
{
	vhd_tree_t *tree = NULL;
	int err = noted(0,
			vhd_snapshot_tree(&tree, world_path("disk.vhd"), NULL));

	return err ? err : mix_tree(tree);
}

static int
do_snapshot(void)
{
	return noted(0,
		     vhd_snapshot_create(world_path("disk.vhd"), "two", NULL));
}

static int
do_revert(void)
{
	return noted(0, vhd_snapshot_revert(world_path("disk.vhd"), "zero",
					    "kept", NULL));
}

static int
do_delete(void)
{
	return noted(0,
		     vhd_snapshot_delete(world_path("disk.vhd"), "one", NULL));
}

static int
do_delete_the_rest(void)
{
	return noted(0, vhd_snapshot_delete(world_path("half.vhd"), "a", NULL));
}

static int
do_snapshot_of_half_deleted(void)
{
	return noted(0, vhd_snapshot_create(world_path("half.vhd"), "c", NULL));
}

static int
do_delete_shared(void)
{
	return noted(0,
		     vhd_snapshot_delete(world_path("disk.vhd"), "zero", NULL));
}

static int
do_rename(void)
{
	return noted(0, vhd_snapshot_rename(world_path("disk.vhd"), "zero",
					    "nil", NULL));
}

static int
do_clone(void)
{
	return noted(0, vhd_snapshot_clone(world_path("disk.vhd"), "one",
					   world_path("new.vhd"), NULL));
}

static int
do_path(void)
{
	char *path = NULL;
	int err = noted(
		0, vhd_snapshot_path(&path, world_path("disk.vhd"), "two"));

	if (path)
		mix_text(path);
	free(path);
	return err;
}

const struct api_task file_tasks[] = {
	{"check", 0, .alone = do_check},
	{"check a damaged image", 0, .alone = do_check_bad},
	{"repair", 0, .alone = do_repair},
	{"undo", 0, .alone = do_undo},
	{"create", 0, .alone = do_create},
	{"create fixed", 0, .alone = do_create_fixed},
	{"create a child", 0, .alone = do_create_child},
	{"create through a link", 0, .alone = do_create_through_link},
	{"convert from a descriptor", 0, .alone = do_from_fd},
	{"relink", 0, .alone = do_relink},
	{"scan", 0, .alone = do_scan},
	{"snapshot tree", TASK_OVERLOOKS, .alone = do_tree},
	{"path of a snapshot", 0, .alone = do_path},
	{"snapshot", 0, .alone = do_snapshot},
	{"revert", 0, .alone = do_revert},
	{"delete", 0, .alone = do_delete},
	{"delete where two stand", 0, .alone = do_delete_shared},
	{"carry on with a deletion", 0, .alone = do_delete_the_rest},
	{"snapshot amid a deletion", 0, .alone = do_snapshot_of_half_deleted},
	{"rename", 0, .alone = do_rename},
	{"clone", 0, .alone = do_clone},
	{.name = NULL},
};
