/* SPDX-License-Identifier: BSD-3-Clause */
/* check.h - examine one VHD file, which need not be good enough to open
 * (format 20), and repair what can be repaired.
 *
 * The parts run in this order, each on what the ones before have read:
 *	check_find.c     the file and its two footers
 *	check_footer.c   what the one that counts says
 *	check_header.c   the dynamic header
 *	check_batmap.c   XenServer's map of full blocks
 *	check_bat.c      the block table
 *	check_blocks.c   where blocks are
 *	check_locator.c  parent locators
 *	check_space.c    the end of the file, and what nothing refers to
 *	check_data.c     bitmaps and data, in file order
 * Memory: eight bytes a block, and what the findings take. */
#ifndef VHDI_CHECK_H
#define VHDI_CHECK_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <vhd.h>

#include "base/arith.h"
#include "base/error.h"
#include "image/find.h"
#include "image/findings.h"
#include "image/places.h"
#include "image/reader.h"
#include "io/io.h"

#define CHECK_MAX_BLOCKS (1u << 26)
#define CHECK_MAX_SPARE  (1u << 20) /* entries looked at past the disk */
#define PAGE_SIZE_4K     4096u

/* How an examination tells what it is doing; see job/job.h. */
struct check_opts {
	uint32_t flags; /* enum vhd_check_flags */
	int64_t now;    /* Unix time */
	/* Both may be NULL; non-zero stops. */
	int (*phase)(void *user, const char *name, uint64_t bytes);
	int (*step)(void *user, uint64_t bytes);
	void *user;
};

/* One of the two places where a footer should be. */
struct footer_copy {
	uint64_t offset;
	uint64_t length; /* bytes read: 512, or 511 (format 4.1) */
	struct disk_footer disk;
	enum footer_fault fault;
	struct footer footer; /* decoded, where there is a cookie */
};

/* XenServer's batmap (format 15.2). */
struct batmap {
	bool expected; /* by its creator */
	bool valid;
	uint64_t header; /* where that should be */
	uint64_t offset; /* of the map */
	uint64_t bytes;
	uint8_t *map; /* if valid; owned */
};

struct check {
	struct io *io;
	const struct check_opts *opts;
	struct findings *findings;

	/* check_find.c */
	uint64_t file_size;
	struct footer_copy start, end;
	struct found found;
	bool usable; /* found is filled */
	bool sparse;

	/* check_header.c, check_bat.c; sparse only */
	uint64_t need;   /* entries that the disk needs */
	uint32_t blocks; /* those that are there */
	uint32_t bitmap_bytes;
	uint64_t region;       /* bytes of a bitmap and its block */
	_Atomic uint32_t *bat; /* owned */
	uint32_t *order;       /* blocks in use, in file order; owned */
	uint32_t used;
	struct place meta[MAX_METADATA];
	size_t nmeta;
	uint64_t end_of_data; /* format 12.5 */
	bool end_is_free;     /* the last sector is nobody's */

	struct batmap batmap;
};

/* Examine the file; findings are sorted and complete afterwards.  0 when
 * everything could be looked at.  check_free must follow in any case. */
int image_check(struct check *c, struct io *io, const struct check_opts *opts,
		struct findings *findings) MUST_CHECK;
void check_free(struct check *c);

/* Repair what image_check has found in c.  Old bytes go to undo first, if
 * there is one (undo.h).  *ret_changed: something was written.  Whether it
 * helped shows when the file is examined again. */
struct undo;
int image_repair(bool *ret_changed, struct check *c,
		 struct undo *undo) MUST_CHECK;

/* Was a rule broken that makes it unsafe to change more than the footers? */
bool check_is_sound(const struct check *c);

/* ---- For the parts ------------------------------------------------------ */

void tell(struct check *c, enum check_rule rule, uint64_t offset,
	  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void tell_as(struct check *c, enum check_rule rule, enum vhd_severity severity,
	     uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

int check_phase(struct check *c, const char *name, uint64_t bytes) MUST_CHECK;
int check_step(struct check *c, uint64_t bytes) MUST_CHECK;

int check_find(struct check *c) MUST_CHECK;
int check_footer(struct check *c) MUST_CHECK;
int check_header(struct check *c) MUST_CHECK;
int check_batmap(struct check *c) MUST_CHECK;
int check_bat(struct check *c) MUST_CHECK;
int check_blocks(struct check *c) MUST_CHECK;
int check_locators(struct check *c) MUST_CHECK;
int check_space(struct check *c) MUST_CHECK;
int check_data(struct check *c) MUST_CHECK;

/* check_batmap.c */
uint32_t batmap_checksum(const uint8_t *map, uint64_t bytes, bool is_signed);

/* check_blocks.c */
uint64_t check_block_start(const struct check *c, uint32_t block);

/* Bytes of a block that must be in the file (format 11.1). */
uint64_t check_block_bytes(const struct check *c, uint32_t block);

/* The position in order of the first block that ends behind offset. */
uint32_t check_first_behind(const struct check *c, uint64_t offset);

/* Does a block in use have bytes in this range? */
bool check_block_meets(const struct check *c, uint64_t offset, uint64_t length);

/* check_space.c: ranges that nothing refers to, in file order, up to the end
 * footer.  Room that locators have set aside counts as referred to. */
typedef int (*gap_fn)(struct check *c, uint64_t start, uint64_t end,
		      void *user);
int check_gaps(struct check *c, gap_fn fn, void *user) MUST_CHECK;

/* check_data.c: the bitmap of one block, as the walk over all of them sees it.
 * Walked are the blocks that are wholly inside the file. */
struct block_view {
	uint32_t block;
	uint64_t offset;       /* of the bitmap */
	const uint8_t *bitmap; /* padding included; gone once data is read */
	uint32_t sectors;      /* of the disk, in this block */
	bool none, all;        /* of these are present */
	bool stray;            /* bits set behind them */
	bool in_batmap;        /* the batmap says that all are present */
};

typedef int (*block_fn)(struct check *c, struct reader *r,
			const struct block_view *view, void *user);
int check_walk(struct check *c, block_fn fn, void *user) MUST_CHECK;

/* Does a valid batmap call this block full? */
bool check_in_batmap(const struct check *c, uint32_t block);

/* The first sector behind everything that the image refers to. */
static inline uint64_t
check_footer_place(const struct check *c)
{
	return round_up(c->end_of_data, SECTOR_SIZE);
}
#endif
