/* SPDX-License-Identifier: BSD-3-Clause */
/* image.h - one VHD file: where its blocks are, which of their sectors are
 * present, and in which order changes reach the disk.
 *
 * An image knows that a parent is named, but not where it is.  It stores
 * whole sectors; cutting requests, and choosing the image that owns a sector,
 * is the chain's work.
 *
 * Invariants, true on disk at every instant (docs/durability.md has the
 * reasons; code and tests cite the numbers):
 *  D1  The copy of the footer at offset 0 is valid.  It is written only by a
 *      change of the footer itself, never to store data.
 *  D2  A BAT entry on disk names a region wholly inside the file, that
 *      overlaps nothing, with an initialised bitmap.
 *  D3  A bit set on disk means that its sector holds what the guest wrote, no
 *      older than its last flush.
 *  D4  A bit clear on disk means that the parent (or zero) is right.
 *  D5  A flush that returned 0 has made every write that completed before it
 *      readable by any VHD reader; there is no sidecar.
 *  D6  In an image that is not differencing, data under a clear bit is zero
 *      wherever we were the ones to write.
 *  D7  Space that a durable entry may still name is neither reused nor
 *      punched.
 *  D8  After a failed flush nothing more is written: the image is failed
 *      until it is opened again.
 *  D9  On what the image stands is durable before anybody can see it.
 *
 * Locks, in the order in which they may be taken:
 *	punch_lock      giving space back
 *	flush_lock      one flush, or change of the header, at a time
 *	lock            BAT changes, space, what is pending
 *	footer_lock     the end footer stays where it is
 *	bitmap shards   the cache of sector bitmaps
 * Reads of the BAT take none: entries are atomic.  The caller keeps readers
 * and writers of a block away while it drops or moves that block (the
 * chain's gate). */
#ifndef VHDI_IMAGE_H
#define VHDI_IMAGE_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <vhd.h>

#include "base/arith.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "format/dynhdr.h"
#include "format/footer.h"
#include "image/bitmaps.h"
#include "image/space.h"
#include "io/io.h"

/* What is wrong with a file that can still be opened; see image_open.c. */
enum image_defect {
	DEFECT_END_MISSING = 1 << 0,    /* V04; recovered by a writable open */
	DEFECT_START_BAD = 1 << 1,      /* V05 */
	DEFECT_DIFFER = 1 << 2,         /* V06 */
	DEFECT_HALF_UPDATE = 1 << 3,    /* V06, left by an interrupted change of
					 * the footer; recovered likewise */
	DEFECT_SHORT_FOOTER = 1 << 4,   /* V10: 511 bytes */
	DEFECT_BAD_HEADER_SUM = 1 << 5, /* V41, only with IMAGE_DAMAGED */
	DEFECT_DATA_AFTER = 1 << 6,     /* V08: footer found by scanning back */
	DEFECT_BAT_SHORT = 1 << 7,      /* V49, only with IMAGE_DAMAGED */
};

enum image_flags {
	IMAGE_WRITE = 1 << 0,
	IMAGE_RAW = 1 << 1,           /* a plain disk, no VHD */
	IMAGE_IGNORE_BITMAP = 1 << 2, /* an allocated block is all present */
	IMAGE_DAMAGED = 1 << 3, /* open what can be read; not with WRITE */
	IMAGE_SIZE_CHS = 1 << 4,
};

/* A BAT entry that changed in memory and is not on disk yet. */
struct bat_change {
	uint32_t block;
	uint32_t value; /* these two as of the flush that publishes it */
	uint8_t flags;  /* enum block_flag */
};

/* A bitmap as it is to be stored; fresh: for a region that no entry names. */
struct bitmap_copy {
	uint32_t block;
	uint32_t value; /* the block's entry when the copy was made */
	bool fresh;
};

/* Changes that wait for, or travel with, a flush. */
struct pending {
	struct bat_change *bat;
	size_t nbat, bat_room;
	uint32_t *bitmaps; /* blocks whose bitmap has new bits */
	size_t nbitmaps, bitmaps_room;
	struct region *freed; /* no entry names them once this is durable */
	size_t nfreed, freed_room;
	uint64_t prepared; /* the latest struct region.prepared among bat */
	bool named;        /* entries on disk may name its regions already */
	struct bitmap_copy *copies; /* only in what travels with a flush */
	uint8_t *bits;              /* theirs, bitmap_bytes each */
	size_t ncopies;
};

struct image {
	/* Set at open, then constant. */
	struct io *io;
	_Atomic enum vhd_type type; /* image_make_root changes it */
	bool writable; /* cleared when a snapshot freezes it, gates closed */
	bool ignore_bitmap;
	uint32_t block_size; /* bytes */
	uint32_t block_shift;
	uint32_t bitmap_bytes;  /* as stored: whole sectors */
	uint64_t table_at;      /* where the table is, bytes */
	unsigned defects;       /* enum image_defect, as found */
	uint64_t batmap_header; /* XenServer: of its sector; 0: none */
	uint64_t batmap_offset; /* of the map itself, bytes */
	uint64_t batmap_bytes;

	/* Changes of header and footer: one at a time [flush_lock], each field
	 * with [lock], too. */
	struct footer footer;
	struct dynhdr hdr;
	_Atomic uint64_t header_at; /* bytes */
	uint64_t footer_offset;     /* of the end footer, as found or written */
	_Atomic uint64_t size;      /* bytes the guest sees */

	uint32_t blocks;       /* entries in use: ceil(size / block_size)
				* [exclusive] */
	_Atomic uint32_t *bat; /* changes: [lock] */
	uint8_t *block_flags;  /* enum block_flag [lock] */
	struct bitmaps bitmaps;

	pthread_mutex_t flush_lock;
	pthread_mutex_t lock;
	struct space space;        /* [lock] */
	struct pending pending;    /* [lock] */
	struct pending publishing; /* what a flush carries [lock] */
	struct region *loose;      /* free, but not punched yet [lock] */
	size_t nloose, loose_room;
	pthread_mutex_t footer_lock;
	pthread_mutex_t punch_lock; /* one punches at a time */
	_Atomic uint64_t file_size; /* where the end footer ends; changes:
				     * [lock] */
	_Atomic uint32_t allocated; /* entries in use [lock] */
	uint64_t sync_started;      /* flushes of the file, counted [lock] */
	uint64_t sync_done;         /* the newest that succeeded [lock] */
	_Atomic bool dirty;         /* written since the last flush began */
	bool untidy;                /* the end may hold unused space [lock] */
	_Atomic bool vanishing;     /* empty, and its file will go: space is
				     * not given back by and by */
	_Atomic bool fills_new;     /* it will be a root: new blocks are all
				     * present, as in one (D6) */
	_Atomic bool failed;        /* D8 */
};

enum block_flag {
	BLOCK_BAT_PENDING = 1 << 0,    /* listed in pending.bat */
	BLOCK_BITMAP_PENDING = 1 << 1, /* listed in pending.bitmaps */
	BLOCK_NEW = 1 << 2,            /* no entry on disk names its region */
	BLOCK_PREPARED = 1 << 3,       /* and that has a full bitmap */
};

/* ---- image_open.c ---- */

/* Takes io over, also on failure.  Reads the footer, the header and the BAT;
 * with IMAGE_WRITE it also proves that no two regions overlap, and recovers
 * what a crash leaves behind.  VHD_E_FORMAT: not a VHD. */
int image_open(struct image **ret, struct io *io, unsigned flags) MUST_CHECK;

/* Flush, tidy the end of the file, free; always frees. */
int image_close(struct image *img);
DEFINE_CLEANUP(struct image, image_close);

/* ---- image_create.c ---- */

struct image_create {
	enum vhd_type type;
	uint64_t size;
	uint32_t block_size; /* 0: 2 MiB */
	const uint8_t *uuid; /* NULL: random */
	int64_t created;     /* Unix time */
	const char *creator; /* NULL: "win " */
	/* Differencing only. */
	const struct footer *parent; /* uuid, geometry */
	int64_t parent_time;         /* 0: not stored */
	const char *parent_relative; /* path from the child's directory */
	const char *parent_absolute; /* or NULL */
};

/* Can there be such an image?  VHD_E_INVALID, VHD_E_TOOBIG.  Fills in what how
 * leaves open. */
int image_create_footer(struct footer *ret, uint32_t *ret_block_size,
			const char *name,
			const struct image_create *how) MUST_CHECK;

/* Lay out a new image in an empty store, and flush it. */
int image_format(struct io *io, const struct image_create *how) MUST_CHECK;

/* Bytes of an image with this many blocks allocated. */
uint64_t image_length_for(enum vhd_type type, uint64_t size,
			  uint32_t block_size, uint64_t allocated);

/* Bytes of this image when it shows `size`, has this many blocks more
 * and is tidied; a guess where it has to grow for the size. (space.c) */
int image_length_after(uint64_t *ret, struct image *img, uint64_t size,
		       uint64_t more) MUST_CHECK;

/* ---- image_stream.c: a new image, written strictly front to back ---- */

struct image_stream {
	struct io *to;
	struct footer footer;
	uint32_t block_size; /* 0: fixed; the caller writes the data itself */
	uint64_t position;   /* bytes written; of a fixed disk, set it */
	uint64_t used;       /* blocks written */
};

/* Write what comes before the data.  Fixed or dynamic; of a dynamic image the
 * blocks that will follow must be known: a bit each in blocks. */
int image_stream_begin(struct image_stream *ret, struct io *to,
		       const struct image_create *how,
		       const uint8_t *blocks) MUST_CHECK;

/* The next block that was announced, all block_size bytes of it. */
int image_stream_block(struct image_stream *s, uint32_t block,
		       const void *data) MUST_CHECK;

/* Write what comes after the data, and flush. */
int image_stream_end(struct image_stream *s) MUST_CHECK;

/* The same dynamic image in an empty file: only data is written, and which
 * blocks there are need not be known before.  Nothing in the file is valid
 * before the end. */
struct image_pack {
	struct image_stream s;
	uint8_t *blocks; /* a bit each */
};

int image_pack_begin(struct image_pack *ret, struct io *to,
		     const struct image_create *how) MUST_CHECK;

/* Any piece of data, in ascending order. */
int image_pack_data(struct image_pack *p, const void *data, size_t len,
		    uint64_t offset) MUST_CHECK;

/* Write everything else, and flush. */
int image_pack_end(struct image_pack *p) MUST_CHECK;
void image_pack_free(struct image_pack *p);

/* ---- image_read.c ---- */

enum presence { PRESENT_NONE, PRESENT_ALL, PRESENT_SOME };

/* Which of count sectors from sector on are stored here?  Fills map, which
 * has room for count bits; its first bit is the first sector.  Sectors past
 * the end are not present. */
int image_presence(enum presence *ret, uint8_t *map, struct image *img,
		   uint64_t sector, uint32_t count) MUST_CHECK;

/* Read sectors that are present, and zeros where no block is.  Whole sectors,
 * or any bytes within them. */
int image_pread(struct image *img, void *buf, size_t len,
		uint64_t offset) MUST_CHECK;

/* Where in the file is this guest byte?  NO_OFFSET: no block.  *ret_run is
 * how many bytes from there on lie together. */
int image_locate(uint64_t *ret_file_offset, uint64_t *ret_run,
		 struct image *img, uint64_t offset) MUST_CHECK;

bool image_has_block(const struct image *img, uint32_t block);
uint32_t image_count_blocks(const struct image *img);

static inline uint32_t
image_block_of(const struct image *img, uint64_t offset)
{
	return (uint32_t)(offset >> img->block_shift);
}

/* What one block takes in the file: bitmap and data. */
static inline uint64_t
image_region_bytes(const struct image *img)
{
	return (uint64_t)img->bitmap_bytes + img->block_size;
}

/* Up to where blocks may reach: the end footer, which may have 511 bytes.  A
 * last block may be cut off there (format 11.1). */
static inline uint64_t
image_end_footer(const struct image *img)
{
	return round_down(img->file_size - (FOOTER_SIZE - 1), SECTOR_SIZE);
}

static inline bool
image_is_sparse(const struct image *img)
{
	return img->type == VHD_TYPE_DYNAMIC ||
	       img->type == VHD_TYPE_DIFFERENCING;
}

/* ---- image_write.c ---- */

/* Store whole sectors.  Allocates blocks; the bits and entries are in memory
 * until a flush. */
int image_pwrite(struct image *img, const void *buf, size_t len,
		 uint64_t offset) MUST_CHECK;

/* Make whole sectors read as zero, stored here. */
int image_write_zeros(struct image *img, uint64_t offset,
		      uint64_t len) MUST_CHECK;

/* The two halves of a write whose data travels another way: place makes sure
 * that the block of offset is there and says where in the file it is;
 * written marks whole sectors as present.  Within one block. */
int image_place(uint64_t *ret_file_offset, struct image *img,
		uint64_t offset) MUST_CHECK;
int image_written(struct image *img, uint64_t offset, uint64_t len) MUST_CHECK;

/* Have what was written there on its way to the disk before a flush asks. */
void image_write_out(struct image *img, uint64_t offset, uint64_t len);

/* Forget a block: it reads from the parent, or as zero.  The caller knows
 * that this is right, and that nobody reads or writes the block meanwhile.
 * Its space is free after the next flush (D7). */
int image_drop_block(struct image *img, uint32_t block) MUST_CHECK;

/* Copy a block to free space below `below` (UINT64_MAX: anywhere); nobody
 * reads or writes it meanwhile.  *ret is false when there is no such space. */
int image_move_block(bool *ret, struct image *img, uint32_t block,
		     uint64_t below) MUST_CHECK;

/* ---- image_flush.c ---- */

/* Make everything that completed durable and published (D5), and punch what
 * is free now. */
int image_flush(struct image *img) MUST_CHECK;

/* The same, and let somebody who has more time do the punching. */
int image_publish(struct image *img) MUST_CHECK;
void image_punch(struct image *img);

/* Either, with the lock held that keeps flushes away. [flush_lock] */
int image_publish_held(struct image *img) MUST_CHECK;

/* Durable write of sectors that need no metadata; *ret is false, and nothing
 * was written, when they do. */
int image_pwrite_durable(bool *ret, struct image *img, const void *buf,
			 size_t len, uint64_t offset) MUST_CHECK;

/* Flush, write the footer after the last block and cut the file there; or
 * leave it for later when others need space meanwhile. */
int image_tidy(struct image *img) MUST_CHECK;

/* Has anything changed since the last flush? */
bool image_is_dirty(struct image *img);

/* ---- image_header.c: changes of header and footer, each atomic; guests may
 * read, write and flush meanwhile ---- */

/* The path cannot be stored: say why. */
int image_fail_parent_path(const char *name, const char *path);

/* A new link to a parent; footer type and data_offset switch with it. */
struct image_link {
	uint8_t uuid[16];
	uint32_t time;        /* as stored: since 2000, 0: none */
	const char *relative; /* UTF-8, '/' */
	const char *absolute; /* or NULL */
};
int image_set_parent(struct image *img,
		     const struct image_link *link) MUST_CHECK;

/* A differencing image that needs its parent no more becomes dynamic.  Under
 * clear bits there may be what a write left that nobody was told of, or what
 * lay there before, and may be again after a write: so all of a block is to be
 * present, zero where nothing was (D6).  First what is new is made so, and then
 * each block, with nobody writing to it; unless it does not come to that. */
void image_fill_new(struct image *img, bool yes);
int image_fill_block(struct image *img, uint32_t block) MUST_CHECK;
int image_make_root(struct image *img) MUST_CHECK;

/* A new header: any part of it, room holding what it refers to; the same in
 * another place; or only its first sector (the table). [flush_lock] */
struct room;
int image_switch_header(struct image *img, const struct dynhdr *hdr,
			struct room *room) MUST_CHECK;
int image_move_header(struct image *img, struct room *room) MUST_CHECK;
int image_rewrite_header(struct image *img,
			 const struct dynhdr *hdr) MUST_CHECK;

/* Rewrite both footers from img->footer, each valid throughout. */
int image_write_footers(struct image *img) MUST_CHECK;

/* Since when is this state there, as stored, and XenServer's mark of an inner
 * node. */
int image_set_time(struct image *img, uint32_t time, uint8_t hidden) MUST_CHECK;

/* Grow, or drop what lies past the new end.  Moves blocks out of the way of a
 * longer table.  A differencing image that grows stores zeros up to
 * hide_until, so that what its parent has there does not appear.  The guard
 * keeps guests out of a range (UINT64_MAX: of everything) for a moment; without
 * one there are none, as when an image shrinks. */
struct image_guard {
	void (*close)(void *user, uint64_t offset, uint64_t len);
	void (*open)(void *user, uint64_t offset, uint64_t len);
	void *user;
};
int image_resize(struct image *img, uint64_t size, uint64_t hide_until,
		 const struct image_guard *guard) MUST_CHECK;

/* A locator's data as UTF-8 (decoded as a path, or as stored for people);
 * "" when it is none.  Fails when it cannot be read. */
int image_locator(char *ret, size_t ret_size, struct image *img, unsigned index,
		  bool as_path) MUST_CHECK;

/* Where the last structure or block ends, and where the structures alone
 * end, bytes (format 12.5). */
uint64_t image_end_of_data(const struct image *img);
uint64_t image_end_of_metadata(const struct image *img);

/* ---- overlap.c ---- */

/* Does any allocated block overlap another, or metadata, or leave the file?
 * 0, or VHD_E_CORRUPT with the first one named.  O(n). */
int image_check_overlap(const struct image *img) MUST_CHECK;
#endif
