/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * plugin.c - the nbdkit plugin "vhd": what it can do, and the server's life.
 *
 * nbdkit reads the parameters, calls get_ready, goes into the background,
 * calls after_fork, and then open for each client.  A disk that was named is
 * opened in get_ready, where the user still sees what is wrong with it.  The
 * threads that take requests of vhdtool are started in after_fork, and stopped
 * before the disk is closed.
 */
#include "plugin.h"

#include "config.h"
#include "data.h"
#include "disks.h"
#include "exports.h"

#include <stdio.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
#define LIBVHD                                                                 \
	TEXT(VHD_VERSION_MAJOR)                                                \
	"." TEXT(VHD_VERSION_MINOR) "." TEXT(VHD_VERSION_PATCH)

static struct disk *served; /* the server's own share of a named disk */

static void
dump_plugin(void)
{
	printf("vhd_version=" LIBVHD "\n");
}

static int
get_ready(void)
{
	return config.dir ? 0 : export_open(&served, "", false);
}

static int
after_fork(void)
{
	return disks_start_control(served);
}

/* Every client has gone, or would not go in time. */
static void
cleanup(void)
{
	if (served)
		disk_release(served);
	served = NULL;
	disks_flush();
}

/* ---- A client ---- */

static void *
open_export(int readonly)
{
	struct disk *disk;

	if (export_open(&disk, nbdkit_export_name(), readonly) < 0)
		return NULL;
	return disk;
}

static void
close_export(void *handle)
{
	disk_release(handle);
}

static int64_t
get_size(void *handle)
{
	return (int64_t)vhd_size(disk_vhd(handle));
}

static int
block_size(void *handle, uint32_t *minimum, uint32_t *preferred,
	   uint32_t *maximum)
{
	(void)handle;
	*minimum = 1;
	*preferred = 4096;
	*maximum = 32 << 20;
	return 0;
}

static int
can_write(void *handle)
{
	return disk_is_writable(handle);
}

static int
yes(void *handle)
{
	(void)handle;
	return 1;
}

static int
no(void *handle)
{
	(void)handle;
	return 0;
}

static int
can_fua(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

static int
can_cache(void *handle)
{
	(void)handle;
	return NBDKIT_CACHE_NATIVE;
}

static struct nbdkit_plugin plugin = {
	.name = "vhd",
	.longname = "nbdkit VHD plugin",
	.version = LIBVHD,
	.description = "Serve VHD virtual disks, differencing ones with all "
		       "their parents.",
	.unload = config_free,
	.dump_plugin = dump_plugin,
	.config = config_read,
	.config_complete = config_complete,
	.config_help = CONFIG_HELP,
	.magic_config_key = "file",
	.get_ready = get_ready,
	.after_fork = after_fork,
	.cleanup = cleanup,
	.list_exports = export_list,
	.default_export = export_default,
	.open = open_export,
	.close = close_export,
	.export_description = export_describe,
	.get_size = get_size,
	.block_size = block_size,
	.can_write = can_write,
	.can_flush = yes,
	.is_rotational = no,
	.can_trim = yes,
	.can_zero = yes,
	.can_fast_zero = yes,
	.can_extents = yes,
	/* All clients share one open disk: a flush is for all of them. */
	.can_multi_conn = yes,
	.can_fua = can_fua,
	.can_cache = can_cache,
	.pread = data_pread,
	.pwrite = data_pwrite,
	.flush = data_flush,
	.trim = data_trim,
	.zero = data_zero,
	.extents = data_extents,
	.cache = data_cache,
	.errno_is_preserved = 1,
};

/* Defined by the line below it, where nbdkit looks for it. */
struct nbdkit_plugin *plugin_init(void);
NBDKIT_REGISTER_PLUGIN(plugin)
