/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * disks.c - the disks that are open, each shared by all its clients.
 *
 * Two locks, taken in this order: that of a disk, held while it is opened and
 * closed, which may take long; and that of the list, held for instants only.
 * So one disk on a slow store keeps no client of another one waiting.
 */
#include "disks.h"

#include "config.h"
#include "plugin.h"
#include "report.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct disk {
	struct disk *next; /* [list_lock] */
	unsigned shares;   /* [list_lock] */
	char *path;        /* constant */
	pthread_mutex_t lock;
	vhd_t *vhd;             /* [lock]; constant while there is a share */
	vhd_control_t *control; /* [lock] or NULL */
	bool writable;
};

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static struct disk *list; /* [list_lock] */
static bool forked;       /* threads may be started */

vhd_t *
disk_vhd(const struct disk *disk)
{
	return disk->vhd;
}

bool
disk_is_writable(const struct disk *disk)
{
	return disk->writable;
}

static struct disk *
new_disk(const char *path)
{
	struct disk *disk = calloc(1, sizeof(*disk));

	if (!disk)
		return NULL;
	disk->path = strdup(path);
	if (!disk->path) {
		free(disk);
		return NULL;
	}
	pthread_mutex_init(&disk->lock, NULL);
	return disk;
}

/* The disk at this path, open or not, with one more share. */
static struct disk *
share(const char *path)
{
	struct disk *disk;

	pthread_mutex_lock(&list_lock);
	disk = list;
	while (disk && strcmp(disk->path, path) != 0)
		disk = disk->next;
	if (!disk) {
		disk = new_disk(path);
		if (disk) {
			disk->next = list;
			list = disk;
		}
	}
	if (disk)
		disk->shares++;
	pthread_mutex_unlock(&list_lock);
	return disk;
}

static void
remove_from_list(const struct disk *disk)
{
	struct disk **at = &list;

	while (*at != disk)
		at = &(*at)->next;
	*at = disk->next;
}

/* [disk->lock] */
static void
close_disk(struct disk *disk)
{
	nbdkit_debug("closing %s", disk->path);
	vhd_control_stop(disk->control);
	disk->control = NULL;
	if (vhd_close(disk->vhd) != 0)
		nbdkit_error("%s", vhd_last_message());
	disk->vhd = NULL;
}

void
disk_release(struct disk *disk)
{
	bool last;

	pthread_mutex_lock(&disk->lock);
	pthread_mutex_lock(&list_lock);
	last = --disk->shares == 0;
	pthread_mutex_unlock(&list_lock);
	if (last && disk->vhd)
		close_disk(disk);
	/* Somebody may have come meanwhile, and waits for the lock. */
	pthread_mutex_lock(&list_lock);
	last = disk->shares == 0;
	if (last)
		remove_from_list(disk);
	pthread_mutex_unlock(&list_lock);
	pthread_mutex_unlock(&disk->lock);
	if (!last)
		return;
	pthread_mutex_destroy(&disk->lock);
	free(disk->path);
	free(disk);
}

static int
open_vhd(struct disk *disk, bool write)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;

	opts.flags = write ? VHD_OPEN_RDWR : VHD_OPEN_RDONLY;
	opts.search = config.allow;
	opts.nsearch = config.nallow;
	disk->writable = write;
	return vhd_open(&disk->vhd, disk->path, &opts);
}

/* A disk is served without control where a socket cannot be made, unless one
 * was asked for. */
static int
start_control(struct disk *disk)
{
	struct vhd_control_opts opts = VHD_CONTROL_OPTS_INIT;

	if (!forked || !disk->writable)
		return 0;
	opts.socket = config.control;
	opts.autoresume = config.autoresume;
	if (vhd_control_start(&disk->control, disk->vhd, &opts) == 0)
		return 0;
	if (config.control || config.autoresume)
		return report();
	nbdkit_debug("no jobs can be asked for: %s", vhd_last_message());
	return 0;
}

/* Is this a disk that can be read, but not written to? */
static bool
may_only_be_read(int err, enum disk_access access)
{
	if (err == VHD_E_CHILDREN)
		return access == DISK_WRITE_OR_PARENT;
	return err == VHD_E_IO &&
	       (vhd_errno() == EACCES || vhd_errno() == EROFS ||
		vhd_errno() == EPERM);
}

/* [disk->lock] */
static int
open_disk(struct disk *disk, enum disk_access access)
{
	int err = open_vhd(disk, access != DISK_READ);

	if (err && access != DISK_READ && may_only_be_read(err, access)) {
		nbdkit_debug("%s; opening it for reading only",
			     vhd_last_message());
		err = open_vhd(disk, false);
	}
	if (err == VHD_E_CHILDREN)
		return report_errno(EPERM,
				    "%s; readonly=true serves it for reading",
				    vhd_last_message());
	if (err)
		return report();
	nbdkit_debug("opened %s, %u images, for %s", disk->path,
		     vhd_depth(disk->vhd),
		     disk->writable ? "writing" : "reading");
	err = start_control(disk);
	if (err)
		close_disk(disk);
	return err;
}

int
disk_acquire(struct disk **ret, const char *path, enum disk_access access)
{
	char *resolved = realpath(path, NULL);
	struct disk *disk;
	int err = 0;

	if (!resolved)
		return report_errno(errno, "%s: cannot open: %m", path);
	disk = share(resolved);
	free(resolved);
	if (!disk)
		return report_errno(ENOMEM, "out of memory");
	pthread_mutex_lock(&disk->lock);
	if (!disk->vhd)
		err = open_disk(disk, access);
	pthread_mutex_unlock(&disk->lock);
	if (err)
		disk_release(disk);
	else
		*ret = disk;
	return err;
}

int
disks_start_control(struct disk *served)
{
	forked = true;
	return served ? start_control(served) : 0;
}

void
disks_flush(void)
{
	pthread_mutex_lock(&list_lock);
	for (struct disk *d = list; d; d = d->next) {
		if (d->vhd && d->writable && vhd_flush(d->vhd) != 0)
			nbdkit_error("%s", vhd_last_message());
	}
	pthread_mutex_unlock(&list_lock);
}
