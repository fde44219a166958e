/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * view.c - what a mount shows.
 */
#include "view.h"

#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- The whole ---- */

/* Parents do not change while they are open. */
static uint64_t
parents_take(vhd_t *disk)
{
	uint64_t sum = 0;

	for (uint32_t i = 1; i < vhd_depth(disk); i++) {
		struct vhd_info info = VHD_INFO_INIT;

		if (!vhd_get_info(&info, disk, i))
			sum += info.actual_size;
	}
	return sum;
}

int
view_init(struct view *ret, const struct args *args, vhd_t *disk, bool single)
{
	*ret = (struct view){
		.args = args,
		.disk = disk,
		.single = single,
		.frozen = parents_take(disk),
	};
	clock_gettime(CLOCK_REALTIME, &ret->begun);
	pthread_mutex_init(&ret->lock, NULL);
	return snapshots_init(&ret->snapshots, args);
}

/* Whoever ends us need not close their files first. */
void
view_free(struct view *view)
{
	for (struct file *f = view->files, *next; f; f = next) {
		next = f->next;
		free(f);
	}
	snapshots_free(&view->snapshots);
	pthread_mutex_destroy(&view->lock);
}

/* ---- Partitions ---- */

static int
read_disk(void *buf, size_t len, uint64_t offset, void *user)
{
	return vhd_pread(user, buf, len, offset);
}

static void
keep_table(struct view *view, const struct partition_table *table)
{
	struct slot *slots = view->partitions;

	for (unsigned int i = 0; i <= PARTITION_LAST; i++) {
		if (slots[i].users == 0)
			slots[i].length = 0;
	}
	for (size_t i = 0; i < table->count; i++) {
		const struct partition *p = &table->parts[i];

		if (slots[p->number].users > 0)
			continue;
		slots[p->number].start = p->start;
		slots[p->number].length = p->length;
	}
	if (table->note && table->note != view->note)
		say("%s: %s", view->args->disk, table->note);
	view->note = table->note;
}

static void
scan_partitions(struct view *view)
{
	struct partition_disk disk = {
		.read = read_disk,
		.user = view->disk,
		.size = vhd_size(view->disk),
	};
	struct partition_table *table = malloc(sizeof(*table));

	if (!table)
		return;
	pthread_mutex_lock(&view->lock);
	partition_scan(table, &disk);
	keep_table(view, table);
	pthread_mutex_unlock(&view->lock);
	free(table);
}

/* The number in "p1", without a leading zero; 0 if it is no such name. */
static unsigned int
partition_number(const char *name)
{
	unsigned int number = 0;

	if (name[0] != 'p' || name[1] == '0' || name[1] == '\0')
		return 0;
	for (const char *digit = name + 1; *digit != '\0'; digit++) {
		if (*digit < '0' || *digit > '9')
			return 0;
		number = number * 10 + (unsigned int)(*digit - '0');
		if (number > PARTITION_LAST)
			return 0;
	}
	return number;
}

static bool
is_partition(uint64_t ino)
{
	return ino > INO_PARTITION && ino <= INO_PARTITION + PARTITION_LAST;
}

static struct slot
slot_of(struct view *view, uint64_t ino)
{
	struct slot slot;

	pthread_mutex_lock(&view->lock);
	slot = view->partitions[ino - INO_PARTITION];
	pthread_mutex_unlock(&view->lock);
	return slot;
}

/* ---- Names ---- */

static int
lookup_in_root(uint64_t *ret, struct view *view, const char *name)
{
	unsigned int number = partition_number(name);

	if (strcmp(name, "disk") == 0) {
		*ret = INO_DISK;
	} else if (strcmp(name, "snapshots") == 0) {
		*ret = INO_SNAPSHOTS;
	} else if (number != 0) {
		scan_partitions(view);
		*ret = INO_PARTITION + number;
		if (slot_of(view, *ret).length == 0)
			return -ENOENT;
	} else {
		return -ENOENT;
	}
	return 0;
}

int
view_lookup(uint64_t *ret, struct view *view, uint64_t parent, const char *name)
{
	size_t index;
	int err;

	if (view->single)
		return -ENOTDIR;
	if (parent == INO_ROOT)
		return lookup_in_root(ret, view, name);
	if (parent != INO_SNAPSHOTS)
		return -ENOTDIR;
	err = snapshots_find(&index, &view->snapshots, name);
	if (!err)
		*ret = INO_SNAPSHOT + index;
	return err;
}

static int
list_root(struct view *view, view_fn fn, void *user)
{
	int err = fn("disk", INO_DISK, S_IFREG, user);

	scan_partitions(view);
	for (unsigned int i = 1; i <= PARTITION_LAST && !err; i++) {
		char name[8];

		if (slot_of(view, INO_PARTITION + i).length == 0)
			continue;
		snprintf(name, sizeof(name), "p%u", i);
		err = fn(name, INO_PARTITION + i, S_IFREG, user);
	}
	return err ? err : fn("snapshots", INO_SNAPSHOTS, S_IFDIR, user);
}

struct lister {
	struct view *view;
	view_fn fn;
	void *user;
};

static int
list_snapshot(const char *name, void *user)
{
	struct lister *lister = user;
	size_t index;

	if (snapshots_find(&index, &lister->view->snapshots, name))
		return 0;
	return lister->fn(name, INO_SNAPSHOT + index, S_IFREG, lister->user);
}

int
view_list(struct view *view, uint64_t ino, view_fn fn, void *user)
{
	struct lister lister = {view, fn, user};
	int err;

	if (view->single || (ino != INO_ROOT && ino != INO_SNAPSHOTS))
		return -ENOTDIR;
	err = fn(".", ino, S_IFDIR, user);
	if (!err)
		err = fn("..", INO_ROOT, S_IFDIR, user);
	if (err)
		return err;
	if (ino == INO_ROOT)
		return list_root(view, fn, user);
	return snapshots_list(&view->snapshots, list_snapshot, &lister);
}

/* ---- Attributes ---- */

/* Times and space are those of the image; a disk takes at most its size. */
static void
fill_file(struct stat *ret, const struct view *view, uint64_t size,
	  const struct stat *image, uint64_t more)
{
	uint64_t taken = (uint64_t)image->st_blocks * SECTOR + more;

	ret->st_mode = S_IFREG | view->args->mode;
	ret->st_nlink = 1;
	ret->st_size = (off_t)size;
	ret->st_blocks = (blkcnt_t)((taken < size ? taken : size) / SECTOR);
	ret->st_atim = image->st_atim;
	ret->st_mtim = image->st_mtim;
	ret->st_ctim = image->st_ctim;
}

static int
fill_snapshot(struct stat *ret, struct view *view, uint64_t ino)
{
	struct stat image;
	uint64_t size;
	int err = snapshots_stat(&image, &size, &view->snapshots,
				 (size_t)(ino - INO_SNAPSHOT));

	if (err)
		return err;
	fill_file(ret, view, size, &image, 0);
	ret->st_mode &= ~(mode_t)0222;
	return 0;
}

/* The disk, or a partition of it. */
static int
fill_disk(struct stat *ret, struct view *view, uint64_t ino)
{
	uint64_t size = vhd_size(view->disk);
	struct stat image = {0};

	if (is_partition(ino)) {
		size = slot_of(view, ino).length;
		if (size == 0)
			return -ESTALE;
	}
	(void)stat(view->args->disk, &image);
	fill_file(ret, view, size, &image, view->frozen);
	return 0;
}

static void
fill_directory(struct stat *ret, const struct view *view, uint64_t ino)
{
	mode_t read = view->args->mode & 0444;

	ret->st_mode = S_IFDIR | read | read >> 2; /* whoever reads, enters */
	ret->st_nlink = ino == INO_ROOT ? 3 : 2;
	ret->st_atim = ret->st_mtim = ret->st_ctim = view->begun;
}

int
view_attr(struct stat *ret, struct view *view, uint64_t ino)
{
	struct stat st = {
		.st_ino = ino,
		.st_uid = view->args->uid,
		.st_gid = view->args->gid,
		.st_blksize = 4096,
	};
	int err = 0;

	if (ino == INO_DISK || is_partition(ino) ||
	    (view->single && ino == INO_ROOT))
		err = fill_disk(&st, view, ino);
	else if (ino == INO_ROOT || ino == INO_SNAPSHOTS)
		fill_directory(&st, view, ino);
	else if (ino >= INO_SNAPSHOT)
		err = fill_snapshot(&st, view, ino);
	else
		err = -ESTALE;
	if (!err)
		*ret = st;
	return err;
}

/* ---- Open files ---- */

static int
open_partition(struct file *file, struct view *view, uint64_t ino)
{
	struct slot *slot = &view->partitions[ino - INO_PARTITION];
	int err = 0;

	pthread_mutex_lock(&view->lock);
	if (slot->length == 0)
		err = -ESTALE;
	else
		slot->users++;
	file->start = slot->start;
	file->length = slot->length;
	pthread_mutex_unlock(&view->lock);
	return err;
}

/* The disk of a file that is about to be opened, and its place there. */
static int
open_window(struct file *file, struct view *view, uint64_t ino)
{
	if (ino >= INO_SNAPSHOT)
		return snapshots_open(&file->disk, &view->snapshots,
				      (size_t)(ino - INO_SNAPSHOT));
	file->disk = view->disk;
	file->writable = !view->args->read_only;
	if (is_partition(ino))
		return open_partition(file, view, ino);
	if (ino == INO_DISK || (view->single && ino == INO_ROOT))
		return 0;
	return -EISDIR;
}

static void
keep_file(struct view *view, struct file *file)
{
	pthread_mutex_lock(&view->lock);
	file->next = view->files;
	file->from = &view->files;
	if (file->next)
		file->next->from = &file->next;
	view->files = file;
	pthread_mutex_unlock(&view->lock);
}

static void
free_file(struct view *view, struct file *file)
{
	pthread_mutex_lock(&view->lock);
	*file->from = file->next;
	if (file->next)
		file->next->from = file->from;
	pthread_mutex_unlock(&view->lock);
	free(file);
}

int
view_open(struct file **ret, struct view *view, uint64_t ino, int flags)
{
	struct file *file = malloc(sizeof(*file));
	int err;

	if (!file)
		return -ENOMEM;
	*file = (struct file){.length = WHOLE_DISK};
	err = open_window(file, view, ino);
	if (err) {
		free(file);
		return err;
	}
	keep_file(view, file);
	if ((flags & O_ACCMODE) != O_RDONLY && !file->writable) {
		view_close(view, ino, file);
		return -EROFS;
	}
	*ret = file;
	return 0;
}

void
view_close(struct view *view, uint64_t ino, struct file *file)
{
	if (ino >= INO_SNAPSHOT) {
		snapshots_close(&view->snapshots, (size_t)(ino - INO_SNAPSHOT));
	} else if (is_partition(ino)) {
		pthread_mutex_lock(&view->lock);
		view->partitions[ino - INO_PARTITION].users--;
		pthread_mutex_unlock(&view->lock);
	}
	free_file(view, file);
}
