/* SPDX-License-Identifier: BSD-3-Clause */
/* disk.c - an image under test: from its creation, or from what a crash left,
 * to its end. */
#include "disk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_SIZE 4000

void
disk_wrong(struct disk *disk, const char *fmt, ...)
{
	va_list args;

	if (disk->why[0])
		return;
	va_start(args, fmt);
	(void)vsnprintf(disk->why, sizeof(disk->why), fmt, args);
	va_end(args);
}

/* A failure that was told to happen is noted, any other is wrong. */
bool
disk_worked(struct disk *disk, int err, const char *what)
{
	if (err && disk->faulty && fault_fired(disk->fault))
		disk->hit = true;
	else if (err)
		disk_wrong(disk, "%s failed: %s", what, error_message());
	return !err;
}

void
disk_note(struct disk *disk, const char *fmt, ...)
{
	size_t used = strlen(disk->log);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(disk->log + used, LOG_SIZE - used, fmt, args);
	va_end(args);
}

uint64_t
disk_draw(struct disk *disk, uint64_t below)
{
	disk->random ^= disk->random << 13;
	disk->random ^= disk->random >> 7;
	disk->random ^= disk->random << 17;
	return below ? (disk->random >> 11) % below : 0;
}

static void
must(int err)
{
	if (err) {
		(void)fprintf(stderr, "cannot go on: %s\n", error_message());
		abort();
	}
}

static void
begin(struct disk *disk, enum vhd_type type, uint32_t blocks, uint32_t far,
      uint64_t seed)
{
	*disk = (struct disk){
		.type = type,
		.blocks = blocks,
		.far = far,
		.next_value = VALUE_FIRST,
		.random = seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du,
		.log = calloc(1, LOG_SIZE),
	};
	if (!disk->log)
		abort();
	for (int i = 0; i < 8; i++)
		(void)disk_draw(disk, 1);
}

uint64_t
disk_size(const struct disk *disk)
{
	return (uint64_t)(disk->blocks + disk->far) * DISK_BLOCK;
}

static void
format_image(struct disk *disk, enum layout layout)
{
	static const uint8_t uuid[16] = "crash-test-uuid";
	struct image_create how = {
		.type = disk->type,
		.size = disk_size(disk),
		.block_size = DISK_BLOCK,
		.uuid = uuid,
		.created = 1700000000,
		.parent_relative = "parent.vhd",
	};
	struct footer parent;
	struct io *io;

	footer_init(&parent, VHD_TYPE_DYNAMIC, how.size, uuid, 1600000000,
		    "win ");
	how.parent = &parent;
	must(disk->crash->ops->open(&io, disk->crash, DISK_PATH,
				    FS_OPEN_CREATE));
	must(image_format(io, &how));
	must(relayout(io, layout));
	must(io_close(io));
	must(disk->crash->ops->sync_dir(disk->crash, DISK_PATH));
}

/* As a chain does: what is in the file must be durable before it is believed
 * (P14). */
bool
disk_open(struct disk *disk)
{
	struct error kept;
	struct io *io;
	int err;

	err = disk->fault->ops->open(&io, disk->fault, DISK_PATH,
				     FS_OPEN_WRITE);
	if (!err) {
		err = io->ops->flush(io);
		error_save(&kept);
		if (err) {
			(void)io_close(io);
			(void)error_restore(&kept);
		} else {
			err = image_open(&disk->img, io, IMAGE_WRITE);
		}
	}
	return disk_worked(disk, err, "opening for writing");
}

void
disk_create(struct disk *disk, enum vhd_type type, enum layout layout,
	    uint32_t blocks, uint32_t far, uint64_t seed)
{
	begin(disk, type, blocks, far, seed);
	must(crash_fs_new(&disk->crash));
	must(fault_fs_new(&disk->fault, disk->crash));
	format_image(disk, layout);
	oracle_start(&disk->oracle, disk_absent(disk));
	(void)disk_open(disk);
}

bool
disk_look(struct disk *disk, struct reader_view *view)
{
	struct mem_data *data;
	bool ok;

	must(mem_fs_get_data(&data, crash_live(disk->crash), DISK_PATH));
	ok = reader_read(view, data, disk->why, sizeof(disk->why));
	mem_data_free(data);
	return ok;
}

bool
disk_is_at_rest(struct disk *disk)
{
	struct mem_data *data;
	bool yes;

	must(mem_fs_get_data(&data, crash_live(disk->crash), DISK_PATH));
	yes = reader_at_rest(data);
	mem_data_free(data);
	return yes;
}

static void
take_shape(struct disk *disk, const struct reader_view *view)
{
	uint32_t blocks = (uint32_t)(view->size / DISK_BLOCK);

	disk->type =
		view->differencing ? VHD_TYPE_DIFFERENCING : VHD_TYPE_DYNAMIC;
	if (disk->far)
		disk->far = blocks - disk->blocks;
	else
		disk->blocks = blocks;
}

bool
disk_recover(struct disk *disk, const struct disk *before,
	     const struct fs *state, uint64_t seed)
{
	struct reader_view view;

	begin(disk, before->type, before->blocks, before->far, seed);
	disk->next_value = before->next_value;
	disk->link = before->link;
	must(crash_fs_from(&disk->crash, state));
	must(fault_fs_new(&disk->fault, disk->crash));
	if (!disk_look(disk, &view))
		return false;
	oracle_adopt(&disk->oracle, view.values);
	take_shape(disk, &view);
	return true;
}

void
disk_free(struct disk *disk)
{
	crash_set_hook(disk->crash, NULL, NULL);
	if (disk->img)
		(void)image_close(disk->img);
	fault_fs_free(disk->fault);
	crash_fs_free(disk->crash);
	free(disk->log);
}

/* The process is gone, the kernel is not: the file says what was written, and
 * that it is so becomes durable when it is opened. */
static void
end_without_closing(struct disk *disk)
{
	const struct fault dead = {.at = 1, .sticky = true};
	struct reader_view view;

	disk->struck |= fault_fired(disk->fault);
	fault_arm(disk->fault, &dead);
	(void)image_close(TAKE(disk->img));
	fault_arm(disk->fault, &(struct fault){.at = 0});
	if (!disk_look(disk, &view))
		return;
	for (uint32_t i = 0; i < ORACLE_SECTORS; i++)
		if (!oracle_allows(&disk->oracle, i, view.values[i]))
			disk_wrong(disk, "sector %u reads %u after a kill", i,
				   view.values[i]);
	if (disk->why[0] || !disk_open(disk))
		return;
	oracle_adopt(&disk->oracle, view.values);
	take_shape(disk, &view);
}

void
disk_kill(struct disk *disk)
{
	disk_note(disk, " kill");
	end_without_closing(disk);
}

/* D8 */
static void
expect_failed(struct disk *disk)
{
	const struct fault watch = {.kinds = FAULT_WRITE | FAULT_PUNCH |
					     FAULT_TRUNCATE | FAULT_FLUSH};
	static const uint8_t buf[512];

	fault_arm(disk->fault, &watch);
	if (image_pwrite(disk->img, buf, 512, 0) == 0 ||
	    image_write_zeros(disk->img, 0, 512) == 0 ||
	    image_flush(disk->img) == 0)
		disk_wrong(disk, "D8: works on after a failed flush");
	if (fault_count(disk->fault))
		disk_wrong(disk, "D8: wrote after a failed flush");
}

void
disk_fail_flush(struct disk *disk)
{
	const struct fault fault = {
		.at = 1 + disk_draw(disk, 2),
		.kinds = FAULT_FLUSH,
		.what = FAULT_EIO,
	};
	int err;

	disk_note(disk, " fail-flush");
	oracle_flush_begin(&disk->oracle);
	fault_arm(disk->fault, &fault);
	err = image_flush(disk->img);
	if (!fault_fired(disk->fault)) {
		fault_arm(disk->fault, &(struct fault){.at = 0});
		if (disk_worked(disk, err, "flush"))
			oracle_flush_done(&disk->oracle);
		return;
	}
	if (!err)
		disk_wrong(disk, "D8: a failed flush was not noticed");
	expect_failed(disk);
	end_without_closing(disk);
}
