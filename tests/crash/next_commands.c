/* SPDX-License-Identifier: BSD-3-Clause */
/* next_commands.c - what may be asked for on a small tree of disks. */
#include "next_commands.h"

#include "job/jobs.h"
#include "tree/relink.h"

static int
create(struct disk_place *d)
{
	return snapshot_create(d, "b");
}

static int
delete_state(struct disk_place *d)
{
	return snapshot_delete(d, "a");
}

static int
revert(struct disk_place *d)
{
	return snapshot_revert(d, "a", NULL);
}

static int
revert_and_keep(struct disk_place *d)
{
	return snapshot_revert(d, "a", "kept");
}

static int
rename_state(struct disk_place *d)
{
	return snapshot_rename(d, "a", "c");
}

static int
clone_state(struct disk_place *d)
{
	return snapshot_clone(d, "a", NEXT_CHILD);
}

static int
rebase(struct chain *c)
{
	return job_rebase(c, NEXT_OTHER, 0, NULL);
}

static int
merge(struct chain *c)
{
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;

	return job_merge(c, &o);
}

static int
repack(struct chain *c)
{
	return job_compact(c, VHD_COMPACT_REPACK, NULL);
}

static int
grow(struct chain *c)
{
	return job_resize(c, NEXT_SIZE + NEXT_BLOCK, 0, NULL);
}

static int
overwrite(struct chain *c)
{
	uint8_t bytes[NEXT_SIZE] = {0};
	int err = chain_pwrite(c, bytes, sizeof(bytes), 0, 0);

	return err ? err : chain_flush(c);
}

static int
relink(const struct fs *fs)
{
	return tree_relink(fs, "/vm", NULL, 0, false, NULL, NULL);
}

static int
make_other(const struct fs *fs)
{
	struct vhd_create_opts o = VHD_CREATE_OPTS_INIT;

	o.virtual_size = NEXT_SIZE;
	return job_create(fs, NEXT_OTHER, &o);
}

static int
make_child(const struct fs *fs)
{
	struct vhd_create_opts o = VHD_CREATE_OPTS_INIT;

	o.parent = NEXT_OTHER;
	return job_create(fs, NEXT_CHILD, &o);
}

const struct command next_commands[] = {
	{"create", .of_disk = create},
	{"delete", .of_disk = delete_state},
	{"revert", .of_disk = revert, .changes_disk = true},
	{"revert --keep", .of_disk = revert_and_keep, .changes_disk = true},
	{"rename", .of_disk = rename_state},
	{"clone", .of_disk = clone_state},
	{"rebase clone", .of_chain = rebase, .path = NEXT_CLONE},
	{"rebase disk", .of_chain = rebase, .path = NEXT_DISK},
	{"merge", .of_chain = merge, .path = NEXT_DISK},
	{"compact", .of_chain = repack, .path = NEXT_DISK},
	{"resize", .of_chain = grow, .path = NEXT_DISK, .changes_disk = true},
	{"write disk", .of_chain = overwrite, .path = NEXT_DISK,
	 .changes_disk = true},
	{"write other", .of_chain = overwrite, .path = NEXT_OTHER},
	{"relink", .alone = relink},
	{.name = NULL},
};

static int
revert_far(struct disk_place *d)
{
	return snapshot_revert(d, "t", NULL);
}

static int
merge_searching(struct chain *c)
{
	static const char *const dirs[] = {"/far"};
	struct vhd_merge_opts o = VHD_MERGE_OPTS_INIT;

	o.search = dirs;
	o.nsearch = 1;
	return job_merge(c, &o);
}

const struct command next_revert_far = {"revert elsewhere",
					.of_disk = revert_far, .path = NEXT_FAR,
					.search = "/vm"};
const struct command next_delete_searching = {
	"delete --search", .of_disk = delete_state, .search = "/far"};
const struct command next_merge_searching = {
	"merge --search", .of_chain = merge_searching, .path = NEXT_DISK};
const struct command next_make_other = {"new", .alone = make_other};
const struct command next_make_child = {"child", .alone = make_child};

static int
run_of_disk(const struct command *command, const struct fs *fs)
{
	struct vhd_snapshot_opts o = VHD_SNAPSHOT_OPTS_INIT;
	struct disk_place d;
	int err;

	o.search = &command->search;
	o.nsearch = command->search != NULL;
	err = disk_place_init(&d, fs, command->path ? command->path : NEXT_DISK,
			      &o);
	if (err)
		return err;
	err = command->of_disk(&d);
	disk_place_free(&d);
	return err;
}

static int
run_of_chain(const struct command *command, const struct fs *fs)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	struct chain *c;
	int err = tree_open(&c, fs, command->path, &opts);

	return err ? err : chain_close_after(c, command->of_chain(c));
}

int
next_run(const struct command *command, const struct fs *fs)
{
	if (command->of_disk)
		return run_of_disk(command, fs);
	return command->of_chain ? run_of_chain(command, fs)
				 : command->alone(fs);
}
