/* SPDX-License-Identifier: BSD-3-Clause */
/* disk.c - do something to an image, and say so to its oracle. */
#include "disk.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_SIZE 4000

/* A step of growth after which the table reaches into the blocks. */
#define FAR_STEP 2000u
#define FAR_MOST 6000u

static void __attribute__((format(printf, 2, 3)))
wrong(struct disk *disk, const char *fmt, ...)
{
	va_list args;

	if (disk->why[0])
		return;
	va_start(args, fmt);
	(void)vsnprintf(disk->why, sizeof(disk->why), fmt, args);
	va_end(args);
}

/* A failure that was told to happen is noted, any other is wrong. */
static bool
worked(struct disk *disk, int err, const char *what)
{
	if (err && disk->faulty && fault_fired(disk->fault))
		disk->hit = true;
	else if (err)
		wrong(disk, "%s failed: %s", what, error_message());
	return !err;
}

static void __attribute__((format(printf, 2, 3)))
note(struct disk *disk, const char *fmt, ...)
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

static uint64_t
size_of(const struct disk *disk)
{
	return (uint64_t)(disk->blocks + disk->far) * DISK_BLOCK;
}

static void
format_image(struct disk *disk)
{
	static const uint8_t uuid[16] = "crash-test-uuid";
	struct image_create how = {
		.type = disk->type,
		.size = size_of(disk),
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
	return worked(disk, err, "opening for writing");
}

void
disk_create(struct disk *disk, enum vhd_type type, uint32_t blocks,
	    uint32_t far, uint64_t seed)
{
	begin(disk, type, blocks, far, seed);
	must(crash_fs_new(&disk->crash));
	must(fault_fs_new(&disk->fault, disk->crash));
	format_image(disk);
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

/* ---- what may be done ---- */

static uint32_t
min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t
sectors(const struct disk *disk)
{
	return disk->blocks * DISK_SPB;
}

static void
do_write(struct disk *disk, uint32_t first, uint32_t count)
{
	uint8_t buf[ORACLE_SECTORS * 512];
	uint32_t value = disk->next_value++;
	int err;

	note(disk, " write %u+%u=%u", first, count, value);
	for (uint32_t i = 0; i < count; i++) {
		oracle_fill(buf + 512 * i, first + i, value);
		oracle_write(&disk->oracle, first + i, value);
	}
	err = image_pwrite(disk->img, buf, 512 * count, 512ull * first);
	if (!worked(disk, err, "write"))
		oracle_doubt(&disk->oracle, first, count);
}

static void
do_zero(struct disk *disk, uint32_t first, uint32_t count)
{
	int err;

	note(disk, " zero %u+%u", first, count);
	for (uint32_t i = 0; i < count; i++)
		oracle_write(&disk->oracle, first + i, VALUE_ZERO);
	err = image_write_zeros(disk->img, 512ull * first, 512ull * count);
	if (!worked(disk, err, "zero"))
		oracle_doubt(&disk->oracle, first, count);
}

static void
do_drop(struct disk *disk, uint32_t block)
{
	note(disk, " drop %u", block);
	for (uint32_t i = 0; i < DISK_SPB; i++)
		oracle_write(&disk->oracle, block * DISK_SPB + i,
			     disk_absent(disk));
	if (!worked(disk, image_drop_block(disk->img, block), "drop"))
		oracle_doubt(&disk->oracle, block * DISK_SPB, DISK_SPB);
}

static void
do_move(struct disk *disk, uint32_t block)
{
	uint64_t below = disk_draw(disk, 2) ? UINT64_MAX : 60000;
	bool moved;

	if (!image_has_block(disk->img, block))
		return;
	note(disk, " move %u", block);
	(void)worked(disk, image_move_block(&moved, disk->img, block, below),
		     "move");
}

static void
do_durable(struct disk *disk, uint32_t sector)
{
	uint32_t value = disk->next_value++;
	uint8_t buf[512];
	bool done = false;
	int err;

	note(disk, " durable %u=%u", sector, value);
	oracle_fill(buf, sector, value);
	oracle_write(&disk->oracle, sector, value);
	err = image_pwrite_durable(&done, disk->img, buf, 512, 512ull * sector);
	if (!err && done) {
		oracle_settle(&disk->oracle, sector);
		return;
	}
	if (!err)
		err = image_pwrite(disk->img, buf, 512, 512ull * sector);
	if (!worked(disk, err, "durable write"))
		oracle_doubt(&disk->oracle, sector, 1);
}

static void
do_flush(struct disk *disk)
{
	note(disk, " flush");
	oracle_flush_begin(&disk->oracle);
	disk->flushing = true;
	if (worked(disk, image_flush(disk->img), "flush"))
		oracle_flush_done(&disk->oracle);
	disk->flushing = false;
}

static void
do_reopen(struct disk *disk)
{
	note(disk, " reopen");
	oracle_flush_begin(&disk->oracle);
	if (!worked(disk, image_close(TAKE(disk->img)), "close"))
		return;
	oracle_flush_done(&disk->oracle);
	(void)disk_open(disk);
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
			wrong(disk, "sector %u reads %u after a kill", i,
			      view.values[i]);
	if (disk->why[0] || !disk_open(disk))
		return;
	oracle_adopt(&disk->oracle, view.values);
	take_shape(disk, &view);
}

static void
do_kill(struct disk *disk)
{
	note(disk, " kill");
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
		wrong(disk, "D8: works on after a failed flush");
	if (fault_count(disk->fault))
		wrong(disk, "D8: wrote after a failed flush");
}

static void
do_fail_flush(struct disk *disk)
{
	const struct fault fault = {
		.at = 1 + disk_draw(disk, 2),
		.kinds = FAULT_FLUSH,
		.what = FAULT_EIO,
	};
	int err;

	note(disk, " fail-flush");
	oracle_flush_begin(&disk->oracle);
	fault_arm(disk->fault, &fault);
	err = image_flush(disk->img);
	if (!fault_fired(disk->fault)) {
		fault_arm(disk->fault, &(struct fault){.at = 0});
		if (worked(disk, err, "flush"))
			oracle_flush_done(&disk->oracle);
		return;
	}
	if (!err)
		wrong(disk, "D8: a failed flush was not noticed");
	expect_failed(disk);
	end_without_closing(disk);
}

static void
do_link(struct disk *disk)
{
	struct image_link link = {.relative = "other.vhd", .time = 7};
	char relative[40];

	if (disk->type != VHD_TYPE_DIFFERENCING)
		return;
	do_flush(disk);
	note(disk, " link");
	disk->link++;
	memset(link.uuid, disk->link, sizeof(link.uuid));
	(void)snprintf(relative, sizeof(relative), "parent-%u.vhd", disk->link);
	link.relative = relative;
	(void)worked(disk, image_set_parent(disk->img, &link), "linking");
}

static void
forget_from(struct disk *disk, uint32_t block)
{
	for (uint32_t i = block * DISK_SPB; i < ORACLE_SECTORS; i++)
		if (disk->oracle.sector[i].now != disk_absent(disk))
			oracle_write(&disk->oracle, i, disk_absent(disk));
}

/* The size as the image has it. */
static void
take_size(struct disk *disk)
{
	uint32_t blocks = (uint32_t)(disk->img->size / DISK_BLOCK);

	if (disk->far)
		disk->far = blocks - disk->blocks;
	else
		disk->blocks = blocks;
}

static void
do_resize_near(struct disk *disk, uint32_t blocks, bool hide)
{
	uint32_t was = sectors(disk);
	uint32_t first = min_u32(blocks, disk->blocks) * DISK_SPB;
	int err;

	note(disk, " resize to %u%s", blocks, hide ? ", hide" : "");
	forget_from(disk, first / DISK_SPB);
	if (blocks > disk->blocks && disk->type == VHD_TYPE_DIFFERENCING &&
	    hide)
		disk->hiding = was;
	disk->blocks = blocks;
	for (uint32_t i = disk->hiding; i && i < sectors(disk); i++)
		oracle_write(&disk->oracle, i, VALUE_ZERO);
	err = image_resize(disk->img, size_of(disk),
			   disk->hiding ? size_of(disk) : 0);
	if (!worked(disk, err, "resizing"))
		oracle_doubt(&disk->oracle, first, ORACLE_SECTORS - first);
	disk->hiding = 0;
}

static void
do_resize(struct disk *disk, uint32_t where)
{
	do_flush(disk);
	if (disk->far) {
		note(disk, " resize");
		disk->far += disk->far < FAR_MOST ? FAR_STEP : 1;
		(void)worked(disk, image_resize(disk->img, size_of(disk), 0),
			     "resizing");
	} else {
		do_resize_near(disk, 2 + where % (DISK_MOST - 1),
			       where / DISK_MOST % 2);
	}
	take_size(disk);
	do_flush(disk);
}

/* Every sector must be here first. */
static void
do_root(struct disk *disk)
{
	if (disk->type != VHD_TYPE_DIFFERENCING || disk->far)
		return;
	for (uint32_t i = 0; i < sectors(disk); i++)
		if (disk->oracle.sector[i].now == VALUE_PARENT ||
		    disk->oracle.sector[i].doubted)
			do_write(disk, i, 1);
	if (!disk->hit)
		do_flush(disk);
	if (disk->hit)
		return;
	note(disk, " root");
	for (uint32_t i = sectors(disk); i < ORACLE_SECTORS; i++)
		oracle_write(&disk->oracle, i, VALUE_ZERO);
	if (worked(disk, image_make_root(disk->img), "making a root"))
		disk->type = VHD_TYPE_DYNAMIC;
}

void
disk_do(struct disk *disk, enum disk_op op, uint32_t where, uint32_t count)
{
	uint32_t sector = where % sectors(disk);
	uint32_t block = where % disk->blocks;
	uint32_t rest = sectors(disk) - sector;

	if (disk->why[0])
		return;
	count = count < rest ? count : rest;
	switch (op) {
	case OP_WRITE:
		do_write(disk, sector, count);
		break;
	case OP_ZERO:
		do_zero(disk, sector, count);
		break;
	case OP_DROP:
		do_drop(disk, block);
		break;
	case OP_MOVE:
		do_move(disk, block);
		break;
	case OP_DURABLE:
		do_durable(disk, sector);
		break;
	case OP_FLUSH:
		do_flush(disk);
		break;
	case OP_REOPEN:
		do_reopen(disk);
		break;
	case OP_KILL:
		do_kill(disk);
		break;
	case OP_FAIL_FLUSH:
		do_fail_flush(disk);
		break;
	case OP_LINK:
		do_link(disk);
		break;
	case OP_RESIZE:
		do_resize(disk, where);
		break;
	case OP_ROOT:
		do_root(disk);
		break;
	case OP_COUNT:
		break;
	}
}

/* One in how many operations is which. */
static enum disk_op
random_op(struct disk *disk)
{
	static const uint8_t weight[OP_COUNT] = {
		[OP_WRITE] = 40, [OP_ZERO] = 6,    [OP_DROP] = 10,
		[OP_MOVE] = 8,   [OP_DURABLE] = 6, [OP_FLUSH] = 18,
		[OP_REOPEN] = 4, [OP_KILL] = 3,    [OP_FAIL_FLUSH] = 2,
		[OP_LINK] = 2,   [OP_RESIZE] = 2,  [OP_ROOT] = 1,
	};
	uint64_t at = disk_draw(disk, 102);
	unsigned op = 0;

	while (at >= weight[op])
		at -= weight[op++];
	return (enum disk_op)op;
}

struct disk_step
disk_pick(struct disk *disk)
{
	enum disk_op op = disk->far && disk_draw(disk, 12) == 0
				  ? OP_RESIZE
				  : random_op(disk);

	return (struct disk_step){
		.op = op,
		.where = (uint32_t)disk_draw(disk, ORACLE_SECTORS),
		.count = 1 + (uint32_t)disk_draw(disk, DISK_SPB + 2),
	};
}

void
disk_do_random(struct disk *disk)
{
	struct disk_step step = disk_pick(disk);

	disk_do(disk, step.op, step.where, step.count);
}

void
disk_write_random(struct disk *disk)
{
	disk_do(disk, OP_WRITE, (uint32_t)disk_draw(disk, ORACLE_SECTORS),
		1 + (uint32_t)disk_draw(disk, 3));
}
