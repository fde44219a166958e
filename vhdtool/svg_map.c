/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg_map.c - a disk as a grid of squares, coloured by the layer that stores
 * what is there.
 *
 * A square is a power of two of bytes, so that at most CELLS_MAX of them make
 * the disk.  A square that several layers share is divided between them.
 */
#include "memory.h"
#include "size.h"
#include "svg.h"

#include <inttypes.h>
#include <stdlib.h>

#define COLUMNS   64
#define CELLS_MAX 4096
#define CELL_MIN  512
#define PIXELS    12 /* the side of a square */
#define LEFT      90
#define MARGIN    20
#define LINE      18

struct grid {
	FILE *to;
	const struct svg_map *map;
	uint64_t cell; /* bytes in a square */
	uint64_t cells;
	int top;                   /* where the first row begins */
	const struct svg_run *run; /* the one that the next square begins in */
	uint64_t *shares;          /* bytes of a layer in the square */
};

static uint64_t
cell_size(uint64_t size)
{
	uint64_t cell = CELL_MIN;

	while ((size + cell - 1) / cell > CELLS_MAX)
		cell *= 2;
	return cell;
}

static uint64_t
min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Count the bytes of each layer in [start, end). */
static void
count_shares(struct grid *g, uint64_t start, uint64_t end)
{
	const struct svg_run *last = g->map->runs + g->map->nruns;

	for (size_t i = 0; i < g->map->nlayers; i++)
		g->shares[i] = 0;
	while (g->run < last && start < end) {
		uint64_t run_end = g->run->offset + g->run->length;
		uint64_t stop = min_u64(run_end, end);

		if (g->run->layer < g->map->nlayers && stop > start)
			g->shares[g->run->layer] += stop - start;
		if (stop > start)
			start = stop;
		if (run_end <= end)
			g->run++;
	}
}

static void
draw_cell(struct grid *g, uint64_t index)
{
	double x = LEFT + (double)(index % COLUMNS) * PIXELS;
	int y = g->top + (int)(index / COLUMNS) * PIXELS;

	for (size_t i = 0; i < g->map->nlayers; i++) {
		double width = (double)g->shares[i] / (double)g->cell * PIXELS;

		if (g->shares[i] == 0)
			continue;
		if (width < 0.5)
			width = 0.5;
		fprintf(g->to,
			"<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
			"height=\"%d\" fill=\"%s\"/>\n",
			x, y, width, PIXELS, svg_colour(i));
		x += width;
	}
}

static void
draw_cells(struct grid *g)
{
	int rows = (int)((g->cells + COLUMNS - 1) / COLUMNS);
	uint64_t last_row = g->cells - (uint64_t)(rows - 1) * COLUMNS;

	fprintf(g->to,
		"<path fill=\"#e8eaed\" d=\"M%d %dh%dv%dh-%dv%dH%dz\"/>\n",
		LEFT, g->top, COLUMNS * PIXELS, (rows - 1) * PIXELS,
		(COLUMNS - (int)last_row) * PIXELS, PIXELS, LEFT);
	for (uint64_t i = 0; i < g->cells; i++) {
		count_shares(g, i * g->cell,
			     min_u64((i + 1) * g->cell, g->map->size));
		draw_cell(g, i);
	}
}

static void
draw_grid(const struct grid *g)
{
	int rows = (int)((g->cells + COLUMNS - 1) / COLUMNS);
	int height = rows * PIXELS;
	char label[SIZE_TEXT_MAX];

	fputs("<path class=\"grid\" d=\"", g->to);
	for (int i = 0; i <= COLUMNS; i++)
		fprintf(g->to, "M%d %dv%d", LEFT + i * PIXELS, g->top, height);
	for (int i = 0; i <= rows; i++)
		fprintf(g->to, "M%d %dh%d", LEFT, g->top + i * PIXELS,
			COLUMNS * PIXELS);
	fputs("\"/>\n", g->to);
	for (int i = 0; i < rows; i += 4)
		svg_text(g->to, LEFT - 6, g->top + i * PIXELS + PIXELS - 2,
			 "right", "%s",
			 i == 0 ? "0"
				: size_print(label,
					     (uint64_t)i * COLUMNS * g->cell));
}

static void
draw_key(FILE *to, int y, const char *colour, uint64_t bytes, const char *name)
{
	char human[SIZE_TEXT_MAX];

	fprintf(to,
		"<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" "
		"fill=\"%s\"/>\n",
		LEFT, y - 10, colour);
	svg_text(to, LEFT + 100, y, "right", "%s", size_print(human, bytes));
	svg_text(to, LEFT + 112, y, "name", "%s", name);
}

/* Whose colour is whose, and how much of the disk each stores. */
static void
draw_legend(struct grid *g, int y)
{
	uint64_t nowhere = g->map->size;

	g->run = g->map->runs;
	count_shares(g, 0, g->map->size);
	for (size_t i = 0; i < g->map->nlayers; i++) {
		draw_key(g->to, y, svg_colour(i), g->shares[i],
			 g->map->layers[i]);
		nowhere -= min_u64(nowhere, g->shares[i]);
		y += LINE;
	}
	draw_key(g->to, y, "#e8eaed", nowhere, "stored nowhere, reads as zero");
}

void
svg_draw_map(FILE *to, const void *user)
{
	const struct svg_map *map = user;
	char whole[SIZE_TEXT_MAX], square[SIZE_TEXT_MAX];
	struct grid g = {.to = to, .map = map, .run = map->runs};
	int rows, legend = 3 * LINE + MARGIN;

	g.cell = cell_size(map->size);
	g.cells = (map->size + g.cell - 1) / g.cell;
	g.shares = must(calloc(map->nlayers + 1, sizeof(*g.shares)));
	g.top = legend + (int)(map->nlayers + 1) * LINE;
	rows = (int)((g.cells + COLUMNS - 1) / COLUMNS);
	svg_begin(to, LEFT + COLUMNS * PIXELS + MARGIN,
		  g.top + rows * PIXELS + MARGIN);
	svg_text(to, LEFT, MARGIN + LINE / 2, "title", "%s", map->title);
	svg_text(to, LEFT, MARGIN + LINE / 2 + LINE, "small",
		 "%s; each square is %s", size_print(whole, map->size),
		 size_print(square, g.cell));
	if (g.cells > 0) {
		draw_cells(&g);
		draw_grid(&g);
	}
	draw_legend(&g, legend);
	svg_end(to);
	free(g.shares);
}
