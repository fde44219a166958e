/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vhd.h - the public interface of libvhd.
 *
 * A vhd_t is a virtual disk as its guest sees it: one image file, or a
 * differencing image together with every parent it stands on.
 *
 * Errors.  A function that can fail returns int: 0 on success, a negative
 * enum vhd_err on failure.  Results come back through the first parameter and
 * are left untouched on failure.  vhd_last_message() then says, in one line,
 * what went wrong, where, and what to do about it.
 *
 * Threads.  Different disks are independent.  On one vhd_t, the functions
 * marked [parallel] may run at the same time as each other from any number of
 * threads; those marked [exclusive] must be the only call on that disk.  The
 * library installs no signal handler, writes nothing to stdout or stderr, and
 * never calls exit() or abort() because of what a file contains.
 *
 * Options.  Every options struct begins with struct_size and is started with
 * its _INIT macro.  Zero always means "the default".  New fields are only
 * added at the end, so old programs keep working with new libraries.
 *
 * Units.  Sizes and offsets are bytes unless the name says otherwise.  Times
 * are seconds since 1970-01-01 UTC.  UUIDs are sixteen bytes, never swapped.
 */
#ifndef VHD_H
#define VHD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the _INIT macros of the structs that can grow stand for. */
#ifdef __cplusplus
template <typename T>
static inline T
vhd_init_()
{
	T zero = T();

	zero.struct_size = sizeof(T);
	return zero;
}
#define VHD_INIT_(name) vhd_init_<struct name>()
#else
#define VHD_INIT_(name)                                                        \
	{                                                                      \
		.struct_size = sizeof(struct name)                             \
	}
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define VHD_VERSION_MAJOR 0
#define VHD_VERSION_MINOR 1
#define VHD_VERSION_PATCH 0

#ifndef VHD_API
#define VHD_API __attribute__((visibility("default")))
#endif

/* ---- Errors ------------------------------------------------------------ */

enum vhd_err {
	VHD_OK = 0,
	VHD_E_NOMEM = -1,       /* out of memory */
	VHD_E_IO = -2,          /* the system refused; vhd_errno() */
	VHD_E_INVALID = -3,     /* an argument makes no sense */
	VHD_E_RANGE = -4,       /* past the end of the disk */
	VHD_E_FORMAT = -5,      /* not a VHD file */
	VHD_E_CORRUPT = -6,     /* a VHD file, but damaged */
	VHD_E_UNSUPPORTED = -7, /* valid, but something we do not do */
	VHD_E_NOPARENT = -8,    /* a parent is missing */
	VHD_E_PARENT = -9,      /* a parent was found, but the wrong one */
	VHD_E_READONLY = -10,   /* the disk was opened for reading only */
	VHD_E_BUSY = -11,       /* in use; the message says by whom */
	VHD_E_TOOBIG = -12,     /* would exceed a limit of the format */
	VHD_E_CANCELLED = -13,  /* the progress callback asked to stop */
	VHD_E_DIFFERS = -14,    /* vhd_compare: not the same content */
	VHD_E_NOSPACE = -15,    /* not enough space; nothing is lost */
	VHD_E_POLICY = -16,     /* refused, such as a parent outside */
	VHD_E_CHILDREN = -17,   /* refused: other images stand on this one */
	VHD_E_EXISTS = -18,     /* the target exists already */
	VHD_E_NOTFOUND = -19,   /* no such file, snapshot or job */
};

/* One line about the last failure in this thread; never NULL.  Valid until
 * the next libvhd call in this thread fails. */
VHD_API const char *vhd_last_message(void);

/* A short, constant name for an error code, such as "corrupt". */
VHD_API const char *vhd_err_name(int err);

/* The nearest errno value (> 0) for the last failure in this thread; what a
 * FUSE or NBD server should hand to its client. */
VHD_API int vhd_errno(void);

/* ---- Open and close ---------------------------------------------------- */

typedef struct vhd vhd_t;

enum vhd_open_flags {
	VHD_OPEN_RDONLY = 0,
	VHD_OPEN_RDWR = 1 << 0,
	VHD_OPEN_NOPARENT = 1 << 1,   /* this file alone; holes read as zero */
	VHD_OPEN_NOLOCK = 1 << 2,     /* the caller keeps other writers away */
	VHD_OPEN_RAW = 1 << 3,        /* the file is a plain disk, not a VHD;
				       * or an NBD URI */
	VHD_OPEN_RAW_PARENT = 1 << 4, /* a parent may be a plain disk */
	VHD_OPEN_IGNORE_BITMAP = 1 << 5, /* salvage: an allocated block is all
					  * present, as QEMU reads it; only
					  * without VHD_OPEN_RDWR */
	VHD_OPEN_CHILDREN_OK = 1 << 6,   /* write even if others stand on it */
	VHD_OPEN_SIZE_CHS = 1 << 7,      /* size from geometry, as old QEMU;
					  * only without VHD_OPEN_RDWR */
	VHD_OPEN_DAMAGED = 1 << 8,       /* accept what can still be read; only
					  * without VHD_OPEN_RDWR */
};

#define VHD_MAX_DEPTH_DEFAULT 256 /* images in a chain */

struct vhd_open_opts {
	size_t struct_size;
	uint32_t flags;            /* enum vhd_open_flags */
	uint32_t max_depth;        /* refuse longer chains; 0: the default */
	const char *const *search; /* more directories where parents may be */
	size_t nsearch;
};
#define VHD_OPEN_OPTS_INIT VHD_INIT_(vhd_open_opts)

/* Open path and, unless told otherwise, every parent below it.  opts may be
 * NULL for the defaults (read only).  Opening for writing locks the file
 * against other writers (VHD_E_BUSY), is refused when an image in the same
 * directory stands on it (VHD_E_CHILDREN), and repairs what a crash may have
 * left.  No thread is started.  The caller owns *ret until vhd_close(). */
VHD_API int vhd_open(vhd_t **ret, const char *path,
		     const struct vhd_open_opts *opts);

/* Flush and free.  Always frees, even on failure; a failure means the last
 * writes may not have reached the disk.  Accepts NULL.  [exclusive] */
VHD_API int vhd_close(vhd_t *vhd);

/* ---- Read and write ---------------------------------------------------- */

enum vhd_io_flags {
	VHD_IO_FUA = 1 << 0,      /* durable when the call returns */
	VHD_IO_FAST = 1 << 1,     /* vhd_zero: fail with VHD_E_UNSUPPORTED, and
				   * change nothing, if zeros must be written */
	VHD_IO_MAY_TRIM = 1 << 2, /* vhd_zero: may give the space back */
};

/* Each of these moves exactly len bytes or fails.  Any offset and length is
 * allowed; whole sectors of 512 bytes are fastest.  [parallel]
 * Fail with VHD_E_RANGE, VHD_E_IO, VHD_E_CORRUPT, VHD_E_NOMEM; writes also
 * with VHD_E_READONLY and VHD_E_NOSPACE. */
VHD_API int vhd_pread(vhd_t *vhd, void *buf, size_t len, uint64_t offset);
VHD_API int vhd_pwrite(vhd_t *vhd, const void *buf, size_t len, uint64_t offset,
		       uint32_t flags);

/* Make a range read as zero.  [parallel] */
VHD_API int vhd_zero(vhd_t *vhd, uint64_t offset, uint64_t len, uint32_t flags);

/* The guest needs a range no more: give space back where that is cheap.
 * What it reads afterwards is either zero or what it was.  [parallel] */
VHD_API int vhd_discard(vhd_t *vhd, uint64_t offset, uint64_t len,
			uint32_t flags);

/* Make every write that has returned survive a power cut.  After a failed
 * flush the disk accepts no more writes until it is opened again.
 * [parallel] */
VHD_API int vhd_flush(vhd_t *vhd);

/* Ask the kernel to read a range ahead.  [parallel] */
VHD_API int vhd_cache(vhd_t *vhd, uint64_t offset, uint64_t len);

enum vhd_extent_flags {
	VHD_EXTENT_DATA = 1 << 0, /* stored in the image at index layer */
	VHD_EXTENT_ZERO = 1 << 1, /* known to read as zero */
};

struct vhd_extent {
	uint64_t offset;
	uint64_t length;
	uint32_t flags;       /* neither: nowhere, reads as zero */
	uint32_t layer;       /* 0 is the image opened; if DATA */
	uint64_t file_offset; /* where in that file; if DATA */
};

/* Called with extents in order, without gaps.  Non-zero stops the walk and
 * becomes the result of vhd_extents().  Must not call libvhd on this disk. */
typedef int (*vhd_extent_fn)(const struct vhd_extent *extent, void *user);

/* Describe where [offset, offset + len) is stored.  Adjacent runs in one
 * layer that are also adjacent in its file come as one.  [parallel] */
VHD_API int vhd_extents(vhd_t *vhd, uint64_t offset, uint64_t len,
			vhd_extent_fn fn, void *user);

/* ---- Look at a disk ---------------------------------------------------- */

enum vhd_type {
	VHD_TYPE_RAW = 1,   /* no VHD at all: VHD_OPEN_RAW */
	VHD_TYPE_FIXED = 2, /* the values stored in the file */
	VHD_TYPE_DYNAMIC = 3,
	VHD_TYPE_DIFFERENCING = 4,
};

enum vhd_parent_status {
	VHD_PARENT_NONE = 0, /* not a differencing image */
	VHD_PARENT_OK,
	VHD_PARENT_MISSING,
	VHD_PARENT_UUID_MISMATCH,
	VHD_PARENT_TIME_DIFFERS, /* usable; copied or touched */
};

enum vhd_footer_copies {
	VHD_FOOTER_EQUAL = 0, /* or a fixed disk, which has one only */
	VHD_FOOTER_END_MISSING,
	VHD_FOOTER_START_BAD,
	VHD_FOOTER_DIFFER,
};

struct vhd_locator {
	char platform[5]; /* "W2ru", NUL-terminated */
	const char *path; /* UTF-8 as stored; "" when not text */
};

struct vhd_info {
	size_t struct_size;
	const char *path; /* this and all strings below are owned by
			   * the disk and valid until it is closed */
	enum vhd_type type;
	uint32_t block_size;   /* 0 unless dynamic or differencing */
	uint64_t virtual_size; /* bytes the guest sees */
	uint64_t original_size;
	uint64_t file_length; /* apparent bytes of the file */
	uint64_t actual_size; /* bytes it takes on the file system */
	uint64_t blocks_total;
	uint64_t blocks_allocated;
	int64_t created;
	uint8_t uuid[16];
	uint8_t parent_uuid[16]; /* all zero unless differencing */
	int64_t parent_time;     /* 0 when not stored */
	const char *parent_name; /* as stored; NULL unless differencing */
	const char *parent_path; /* where it was found, or NULL */
	enum vhd_parent_status parent_status;
	char creator_app[5]; /* NUL-terminated, bytes as stored */
	char creator_os[5];
	uint16_t creator_major;
	uint16_t creator_minor;
	uint16_t cylinders;
	uint8_t heads;
	uint8_t sectors_per_track;
	uint32_t alignment; /* largest power of two <= 4096 that every
			     * block's data is aligned to; 0: no block */
	enum vhd_footer_copies footer_copies;
	bool saved_state;
	bool hidden; /* XenServer's mark for an inner node */
	uint32_t nlocators;
	struct vhd_locator locators[8];
};
#define VHD_INFO_INIT VHD_INIT_(vhd_info)

/* Bytes the guest sees.  [parallel] */
VHD_API uint64_t vhd_size(const vhd_t *vhd);

/* How many images make up this disk; 1 unless differencing.  [parallel] */
VHD_API uint32_t vhd_depth(const vhd_t *vhd);

/* Describe one image of the chain; 0 is the one that was opened.  For a disk
 * opened with VHD_OPEN_NOPARENT the parent is looked for, but not opened.
 * [parallel] */
VHD_API int vhd_get_info(struct vhd_info *ret, vhd_t *vhd, uint32_t layer);

/* The process that holds an image, as far as the system tells. */
struct vhd_holder {
	size_t struct_size;
	bool in_use;
	bool writer;
	int64_t pid;      /* 0: unknown */
	int64_t since;    /* when that process started; 0: unknown */
	char program[64]; /* "": unknown */
};
#define VHD_HOLDER_INIT VHD_INIT_(vhd_holder)

/* Who has this image open through libvhd or QEMU?  Takes no lock. */
VHD_API int vhd_get_holder(struct vhd_holder *ret, const char *path);

/* ---- Long jobs --------------------------------------------------------- */

struct vhd_progress {
	uint64_t done;     /* bytes; never decreases within a job */
	uint64_t total;    /* 0 while unknown; may grow */
	const char *phase; /* "copy", "verify", ... */
	const char *waits; /* why it is paused until that changes, a
			    * sentence; NULL: it is not */
};

/* Called from the thread that started the job and from no other; the texts
 * last for the call.  Return non-zero to stop: the job completes the step it
 * is in, leaves every image consistent, and returns VHD_E_CANCELLED; calling
 * it again carries on.  May sleep to slow the job down or to pause it; no lock
 * is held meanwhile. */
typedef int (*vhd_progress_fn)(const struct vhd_progress *progress, void *user);

/* What a job would do: bytes. */
struct vhd_plan {
	size_t struct_size;
	uint64_t bytes_to_copy;
	uint64_t final_size; /* of the resulting file, on disk */
	uint64_t peak_extra; /* space needed beyond today's, at worst */
	uint64_t free;       /* on the file system that must hold it */
	bool fits;
	bool second_best; /* there is no room for what would copy less */
};
#define VHD_PLAN_INIT VHD_INIT_(vhd_plan)

/* Shared by every job. */
struct vhd_job_opts {
	size_t struct_size;
	vhd_progress_fn progress; /* or NULL */
	void *progress_user;
	uint64_t rate;         /* bytes a second at most; 0: no limit */
	bool dry_run;          /* change nothing, only fill plan */
	struct vhd_plan *plan; /* filled before work starts; or NULL */
};
#define VHD_JOB_OPTS_INIT VHD_INIT_(vhd_job_opts)

/* ---- Create ------------------------------------------------------------ */

enum vhd_create_flags {
	VHD_CREATE_FORCE = 1 << 0, /* replace a file that exists */
};

struct vhd_create_opts {
	size_t struct_size;
	enum vhd_type type;    /* 0: dynamic, or differencing if parent */
	uint64_t virtual_size; /* 0 only when parent is given */
	uint32_t block_size;   /* 0: 2 MiB; else 512K is for everyone */
	const char *parent;    /* differencing: the file to stand on */
	const uint8_t *uuid;   /* 16 bytes, or NULL for a random one */
	int64_t created;       /* 0: now; set it for reproducible files */
	const char *creator;   /* four bytes; NULL: "win " */
	uint32_t flags;        /* enum vhd_create_flags */
	const struct vhd_open_opts *parent_opts; /* how to open the parent */
};
#define VHD_CREATE_OPTS_INIT VHD_INIT_(vhd_create_opts)

/* Create a new image; all of it or nothing.  Fails with VHD_E_EXISTS,
 * VHD_E_TOOBIG, VHD_E_INVALID, VHD_E_NOSPACE, VHD_E_IO, and what opening a
 * parent fails with. */
VHD_API int vhd_create(const char *path, const struct vhd_create_opts *opts);

/* ---- Check and repair -------------------------------------------------- */

enum vhd_severity {
	VHD_NOTE = 0,
	VHD_WARNING, /* suspicious, usable */
	VHD_ERROR,   /* wrong; not written to until repaired */
	VHD_FATAL,   /* cannot be opened at all */
};

struct vhd_finding {
	const char *path; /* the file it is about */
	const char *code; /* "V73"; the list is in docs/format.md */
	enum vhd_severity severity;
	uint64_t offset; /* where in the file */
	const char *message;
	bool repairable; /* false after a repair: it is left */
	bool repaired;
};

typedef int (*vhd_finding_fn)(const struct vhd_finding *finding, void *user);

enum vhd_check_flags {
	VHD_CHECK_CHAIN = 1 << 0,   /* the parents too, and how they fit */
	VHD_CHECK_REPAIR = 1 << 1,  /* fix what can be fixed safely */
	VHD_CHECK_NO_DATA = 1 << 2, /* structures only; no bitmap, no data */
};

struct vhd_check_opts {
	size_t struct_size;
	uint32_t flags;       /* enum vhd_check_flags */
	const char *undo;     /* repair: keep old bytes in this file */
	vhd_finding_fn found; /* or NULL to only count */
	void *found_user;
	const struct vhd_open_opts *open; /* search directories; or NULL */
	const struct vhd_job_opts *job;   /* or NULL */
};
#define VHD_CHECK_OPTS_INIT VHD_INIT_(vhd_check_opts)

struct vhd_check_result {
	size_t struct_size;
	uint64_t errors; /* left after any repair; fatal included */
	uint64_t warnings;
	uint64_t notes;
	uint64_t repaired;
};
#define VHD_CHECK_RESULT_INIT VHD_INIT_(vhd_check_result)

/* Examine an image that need not be good enough to open.  Findings are a
 * result, not a failure: 0 when everything could be looked at. */
VHD_API int vhd_check(struct vhd_check_result *ret, const char *path,
		      const struct vhd_check_opts *opts);

/* Put back what a repair changed, from its undo file. */
VHD_API int vhd_undo(const char *path, const char *undo);

/* ---- Whole-disk work --------------------------------------------------- */

struct vhd_measure {
	size_t struct_size;
	uint64_t virtual_size;
	uint64_t file_length; /* of the image opened */
	uint64_t actual_size;
	uint64_t used;          /* data bytes in the image opened */
	uint64_t chain_actual;  /* sum over the chain */
	uint64_t chain_union;   /* data bytes anywhere in the chain */
	uint64_t after_merge;   /* file length, parent and child merged */
	uint64_t after_compact; /* file length at most; zero blocks found
				 * by holes only */
	uint64_t after_flatten; /* file length of one dynamic image */
};
#define VHD_MEASURE_INIT VHD_INIT_(vhd_measure)

/* How much is used, shared, and would be left after each job.  [parallel] */
VHD_API int vhd_measure(struct vhd_measure *ret, vhd_t *vhd);

/* VHD_OK when both read the same, VHD_E_DIFFERS if not; *ret_offset is then
 * the first differing byte.  A longer disk equals a shorter one if the rest
 * reads as zero.  [parallel] */
VHD_API int vhd_compare(uint64_t *ret_offset, vhd_t *a, vhd_t *b,
			const struct vhd_job_opts *job);

enum vhd_convert_flags {
	VHD_CONVERT_FORCE = 1 << 0, /* replace a file that exists */
	VHD_CONVERT_AZURE = 1 << 1, /* fixed, whole MiB, made for upload */
	VHD_CONVERT_GZIP = 1 << 2,  /* compress the output */
};

struct vhd_convert_opts {
	size_t struct_size;
	enum vhd_type type; /* of the result; 0: dynamic */
	uint32_t flags;     /* enum vhd_convert_flags */
	uint32_t block_size;
	const uint8_t *uuid; /* 16 bytes, or NULL for a random one */
	int64_t created;     /* 0: now */
	const char *creator; /* four bytes; NULL: "win " */
	const struct vhd_job_opts *job;
};
#define VHD_CONVERT_OPTS_INIT VHD_INIT_(vhd_convert_opts)

/* Copy what the guest sees into a new file at path; an existing block device,
 * or the export that an NBD URI names, is written in place.  Holes stay holes.
 * [parallel] on src */
VHD_API int vhd_convert(vhd_t *src, const char *path,
			const struct vhd_convert_opts *opts);

/* The same to a pipe, strictly front to back.  The caller keeps fd. */
VHD_API int vhd_convert_to_fd(vhd_t *src, int fd,
			      const struct vhd_convert_opts *opts);

/* A plain disk of any length from a pipe into a new image at path. */
VHD_API int vhd_convert_from_fd(int fd, const char *path,
				const struct vhd_convert_opts *opts);

enum vhd_merge_flags {
	VHD_MERGE_AT_PARENT = 1 << 0, /* leave the result at the parent */
};

struct vhd_merge_opts {
	size_t struct_size;
	uint32_t flags;            /* enum vhd_merge_flags */
	uint32_t layer;            /* which layer to push down; 0: the leaf */
	uint32_t into;             /* down to this layer; 0: layer + 1 */
	const char *const *search; /* where else other children may be */
	size_t nsearch;
	const struct vhd_job_opts *job;
};
#define VHD_MERGE_OPTS_INIT VHD_INIT_(vhd_merge_opts)

/* Push a layer's data down into the layer below it, or, with into, every
 * layer from `layer` down into `into`; the files in between are gone
 * afterwards and the result stands at the path of `layer`.  The guest reads
 * the same at every instant, on disk too; a crash or a cancel at any point
 * leaves a chain that reads the same and a merge that can be carried on by
 * calling this again; one that was interrupted elsewhere in the chain is
 * finished first (phase "finish").  The disk must be open for writing.
 * [parallel] with reads, writes and flushes; one job at a time
 * (VHD_E_BUSY). */
VHD_API int vhd_merge(vhd_t *vhd, const struct vhd_merge_opts *opts);

enum vhd_compact_mode {
	VHD_COMPACT_PUNCH = 0,  /* drop blocks, punch holes */
	VHD_COMPACT_REPACK = 1, /* and move blocks together, shrink */
};

/* Give back blocks that the guest would not miss.  [parallel] */
VHD_API int vhd_compact(vhd_t *vhd, enum vhd_compact_mode mode,
			const struct vhd_job_opts *job);

enum vhd_resize_flags {
	VHD_RESIZE_SHRINK = 1 << 0, /* the guest needs the tail no more */
};

/* Change the size the guest sees.  Refused when other images stand on the
 * disk (VHD_E_CHILDREN) and in saved state.  [parallel] when growing,
 * [exclusive] when shrinking */
VHD_API int vhd_resize(vhd_t *vhd, uint64_t virtual_size, uint32_t flags,
		       const struct vhd_job_opts *job);

enum vhd_rebase_flags {
	VHD_REBASE_UNSAFE = 1 << 0, /* only write the new link; the caller
				     * knows that the content fits */
};

/* Give the opened image another parent; what the guest reads is kept, by
 * copying what differs.  [exclusive] */
VHD_API int vhd_rebase(vhd_t *vhd, const char *parent, uint32_t flags,
		       const struct vhd_job_opts *job);

/* One link that was, or would be, repaired. */
struct vhd_relinked {
	const char *path;       /* the child */
	const char *old_parent; /* the path its locators gave */
	const char *new_parent; /* where the parent is; NULL: not found */
	int err;                /* 0, or why it could not be repaired */
	const char *message;    /* about err */
};
typedef int (*vhd_relinked_fn)(const struct vhd_relinked *link, void *user);

/* Repair broken parent links by UUID: path is an image or a directory.
 * Fails with VHD_E_NOPARENT when a link stays broken. */
VHD_API int vhd_relink(const char *path, const char *const *search,
		       size_t nsearch, bool dry_run, vhd_relinked_fn fn,
		       void *user);

/* ---- Trees ------------------------------------------------------------- */

typedef struct vhd_tree vhd_tree_t;

struct vhd_tree_node {
	const char *path;
	const char *name; /* of the snapshot, or NULL */
	uint8_t uuid[16];
	uint8_t parent_uuid[16];
	enum vhd_type type;
	uint64_t virtual_size;
	uint64_t file_length;
	uint64_t actual_size;
	int64_t created;
	size_t parent; /* index, or SIZE_MAX */
	size_t nchildren;
	bool live;               /* nothing stands on it */
	bool orphan;             /* its parent was not found */
	bool duplicate;          /* another file has the same UUID */
	bool merging;            /* a merge into it was interrupted */
	int err;                 /* the file could not be read */
	const char *message;     /* about err; NULL if 0 */
	bool hidden;             /* XenServer's mark for an inner node */
	bool raw_parent;         /* stands on a plain disk, which has no UUID */
	const char *parent_name; /* of its file, as stored; NULL: unknown */
};

/* Every image in some files and directories (not their sub-directories),
 * linked by UUID.  The caller owns *ret until vhd_tree_free(). */
VHD_API int vhd_tree_scan(vhd_tree_t **ret, const char *const *paths,
			  size_t npaths);
VHD_API void vhd_tree_free(vhd_tree_t *tree);

/* Nodes come as a walk from each root, depth first; orphans, duplicates and
 * unreadable files last.  index < vhd_tree_count().  Owned by the tree. */
VHD_API size_t vhd_tree_count(const vhd_tree_t *tree);
VHD_API const struct vhd_tree_node *vhd_tree_get(const vhd_tree_t *tree,
						 size_t index);

/* ---- Snapshots --------------------------------------------------------- */

/* disk.vhd is always the live disk; the snapshot NAME of it is the file
 * disk@NAME.vhd, on which the live disk, or a later snapshot, stands.  NAME is
 * UTF-8 of at most 128 bytes.  Where a function takes the name of a snapshot
 * that exists, a file name or a UUID of the tree will do as well, so that
 * trees made by others can be worked on.  The disk is locked meanwhile
 * (VHD_E_BUSY), and what a crash left of an interrupted call is finished or
 * undone by the next one. */
enum vhd_snapshot_flags {
	VHD_SNAPSHOT_RAW_PARENT = 1 << 0, /* a parent may be a plain disk */
	VHD_SNAPSHOT_SUBTREE = 1 << 1, /* delete: all that stands on it too */
};

/* What a deletion does with one image. */
enum vhd_step_kind {
	VHD_STEP_COPY_UP = 1, /* it gets data that it had from the snapshot */
	VHD_STEP_MERGE_DOWN,  /* its data goes into the snapshot's file, which
			       * then has its path */
	VHD_STEP_REMOVE,      /* its file is removed */
};

struct vhd_step {
	enum vhd_step_kind kind;
	const char *path;
	uint64_t bytes; /* to be copied */
};
typedef void (*vhd_step_fn)(const struct vhd_step *step, void *user);

struct vhd_snapshot_opts {
	size_t struct_size;
	uint32_t flags;            /* enum vhd_snapshot_flags */
	uint32_t max_depth;        /* as in vhd_open_opts */
	const char *const *search; /* where else parents and children are */
	size_t nsearch;
	const struct vhd_job_opts *job; /* for vhd_snapshot_delete, and for
					 * merges that are finished before a
					 * deletion or revert; or NULL */
	vhd_step_fn step; /* vhd_snapshot_delete: told each step before the
			   * first is begun; or NULL */
	void *step_user;
};
#define VHD_SNAPSHOT_OPTS_INIT VHD_INIT_(vhd_snapshot_opts)

/* The path of the snapshot of that name, whether there is one or not.  Looks at
 * no file: it lies beside the disk itself, so resolve links to that before.
 * To be freed with free().  VHD_E_INVALID: no snapshot can have that name, or
 * the disk's has an @. */
VHD_API int vhd_snapshot_path(char **ret, const char *disk, const char *name);

/* Freeze the present state of a disk at rest under a name.  VHD_E_EXISTS,
 * VHD_E_INVALID (the name), VHD_E_TOOBIG (the chain), VHD_E_NOSPACE. */
VHD_API int vhd_snapshot_create(const char *disk, const char *name,
				const struct vhd_snapshot_opts *opts);

/* The same of an open disk; guests wait for one flush and a rename.
 * [parallel] with reads, writes and flushes; one job at a time. */
VHD_API int vhd_snapshot_live(vhd_t *vhd, const char *name);

/* The disk becomes what the snapshot was.  Its present state is lost, or kept
 * as the snapshot `keep` if that is not NULL. */
VHD_API int vhd_snapshot_revert(const char *disk, const char *name,
				const char *keep,
				const struct vhd_snapshot_opts *opts);

/* Remove a state; all others read the same.  Its data moves the cheaper way,
 * and a stopped deletion is carried on by calling this again.  With
 * VHD_SNAPSHOT_SUBTREE everything that stands on it goes as well, unless a
 * live disk does (VHD_E_CHILDREN). */
VHD_API int vhd_snapshot_delete(const char *disk, const char *name,
				const struct vhd_snapshot_opts *opts);

/* Give a snapshot another name; images that stand on it are linked to that. */
VHD_API int vhd_snapshot_rename(const char *disk, const char *name,
				const char *new_name,
				const struct vhd_snapshot_opts *opts);

/* Another live disk, at path, that starts as the snapshot. */
VHD_API int vhd_snapshot_clone(const char *disk, const char *name,
			       const char *path,
			       const struct vhd_snapshot_opts *opts);

/* The tree that a disk belongs to, and nothing else.  Takes no lock.  The
 * caller owns *ret until vhd_tree_free(). */
VHD_API int vhd_snapshot_tree(vhd_tree_t **ret, const char *disk,
			      const struct vhd_snapshot_opts *opts);

/* ---- Control ----------------------------------------------------------- */

/* A process that serves a disk listens on a socket, so that jobs on the disk
 * can be asked for while it is in use (docs/control.md). */
typedef struct vhd_control vhd_control_t;

struct vhd_control_opts {
	size_t struct_size;
	const char *socket; /* NULL: found by the disk's device and inode */
	bool autoresume;    /* carry on with a merge that was interrupted */
};
#define VHD_CONTROL_OPTS_INIT VHD_INIT_(vhd_control_opts)

/* Start threads that answer requests about vhd.  After any fork.  The caller
 * owns *ret and stops it before it closes the disk. */
VHD_API int vhd_control_start(vhd_control_t **ret, vhd_t *vhd,
			      const struct vhd_control_opts *opts);

/* A running job is stopped at a consistent point.  Accepts NULL. */
VHD_API void vhd_control_stop(vhd_control_t *control);

/* Ask the process that serves a disk; arguments is a JSON object or NULL, and
 * what it answers is stored in *ret_json (unless NULL), to be freed with
 * free().  A command that starts a job is followed to its end, with job's
 * progress callback, and fails as the job does.  VHD_E_NOTFOUND: nobody
 * serves this disk. */
VHD_API int vhd_control_call(char **ret_json, const char *disk,
			     const char *command, const char *arguments,
			     const struct vhd_job_opts *job);

#ifdef __cplusplus
}
#endif

#endif /* VHD_H */
