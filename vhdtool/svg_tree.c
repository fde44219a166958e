/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg_tree.c - images as boxes, one below the other in the order of a walk.
 *
 * An only child stands right below its parent, so that a long chain is a
 * column; where several stand on one image, each begins a step to the right,
 * on a line that comes down from it.
 */
#include "svg.h"

#include "branches.h"
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define BOX_HEIGHT 42
#define ROW        58
#define STEP       34 /* to the right */
#define TRUNK      16 /* lines leave a box so far from its left side */
#define BEND       8
#define BETWEEN    16 /* trees */
#define MARGIN     20
#define PADDING    10
#define TEXT_MAX   90 /* characters; of longer texts the middle is left out */

struct place {
	int x, y, width;
	size_t parent; /* an index; of a root: its own */
	size_t children;
	char *name, *details; /* as drawn */
};

struct drawing {
	FILE *to;
	const struct svg_tree *tree;
	struct place *places; /* by node */
	int width;
	int height;
};

/* ---- Text ---- */

/* Of a character of a common font at 12 pixels, in tenths of one. */
static int
char_width(const char *c)
{
	unsigned char first = (unsigned char)*c;

	if (first >= 0xE1)
		return 125;
	if (first >= 0x80)
		return first >= 0xC0 ? 85 : 0;
	if (strchr("@MW%mw", *c))
		return 115;
	if (strchr(" .,:;-'|!ijlt()[]", *c))
		return 48;
	return first >= 'A' && first <= 'Z' ? 88 : 78;
}

static int
text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += char_width(text);
	return width / 10;
}

/* The first byte of the nth character. */
static size_t
nth(const char *text, size_t n)
{
	size_t i = 0;

	while (n > 0 && text[i]) {
		i++;
		if (((unsigned char)text[i] & 0xC0) != 0x80)
			n--;
	}
	return i;
}

static char *
shorten(const char *text)
{
	size_t count = text_columns(text);
	char *result;

	if (count <= TEXT_MAX)
		return must(strdup(text));
	if (asprintf(&result, "%.*s…%s", (int)nth(text, TEXT_MAX * 2 / 3), text,
		     text + nth(text, count - TEXT_MAX / 3)) < 0)
		result = NULL;
	return must(result);
}

/* ---- Places ---- */

/* above[n] is the last node seen at depth n. */
static void
find_parents(struct drawing *d)
{
	size_t count = d->tree->count;
	size_t *above = must(calloc(count + 1, sizeof(*above)));

	for (size_t i = 0; i < count; i++) {
		size_t depth = d->tree->nodes[i].depth;

		d->places[i].parent = depth > 0 ? above[depth - 1] : i;
		if (depth > 0)
			d->places[above[depth - 1]].children++;
		above[depth] = i;
	}
	free(above);
}

static void
fill_box(struct place *place, const struct svg_node *node)
{
	int name, details;

	place->name = shorten(node->name);
	place->details = shorten(node->details);
	name = text_width(place->name);
	details = text_width(place->details) * 11 / 12;
	place->width = (name > details ? name : details) + 2 * PADDING;
}

static void
place_nodes(struct drawing *d)
{
	int y = MARGIN;

	find_parents(d);
	for (size_t i = 0; i < d->tree->count; i++) {
		struct place *place = &d->places[i];
		const struct place *parent = &d->places[place->parent];

		fill_box(place, &d->tree->nodes[i]);
		place->x =
			parent == place
				? MARGIN
				: parent->x + (parent->children > 1 ? STEP : 0);
		if (parent == place && i > 0)
			y += BETWEEN;
		place->y = y;
		y += ROW;
		if (place->x + place->width + MARGIN > d->width)
			d->width = place->x + place->width + MARGIN;
	}
	d->height = y - ROW + BOX_HEIGHT + MARGIN;
}

/* ---- Drawing ---- */

static void
draw_link(const struct drawing *d, const struct place *child)
{
	const struct place *parent = &d->places[child->parent];
	int x = parent->x + TRUNK;
	int y = parent->y + BOX_HEIGHT;

	if (parent->children == 1)
		fprintf(d->to, "<path class=\"line\" d=\"M%d %dV%d\"/>\n", x, y,
			child->y);
	else
		fprintf(d->to,
			"<path class=\"line\" d=\"M%d %dV%dq0 %d %d %dH%d\"/>"
			"\n",
			x, y, child->y + BOX_HEIGHT / 2 - BEND, BEND, BEND,
			BEND, child->x);
}

static void
draw_box(const struct drawing *d, size_t index)
{
	const struct svg_node *node = &d->tree->nodes[index];
	const struct place *place = &d->places[index];
	const char *class = node->bad ? "broken" : node->live ? "live" : "box";
	int x = place->x + PADDING;

	fputs("<g>\n", d->to);
	if (strcmp(place->name, node->name) != 0 ||
	    strcmp(place->details, node->details) != 0)
		svg_tip(d->to, node->name, node->details);
	fprintf(d->to,
		"<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" "
		"height=\"%d\" rx=\"6\"/>\n",
		class, place->x, place->y, place->width, BOX_HEIGHT);
	svg_text(d->to, x, place->y + 17, "name", "%s", place->name);
	svg_text(d->to, x, place->y + 33, node->bad ? "bad" : "small", "%s",
		 place->details);
	fputs("</g>\n", d->to);
}

void
svg_draw_tree(FILE *to, const void *user)
{
	const struct svg_tree *tree = user;
	struct drawing d = {
		.to = to,
		.tree = tree,
		.places = must(calloc(tree->count + 1, sizeof(*d.places))),
		.width = 2 * MARGIN,
	};

	place_nodes(&d);
	svg_begin(to, d.width, d.height);
	for (size_t i = 0; i < tree->count; i++) {
		if (d.places[i].parent != i)
			draw_link(&d, &d.places[i]);
	}
	for (size_t i = 0; i < tree->count; i++) {
		draw_box(&d, i);
		free(d.places[i].name);
		free(d.places[i].details);
	}
	svg_end(to);
	free(d.places);
}
