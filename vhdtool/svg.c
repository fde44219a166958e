/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * svg.c - what the pictures share: the file, its style, text.
 */
#include "svg.h"

#include "exit.h"
#include "out.h"
#include "say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char style[] =
	"text{font:12px sans-serif;fill:#222}"
	".title{font-size:16px;font-weight:bold}"
	".small{font-size:11px;fill:#666}"
	".right{font-size:11px;fill:#666;text-anchor:end}"
	".bad{font-size:11px;fill:#b00020}"
	".box{fill:#f4f7fb;stroke:#5b7ea6}"
	".live{fill:#dcefe0;stroke:#2e7d43;stroke-width:2}"
	".broken{fill:#fdecee;stroke:#b00020;stroke-dasharray:4 3}"
	".line{fill:none;stroke:#8a97a6;stroke-width:1.5}"
	".grid{stroke:#fff;stroke-width:1}";

/* Told apart by people who see few colours, too. */
static const char *const colours[] = {
	"#0072b2", "#e69f00", "#009e73", "#d55e00",
	"#56b4e9", "#cc79a7", "#7a6a00", "#5e3c99",
};

const char *
svg_colour(size_t layer)
{
	return colours[layer % (sizeof(colours) / sizeof(colours[0]))];
}

void
svg_begin(FILE *to, int width, int height)
{
	fprintf(to,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
		"height=\"%d\" viewBox=\"0 0 %d %d\">\n"
		"<style>%s</style>\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n",
		width, height, width, height, style, width, height);
}

void
svg_end(FILE *to)
{
	fputs("</svg>\n", to);
}

/* A control character is no text in XML, not even escaped. */
static void
print_escaped(FILE *to, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '&')
			fputs("&amp;", to);
		else if (c == '<')
			fputs("&lt;", to);
		else if (c == '>')
			fputs("&gt;", to);
		else if (c < 0x20 || c == 0x7F)
			fprintf(to, "\\x%02x", c);
		else
			fputc(c, to);
	}
}

void
svg_text(FILE *to, int x, int y, const char *class, const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	fprintf(to, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
	print_escaped(to, text ? text : "");
	fputs("</text>\n", to);
	free(text);
}

void
svg_tip(FILE *to, const char *first, const char *second)
{
	fputs("<title>", to);
	print_escaped(to, first);
	fputs("\n", to);
	print_escaped(to, second);
	fputs("</title>\n", to);
}

static int
save_failed(const char *path)
{
	say("%s: %s", path, strerror(errno));
	return EXIT_FAILED;
}

int
svg_save(const char *path, bool force, svg_draw_fn draw, const void *user)
{
	bool failed;
	FILE *to;

	if (strcmp(path, "-") == 0) {
		draw(stdout, user);
		return out_finish();
	}
	to = fopen(path, force ? "we" : "wxe");
	if (!to && errno == EEXIST) {
		say("%s exists already; try: --force", path);
		return EXIT_FAILED;
	}
	if (!to)
		return save_failed(path);
	draw(to, user);
	failed = fflush(to) != 0 || ferror(to);
	if (fclose(to) != 0 || failed)
		return save_failed(path);
	return EXIT_DONE;
}
