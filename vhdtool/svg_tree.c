/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg_tree.c - images as boxes: parents on the left, children to their right.
 *
 * Images of one depth form a column.  Leaves take a row each, from top to
 * bottom; a parent stands beside its first child.
 */
#include "svg.h"

#include "branches.h"
#include "memory.h"

#include <stdlib.h>

#define BOX_HEIGHT 44
#define ROW        60
#define GAP        60 /* between a parent and its children */
#define MARGIN     20
#define PADDING    10
#define CHAR_WIDTH 7
#define COLUMN_MAX (MARGIN + 120 * CHAR_WIDTH)

struct column {
	int x;
	int width;
};

struct place {
	const struct column *column;
	int y;
	size_t parent; /* an index; of a root: its own */
};

struct drawing {
	FILE *to;
	const struct svg_tree *tree;
	struct column *columns; /* by depth */
	struct place *places;   /* by node */
	int width;
	int height;
};

static int
node_width(const struct svg_node *node)
{
	size_t name = text_columns(node->name);
	size_t details = text_columns(node->details);
	int width = CHAR_WIDTH * (int)(name > details ? name : details);

	width += 2 * PADDING;
	return width < COLUMN_MAX ? width : COLUMN_MAX;
}

static void
place_columns(struct drawing *d)
{
	int x = MARGIN;

	for (size_t i = 0; i < d->tree->count; i++) {
		struct column *column = &d->columns[d->tree->nodes[i].depth];
		int width = node_width(&d->tree->nodes[i]);

		if (width > column->width)
			column->width = width;
	}
	for (size_t i = 0; d->columns[i].width > 0; i++) {
		d->columns[i].x = x;
		x += d->columns[i].width + GAP;
	}
	d->width = x - GAP + MARGIN;
}

/* A node that is deeper than the one before it is that one's first child and
 * begins no new row.  above[n] is the last node seen at depth n. */
static void
place_nodes(struct drawing *d)
{
	size_t count = d->tree->count;
	size_t *above = must(calloc(count + 1, sizeof(*above)));
	int y = MARGIN;

	for (size_t i = 0; i < count; i++) {
		size_t depth = d->tree->nodes[i].depth;

		if (i > 0 && depth <= d->tree->nodes[i - 1].depth)
			y += ROW;
		d->places[i].column = &d->columns[depth];
		d->places[i].y = y;
		d->places[i].parent = depth > 0 ? above[depth - 1] : i;
		above[depth] = i;
	}
	d->height = y + BOX_HEIGHT + MARGIN;
	free(above);
}

static void
draw_link(const struct drawing *d, const struct place *child)
{
	const struct place *parent = &d->places[child->parent];
	int x1 = parent->column->x + parent->column->width;
	int y1 = parent->y + BOX_HEIGHT / 2;
	int x2 = child->column->x;
	int y2 = child->y + BOX_HEIGHT / 2;

	fprintf(d->to,
		"<path class=\"line\" d=\"M%d %dC%d %d %d %d %d %d\"/>\n", x1,
		y1, x1 + GAP / 2, y1, x2 - GAP / 2, y2, x2, y2);
}

static void
draw_box(const struct drawing *d, size_t index)
{
	const struct svg_node *node = &d->tree->nodes[index];
	const struct place *place = &d->places[index];
	const char *class = node->bad ? "broken" : node->live ? "live" : "box";
	int x = place->column->x + PADDING;

	fprintf(d->to,
		"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" "
		"height=\"%d\" rx=\"6\"/>\n",
		class, place->column->x, place->y, place->column->width,
		BOX_HEIGHT);
	svg_text(d->to, x, place->y + 18, "name", "%s", node->name);
	svg_text(d->to, x, place->y + 34, node->bad ? "bad" : "small", "%s",
		 node->details);
}

void
svg_draw_tree(FILE *to, const void *user)
{
	const struct svg_tree *tree = user;
	struct drawing d = {
		.to = to,
		.tree = tree,
		.columns = must(calloc(tree->count + 1, sizeof(*d.columns))),
		.places = must(calloc(tree->count + 1, sizeof(*d.places))),
	};

	place_columns(&d);
	place_nodes(&d);
	svg_begin(to, d.width, d.height);
	for (size_t i = 0; i < tree->count; i++) {
		if (d.places[i].parent != i)
			draw_link(&d, &d.places[i]);
	}
	for (size_t i = 0; i < tree->count; i++)
		draw_box(&d, i);
	svg_end(to);
	free(d.columns);
	free(d.places);
}
