/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_tasks.c - what is done with an open disk. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api_tasks.h"

static int
read_disk(vhd_t *disk)
{
	static uint8_t data[WORLD_DISK];
	int err = vhd_pread(disk, data, sizeof(data), 0);

	if (!err)
		mix(data, sizeof(data));
	if (!err)
		err = vhd_pread(disk, data, 1000, 3800);
	if (!err)
		mix(data, 1000);
	return err ? err : vhd_cache(disk, 0, sizeof(data));
}

/* No sector twice: then each is as it was or as it is in the end. */
static int
write_disk(vhd_t *disk)
{
	static const char odd[] = "neither a sector nor at its beginning";
	int err = world_put(disk, 1, 2, 'w', 0);

	if (!err)
		err = vhd_pwrite(disk, odd, sizeof(odd), 5 * 4096 - 9, 0);
	if (!err)
		err = world_put(disk, 50, 1, 'd', VHD_IO_FUA);
	if (!err)
		err = vhd_flush(disk);
	if (!err)
		err = vhd_zero(disk, 4096, 2 * 4096, VHD_IO_MAY_TRIM);
	if (!err)
		err = vhd_zero(disk, 60 * WORLD_SECTOR, 100, 0);
	if (!err)
		err = vhd_discard(disk, 3 * 4096, 4096, 0);
	return err ? err : vhd_flush(disk);
}

static int
on_extent(const struct vhd_extent *e, void *user)
{
	(void)user;
	mix(e, sizeof(*e));
	return 0;
}

static int
look_at_layer(vhd_t *disk, uint32_t layer)
{
	struct vhd_info info = VHD_INFO_INIT;
	int err = vhd_get_info(&info, disk, layer);

	if (err)
		return err;
	mix_text(info.path);
	mix_text(info.parent_path);
	mix_text(info.parent_name);
	mix_number(info.blocks_allocated);
	mix_number(info.parent_status);
	for (uint32_t i = 0; i < info.nlocators; i++)
		mix_text(info.locators[i].path);
	return 0;
}

static int
look_at_disk(vhd_t *disk)
{
	struct vhd_measure m = VHD_MEASURE_INIT;
	int err = vhd_extents(disk, 0, WORLD_DISK, on_extent, NULL);

	for (uint32_t i = 0; i < vhd_depth(disk) && !err; i++)
		err = look_at_layer(disk, i);
	if (!err)
		err = vhd_measure(&m, disk);
	mix_number(m.chain_union);
	mix_number(m.after_flatten);
	return err;
}

static int
look_for_holder(vhd_t *disk)
{
	struct vhd_holder holder = VHD_HOLDER_INIT;
	int err = vhd_get_holder(&holder, world_path("disk.vhd"));

	(void)disk;
	mix_number(holder.in_use);
	return err;
}

static int
compare_with_other(vhd_t *disk)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *other = NULL;
	uint64_t at = 0;
	int err = vhd_open(&other, world_path("other.vhd"), &opts);

	if (err)
		return err;
	err = noted(0, vhd_compare(&at, disk, other, NULL));
	if (err == VHD_E_DIFFERS)
		err = 0;
	mix_number(at);
	return noted(err, vhd_close(other));
}

static int
convert(vhd_t *disk, const char *name, enum vhd_type type, uint32_t flags)
{
	struct vhd_convert_opts opts = VHD_CONVERT_OPTS_INIT;

	opts.type = type;
	opts.flags = flags;
	opts.created = 1;
	return vhd_convert(disk, world_path(name), &opts);
}

static int
to_fixed(vhd_t *disk)
{
	return convert(disk, "new.vhd", VHD_TYPE_FIXED, 0);
}

static int
to_dynamic(vhd_t *disk)
{
	return convert(disk, "new.vhd", VHD_TYPE_DYNAMIC, 0);
}

static int
to_other(vhd_t *disk)
{
	return convert(disk, "solo.vhd", VHD_TYPE_DYNAMIC, VHD_CONVERT_FORCE);
}

static int
to_raw(vhd_t *disk)
{
	return convert(disk, "new.raw", VHD_TYPE_RAW, 0);
}

static int
to_gzip(vhd_t *disk)
{
	return convert(disk, "new.gz", VHD_TYPE_FIXED, VHD_CONVERT_GZIP);
}

static int
to_fd(vhd_t *disk)
{
	struct vhd_convert_opts opts = VHD_CONVERT_OPTS_INIT;
	int err, fd = creat(world_path("new.fd"), 0600);

	if (fd < 0)
		abort();
	opts.type = VHD_TYPE_DYNAMIC;
	err = vhd_convert_to_fd(disk, fd, &opts);
	(void)close(fd);
	if (err)
		(void)remove(world_path("new.fd"));
	return err;
}

static int
merge_disk(vhd_t *disk)
{
	return vhd_merge(disk, NULL);
}

static int
repack_disk(vhd_t *disk)
{
	return vhd_compact(disk, VHD_COMPACT_REPACK, NULL);
}

static int
punch_disk(vhd_t *disk)
{
	return vhd_compact(disk, VHD_COMPACT_PUNCH, NULL);
}

static int
grow_disk(vhd_t *disk)
{
	return vhd_resize(disk, WORLD_DISK + 3 * WORLD_BLOCK, 0, NULL);
}

static int
shrink_disk(vhd_t *disk)
{
	return vhd_resize(disk, 3 * WORLD_BLOCK, VHD_RESIZE_SHRINK, NULL);
}

static int
rebase_disk(vhd_t *disk)
{
	return vhd_rebase(disk, world_path("disk@zero.vhd"), 0, NULL);
}

static int
snapshot_disk(vhd_t *disk)
{
	return vhd_snapshot_live(disk, "two");
}

#if VHD_CONTROL
static int
call(const char *command, const char *arguments)
{
	char *json = NULL;
	int err = noted(0, vhd_control_call(&json, world_path("disk.vhd"),
					    command, arguments, NULL));

	if (!err && !strcmp(command, "query-jobs"))
		mix_text(json);
	free(json);
	return err;
}

static int
serve_disk(vhd_t *disk)
{
	vhd_control_t *control = NULL;
	int err = noted(0, vhd_control_start(&control, disk, NULL));

	if (!err)
		err = call("query-jobs", NULL);
	if (!err)
		err = call("query-disk", "{}");
	if (!err)
		err = call("compact", "{\"mode\": \"punch\"}");
	vhd_control_stop(control);
	return err;
}

static int
serve_snapshot(vhd_t *disk)
{
	vhd_control_t *control = NULL;
	int err = noted(0, vhd_control_start(&control, disk, NULL));

	if (!err)
		err = call("snapshot-create", "{\"name\": \"two\"}");
	vhd_control_stop(control);
	return err;
}
#endif

#define WORKS_ON(file, function, how)                                          \
	.on_disk = function, .disk = file ".vhd", .open = (how)
#define RW VHD_OPEN_RDWR

const struct api_task disk_tasks[] = {
	{"read", 0, WORKS_ON("disk", read_disk, 0)},
	{"write to a chain", TASK_WRITES, WORKS_ON("disk", write_disk, RW)},
	{"write to a dynamic disk", TASK_WRITES,
	 WORKS_ON("solo", write_disk, RW)},
	{"write to a fixed disk", TASK_WRITES,
	 WORKS_ON("fixed", write_disk, RW)},
	{"look", 0, WORKS_ON("disk", look_at_disk, 0)},
	{"look at one image", 0,
	 WORKS_ON("disk", look_at_disk, VHD_OPEN_NOPARENT)},
	{"holder", 0, WORKS_ON("disk", look_for_holder, RW)},
	{"compare", 0, WORKS_ON("disk", compare_with_other, 0)},
	{"convert a chain to fixed", 0, WORKS_ON("disk", to_fixed, 0)},
	{"convert a chain to dynamic", 0, WORKS_ON("disk", to_dynamic, 0)},
	{"convert fixed to dynamic", 0, WORKS_ON("fixed", to_dynamic, 0)},
	{"convert dynamic to fixed", 0, WORKS_ON("solo", to_fixed, 0)},
	{"convert over a disk", 0, WORKS_ON("disk", to_other, 0)},
	{"convert to a plain disk", 0, WORKS_ON("disk", to_raw, 0)},
	{"convert and compress", 0, WORKS_ON("disk", to_gzip, 0)},
	{"convert to a descriptor", 0, WORKS_ON("disk", to_fd, 0)},
	{"merge", 0, WORKS_ON("disk", merge_disk, RW)},
	{"read amid a deletion", 0, WORKS_ON("half", read_disk, 0)},
	{"repack", 0, WORKS_ON("solo", repack_disk, RW)},
	{"punch", 0, WORKS_ON("disk", punch_disk, RW)},
	{"grow", 0, WORKS_ON("disk", grow_disk, RW)},
	{"shrink", 0, WORKS_ON("solo", shrink_disk, RW)},
	{"grow fixed", 0, WORKS_ON("fixed", grow_disk, RW)},
	{"shrink fixed", 0, WORKS_ON("fixed", shrink_disk, RW)},
	{"grow a plain disk", 0, .on_disk = grow_disk, .disk = "plain.raw",
	 .open = RW | VHD_OPEN_RAW},
	{"rebase", 0, WORKS_ON("disk", rebase_disk, RW)},
	{"snapshot of an open disk", 0, WORKS_ON("disk", snapshot_disk, RW)},
#if VHD_CONTROL
	{"serve", TASK_ASKS, WORKS_ON("disk", serve_disk, RW)},
	{"serve a snapshot", TASK_ASKS, WORKS_ON("disk", serve_snapshot, RW)},
#endif
	{.name = NULL},
};
