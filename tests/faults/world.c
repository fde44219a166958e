/* SPDX-License-Identifier: BSD-3-Clause */
/* world.c - the files that tasks work on. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_tasks.h"

static char world[128];

const char *
world_path(const char *name)
{
	static char paths[8][240];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%.90s", world, name);
	return path;
}

int
world_put(vhd_t *disk, uint64_t sector, unsigned n, uint8_t value,
	  uint32_t flags)
{
	uint8_t data[8 * WORLD_SECTOR];

	memset(data, value, sizeof(data));
	return vhd_pwrite(disk, data, n * (size_t)WORLD_SECTOR,
			  sector * WORLD_SECTOR, flags);
}

int
world_check(const char *name, uint32_t flags, const char *undo,
	    vhd_finding_fn found)
{
	struct vhd_check_result result = VHD_CHECK_RESULT_INIT;
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;
	int err;

	opts.flags = flags;
	opts.undo = undo;
	opts.found = found;
	err = noted(0, vhd_check(&result, world_path(name), &opts));
	mix_number(result.errors);
	return err;
}

static void
must(int err)
{
	if (err) {
		(void)fprintf(stderr, "cannot go on: %s\n", task_said());
		abort();
	}
}

static int
plant(vhd_t *disk)
{
	static uint8_t planted;
	int err = 0;

	for (unsigned i = 0; i < 4 && !err; i++) {
		planted++;
		err = world_put(disk, (planted * 7u + 13 * i) % 56, 1 + i % 3,
				planted, 0);
	}
	return err;
}

static void
write_some(const char *name)
{
	const struct api_task task = {
		.on_disk = plant,
		.disk = name,
		.open = VHD_OPEN_RDWR | VHD_OPEN_CHILDREN_OK,
	};
	uint64_t any;

	must(task_run(&task, &any));
}

static void
make_root(const char *name, enum vhd_type type)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;

	opts.type = type;
	opts.virtual_size = WORLD_DISK;
	opts.block_size = type == VHD_TYPE_DYNAMIC ? WORLD_BLOCK : 0;
	must(noted(0, vhd_create(world_path(name), &opts)));
	write_some(name);
}

/* zero stands alone, on it one and the disk, and another disk. */
static void
make_tree(void)
{
	const char *disk = world_path("disk.vhd");

	make_root("disk.vhd", VHD_TYPE_DYNAMIC);
	must(noted(0, vhd_snapshot_create(disk, "zero", NULL)));
	write_some("disk.vhd");
	must(noted(0, vhd_snapshot_create(disk, "one", NULL)));
	write_some("disk.vhd");
	must(noted(0, vhd_snapshot_clone(disk, "zero", world_path("other.vhd"),
					 NULL)));
	write_some("other.vhd");
}

static int
stop_merge(const struct vhd_progress *p, void *user)
{
	(void)user;
	return !strcmp(p->phase, "merge");
}

/* A snapshot whose deletion was stopped when it had lost its name. */
static void
make_half_deleted(void)
{
	struct vhd_snapshot_opts opts = VHD_SNAPSHOT_OPTS_INIT;
	struct vhd_job_opts job = VHD_JOB_OPTS_INIT;
	const char *disk = world_path("half.vhd");

	make_root("half.vhd", VHD_TYPE_DYNAMIC);
	write_some("half.vhd"); /* so that it is cheaper to move the others */
	must(noted(0, vhd_snapshot_create(disk, "a", NULL)));
	write_some("half.vhd");
	must(noted(0, vhd_snapshot_create(disk, "b", NULL)));
	write_some("half.vhd");
	job.progress = stop_merge;
	opts.job = &job;
	if (vhd_snapshot_delete(disk, "a", &opts) != VHD_E_CANCELLED)
		abort();
}

/* Its parent has moved. */
static void
make_lost_child(void)
{
	struct vhd_create_opts opts = VHD_CREATE_OPTS_INIT;

	make_root("gone.vhd", VHD_TYPE_DYNAMIC);
	opts.parent = world_path("gone.vhd");
	must(noted(0, vhd_create(world_path("child.vhd"), &opts)));
	write_some("child.vhd");
	if (rename(world_path("gone.vhd"), world_path("moved.vhd")) < 0)
		abort();
}

/* Its end footer is no good. */
static void
make_damaged(const char *name)
{
	static const uint8_t zeros[64];
	int fd;
	off_t end;

	make_root(name, VHD_TYPE_DYNAMIC);
	fd = openat(AT_FDCWD, world_path(name), O_RDWR);
	end = lseek(fd, 0, SEEK_END);
	if (fd < 0 || end < 2048 || pwrite(fd, zeros, 64, end - 448) != 64)
		abort();
	(void)close(fd);
}

/* A name that leads to a file elsewhere. */
static void
make_link(void)
{
	if (mkdir(world_path("sub"), 0700) < 0 ||
	    symlink("sub/far.vhd", world_path("link.vhd")) < 0)
		abort();
	make_root("sub/far.vhd", VHD_TYPE_DYNAMIC);
}

static void
make_plain(void)
{
	static uint8_t data[10000];
	int fd = creat(world_path("plain.raw"), 0600);

	memset(data + 3000, 'r', 5000);
	if (fd < 0 || write(fd, data, sizeof(data)) != sizeof(data))
		abort();
	(void)close(fd);
}

void
world_make(const char *dir)
{
	(void)snprintf(world, sizeof(world), "%s", dir);
	make_tree();
	make_root("solo.vhd", VHD_TYPE_DYNAMIC);
	make_root("fixed.vhd", VHD_TYPE_FIXED);
	make_half_deleted();
	make_lost_child();
	make_damaged("bad.vhd");
	make_damaged("mended.vhd");
	must(world_check("mended.vhd", VHD_CHECK_REPAIR,
			 world_path("mended.undo"), NULL));
	make_link();
	make_plain();
}
