/* SPDX-License-Identifier: BSD-3-Clause */
/* disk_work.c - what a guest or a job may do to an image; each says so to the
 * oracle. */
#include <stdio.h>
#include <string.h>

#include "disk.h"

/* A step of growth after which the table reaches into the blocks. */
#define FAR_STEP 2000u
#define FAR_MOST 6000u

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

	disk_note(disk, " write %u+%u=%u", first, count, value);
	for (uint32_t i = 0; i < count; i++) {
		oracle_fill(buf + 512 * i, first + i, value);
		oracle_write(&disk->oracle, first + i, value);
	}
	err = image_pwrite(disk->img, buf, 512 * count, 512ull * first);
	if (!disk_worked(disk, err, "write"))
		oracle_doubt(&disk->oracle, first, count);
}

/* Into the last block, whose entry is in another sector of the table; what it
 * reads is not judged. */
static void
write_far(struct disk *disk)
{
	static const uint8_t buf[512] = {1};

	if (!disk->far || disk_draw(disk, 3) != 0)
		return;
	disk_note(disk, " far");
	(void)disk_worked(
		disk, image_pwrite(disk->img, buf, 512, disk_size(disk) - 512),
		"far write");
}

static void
do_zero(struct disk *disk, uint32_t first, uint32_t count)
{
	int err;

	disk_note(disk, " zero %u+%u", first, count);
	for (uint32_t i = 0; i < count; i++)
		oracle_write(&disk->oracle, first + i, VALUE_ZERO);
	err = image_write_zeros(disk->img, 512ull * first, 512ull * count);
	if (!disk_worked(disk, err, "zero"))
		oracle_doubt(&disk->oracle, first, count);
}

static void
do_drop(struct disk *disk, uint32_t block)
{
	disk_note(disk, " drop %u", block);
	for (uint32_t i = 0; i < DISK_SPB; i++)
		oracle_write(&disk->oracle, block * DISK_SPB + i,
			     disk_absent(disk));
	if (!disk_worked(disk, image_drop_block(disk->img, block), "drop"))
		oracle_doubt(&disk->oracle, block * DISK_SPB, DISK_SPB);
}

static void
do_move(struct disk *disk, uint32_t block)
{
	uint64_t below = disk_draw(disk, 2) ? UINT64_MAX : 60000;
	bool moved;

	if (!image_has_block(disk->img, block))
		return;
	disk_note(disk, " move %u", block);
	(void)disk_worked(disk,
			  image_move_block(&moved, disk->img, block, below),
			  "move");
}

static void
do_durable(struct disk *disk, uint32_t sector)
{
	uint32_t value = disk->next_value++;
	uint8_t buf[512];
	bool done = false;
	int err;

	disk_note(disk, " durable %u=%u", sector, value);
	oracle_fill(buf, sector, value);
	oracle_write(&disk->oracle, sector, value);
	err = image_pwrite_durable(&done, disk->img, buf, 512, 512ull * sector);
	if (!err && done) {
		oracle_settle(&disk->oracle, sector);
		return;
	}
	if (!err)
		err = image_pwrite(disk->img, buf, 512, 512ull * sector);
	if (!disk_worked(disk, err, "durable write"))
		oracle_doubt(&disk->oracle, sector, 1);
}

/* D1: at the end, too, unless a guest has made the file longer since. */
static void
expect_end_footer(struct disk *disk)
{
	if (!disk_is_at_rest(disk))
		disk_wrong(disk, "D1: no end footer after a flush");
}

static void
do_flush(struct disk *disk)
{
	uint32_t written = disk->next_value;

	disk_note(disk, " flush");
	oracle_flush_begin(&disk->oracle);
	disk->flushing = true;
	if (disk_worked(disk, image_flush(disk->img), "flush")) {
		oracle_flush_done(&disk->oracle);
		if (disk->next_value == written)
			expect_end_footer(disk);
	}
	disk->flushing = false;
}

static void
do_reopen(struct disk *disk)
{
	disk_note(disk, " reopen");
	oracle_flush_begin(&disk->oracle);
	if (!disk_worked(disk, image_close(TAKE(disk->img)), "close"))
		return;
	oracle_flush_done(&disk->oracle);
	(void)disk_open(disk);
}

static void
do_link(struct disk *disk)
{
	struct image_link link = {.relative = "other.vhd", .time = 7};
	char relative[40];

	if (disk->type != VHD_TYPE_DIFFERENCING)
		return;
	do_flush(disk);
	disk_note(disk, " link");
	disk->link++;
	memset(link.uuid, disk->link, sizeof(link.uuid));
	(void)snprintf(relative, sizeof(relative), "parent-%u.vhd", disk->link);
	link.relative = relative;
	(void)disk_worked(disk, image_set_parent(disk->img, &link), "linking");
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

	disk_note(disk, " resize to %u%s", blocks, hide ? ", hide" : "");
	forget_from(disk, first / DISK_SPB);
	if (blocks > disk->blocks && disk->type == VHD_TYPE_DIFFERENCING &&
	    hide)
		disk->hiding = was;
	disk->blocks = blocks;
	for (uint32_t i = disk->hiding; i && i < sectors(disk); i++)
		oracle_write(&disk->oracle, i, VALUE_ZERO);
	err = image_resize(disk->img, disk_size(disk),
			   disk->hiding ? disk_size(disk) : 0, NULL);
	if (!disk_worked(disk, err, "resizing"))
		oracle_doubt(&disk->oracle, first, ORACLE_SECTORS - first);
	disk->hiding = 0;
}

static void
do_resize(struct disk *disk, uint32_t where)
{
	do_flush(disk);
	if (disk->far) {
		disk_note(disk, " resize");
		disk->far += disk->far < FAR_MOST ? FAR_STEP : 1;
		(void)disk_worked(
			disk, image_resize(disk->img, disk_size(disk), 0, NULL),
			"resizing");
	} else {
		do_resize_near(disk, 2 + where % (DISK_MOST - 1),
			       where / DISK_MOST % 2);
	}
	take_size(disk);
	do_flush(disk);
}

static int
make_root(struct image *img)
{
	int err = 0;

	image_fill_new(img, true);
	for (uint32_t b = 0; b < img->blocks && !err; b++)
		err = image_fill_block(img, b);
	if (!err)
		err = image_make_root(img);
	image_fill_new(img, false);
	return err;
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
	disk_note(disk, " root");
	for (uint32_t i = sectors(disk); i < ORACLE_SECTORS; i++)
		oracle_write(&disk->oracle, i, VALUE_ZERO);
	if (disk_worked(disk, make_root(disk->img), "making a root"))
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
		write_far(disk);
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
		disk_kill(disk);
		break;
	case OP_FAIL_FLUSH:
		disk_fail_flush(disk);
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
