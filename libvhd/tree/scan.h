/* SPDX-License-Identifier: BSD-3-Clause */
/* scan.h - every image in some files and directories, linked by UUID. */
#ifndef VHDI_SCAN_H
#define VHDI_SCAN_H
#include <vhd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "io/io.h"

/* One file.  node is what the caller of the library sees of it. */
struct entry {
	struct vhd_tree_node node;
	char *path, *name, *message; /* what node points at; owned */
	char *parent_name;           /* as stored, without folders; or NULL */
	struct io_id id;
	bool linked; /* has a place in the order */
	enum claim {
		CLAIM_NONE,
		CLAIM_CHILD,    /* an image stands on it, as far as it knows */
		CLAIM_FAVOURED, /* the favoured one does, or is it */
	} claim;                /* to be the one with its UUID */

	/* Places in the array of entries, NONE at the end of a list. */
	size_t same;   /* the next with this UUID */
	size_t parent; /* the file that it stands on */
	size_t first_child;
	size_t next_sibling;
};

#define NONE SIZE_MAX

struct vhd_tree {
	struct entry *entries;
	size_t n, room;
	const char *favoured; /* of several files with one UUID; or NULL */
};

/* A directory's sub-directories are not looked at.  Files that are named are
 * always in the result, if only with their error; of those in a directory only
 * what is, or calls itself, a VHD. */
int tree_scan(struct vhd_tree **ret, const struct fs *fs,
	      const char *const *paths, size_t npaths) MUST_CHECK;

/* The same; of several files with one UUID, `favoured` is the one that
 * counts. */
int tree_scan_for(struct vhd_tree **ret, const struct fs *fs,
		  const char *favoured, const char *const *paths,
		  size_t npaths) MUST_CHECK;
void tree_free(struct vhd_tree *tree);
void entry_free(struct entry *e); /* what it owns */
DEFINE_CLEANUP(struct vhd_tree, tree_free);

/* link.c: find out who stands on whom, and put parents before children. */
int tree_link(struct vhd_tree *tree) MUST_CHECK;
#endif
