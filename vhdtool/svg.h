/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg.h - pictures: the map of a disk, the tree of images.
 */
#ifndef VHDTOOL_SVG_H
#define VHDTOOL_SVG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- svg.c ---- */

typedef void (*svg_draw_fn)(FILE *to, const void *user);

/* Draw into the new file at path, or stdout for "-".  A file that exists is
 * replaced if force says so.  Returns the exit status. */
int svg_save(const char *path, bool force, svg_draw_fn draw, const void *user);

void svg_begin(FILE *to, int width, int height);
void svg_end(FILE *to);

/* One line of text at x, y; class is one of those in svg.c. */
void svg_text(FILE *to, int x, int y, const char *class, const char *format,
	      ...) __attribute__((format(printf, 5, 6)));

/* Two lines that show when the pointer rests on the group that begins so. */
void svg_tip(FILE *to, const char *first, const char *second);

/* The colour of a layer of a chain. */
const char *svg_colour(size_t layer);

/* ---- svg_map.c ---- */

struct svg_run {
	uint64_t offset;
	uint64_t length;
	uint32_t layer; /* SVG_NOWHERE: stored nowhere */
};
#define SVG_NOWHERE UINT32_MAX

struct svg_map {
	const char *title;
	uint64_t size;
	const struct svg_run *runs; /* in order, without gaps */
	size_t nruns;
	const char *const *layers; /* names */
	size_t nlayers;
};

void svg_draw_map(FILE *to, const void *map);

/* ---- svg_tree.c ---- */

struct svg_node {
	size_t depth; /* 0: a root */
	const char *name;
	const char *details; /* a second line */
	bool live;
	bool bad; /* orphan, duplicate or unreadable */
};

struct svg_tree {
	const struct svg_node
		*nodes; /* in the order of a walk from the roots */
	size_t count;
};

void svg_draw_tree(FILE *to, const void *tree);
#endif
