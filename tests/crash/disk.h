/* SPDX-License-Identifier: BSD-3-Clause */
/* disk.h - an image under test together with what it must read, and the
 * things a guest or a job may do to both.
 *
 *	image floor  ->  io_fault  ->  io_crash
 */
#ifndef VHD_CRASH_DISK_H
#define VHD_CRASH_DISK_H
#include "image/image.h"
#include "io_crash.h"
#include "io_fault.h"
#include "oracle.h"
#include "reader.h"
#include "relayout.h"

#define DISK_PATH  "/disk.vhd"
#define DISK_BLOCK 4096u
#define DISK_SPB   (DISK_BLOCK / 512)
#define DISK_MOST  (ORACLE_SECTORS / DISK_SPB) /* blocks under the oracle */

/* Entries of a table that reaches to where the first block may be. */
#define TABLE_FULL ((4096 - 0x600) / 4)

struct disk {
	enum vhd_type type;
	uint32_t blocks; /* under the oracle and in use */
	uint32_t far;    /* more blocks behind those, which nobody touches */
	uint8_t link;    /* which parent; 0: never changed */
	struct fs *crash;
	struct fs *fault; /* over crash */
	struct image *img;
	struct oracle oracle;
	uint32_t next_value;
	uint64_t random;
	uint32_t hiding; /* sectors from here on are not the parent's as
			  * soon as the disk is so long; 0: none */
	bool faulty;     /* operations may fail because io_fault was told so */
	bool hit;        /* one did */
	bool struck;     /* something below was told to fail, before a kill */
	bool flushing;   /* a guest may write meanwhile */
	char *log;       /* what was done, for a person; owned */
	char why[400];   /* what went wrong; "" so far */
};

/* A new image that is durable.  far: 0, or how many blocks more it has. */
void disk_create(struct disk *disk, enum vhd_type type, enum layout layout,
		 uint32_t blocks, uint32_t far, uint64_t seed);

/* What a crash left, not opened yet; its content is what is to be read from
 * now on. */
bool disk_recover(struct disk *disk, const struct disk *before,
		  const struct fs *state, uint64_t seed);

/* False, and why, when it cannot be opened; so for all that follows. */
bool disk_open(struct disk *disk);
void disk_free(struct disk *disk);

/* End without closing, and open again. */
void disk_kill(struct disk *disk);
/* Let a flush fail: nothing may be written any more (D8). */
void disk_fail_flush(struct disk *disk);

uint64_t disk_draw(struct disk *disk, uint64_t below);

enum disk_op {
	OP_WRITE,
	OP_ZERO,
	OP_DROP,
	OP_MOVE,
	OP_DURABLE,
	OP_FLUSH,
	OP_REOPEN,     /* close and open */
	OP_KILL,       /* end without closing, open */
	OP_FAIL_FLUSH, /* a flush fails; nothing may be written any more */
	OP_LINK,       /* another parent */
	OP_RESIZE,
	OP_ROOT, /* needs its parent no more */
	OP_COUNT,
};

/* Do it to a sector, or block, from `where` on.  Operations that make no
 * sense now do nothing. */
void disk_do(struct disk *disk, enum disk_op op, uint32_t where,
	     uint32_t count);
struct disk_step {
	enum disk_op op;
	uint32_t where, count;
};
struct disk_step disk_pick(struct disk *disk);
void disk_do_random(struct disk *disk);

/* For what is done: a line of the log, a violation, and whether something
 * worked.  A failure that was told to happen is noted, any other is wrong. */
void disk_note(struct disk *disk, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void disk_wrong(struct disk *disk, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool disk_worked(struct disk *disk, int err, const char *what);
uint64_t disk_size(const struct disk *disk);

/* The content of the file; false, and why, when it is none. */
bool disk_look(struct disk *disk, struct reader_view *view);
bool disk_is_at_rest(struct disk *disk); /* both footers are there */

/* A guest's write during a flush. */
void disk_write_random(struct disk *disk);

/* Where a sector that is not stored is read from. */
static inline uint32_t
disk_absent(const struct disk *disk)
{
	return disk->type == VHD_TYPE_DIFFERENCING ? VALUE_PARENT : VALUE_ZERO;
}
#endif
