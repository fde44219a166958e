/* SPDX-License-Identifier: BSD-3-Clause */
/* verify.c - is what a crash left a tree, and the right one? */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/check.h"
#include "world.h"

#define WHY_SIZE 1000

bool
verify_fails(char *why, size_t why_size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(why, why_size, fmt, args);
	va_end(args);
	return false;
}

bool
verify_values(uint32_t values[static PIECES], char *why, size_t why_size,
	      const struct world *w, struct chain *c)
{
	uint8_t bytes[PIECES * PIECE];

	for (uint32_t b = 0; b < w->blocks; b++) {
		uint32_t first = b * w->spread;

		if (chain_pread(c, bytes, w->spread * PIECE,
				piece_offset(w, first)))
			return verify_fails(why, why_size, "cannot be read: %s",
					    error_message());
		for (uint32_t i = 0; i < w->spread; i++)
			values[first + i] =
				piece_value(bytes + i * PIECE, first + i);
	}
	return true;
}

/* Blocks are small on purpose (V48); growing keeps the original size (V23); a
 * write that was not answered leaves its new block without a bit (V83); a
 * resize that was cut short, entries behind the end (V76). */
static bool
expected(const struct vhd_finding *finding)
{
	static const char *const codes[] = {"V23", "V48", "V76", "V83"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(finding->code, codes[i]) == 0)
			return true;
	return false;
}

static bool
verify_file(char *why, size_t why_size, const struct fs *fs, const char *path,
	    enum vhd_severity worst)
{
	const struct check_opts opts = {.now = 1900000000};
	AUTO_FINDINGS struct findings findings = {0};
	struct check check;
	struct io *io;
	bool ok = true;

	if (fs->ops->open(&io, fs, path, 0) || findings_init(&findings, path))
		return verify_fails(why, why_size, "%s", error_message());
	if (image_check(&check, io, &opts, &findings))
		ok = verify_fails(why, why_size, "check: %s", error_message());
	for (size_t i = 0; ok && i < findings.n; i++)
		if (findings.list[i].severity >= worst &&
		    !expected(&findings.list[i]))
			ok = verify_fails(why, why_size, "check: %s %s",
					  findings.list[i].code,
					  findings.list[i].message);
	check_free(&check);
	(void)io_close(io);
	return ok;
}

bool
verify_files(char *why, size_t why_size, const struct fs *fs,
	     const struct chain *c, bool at_rest)
{
	for (uint32_t i = 0; i < c->depth; i++)
		if (c->layers[i].img->type != VHD_TYPE_RAW &&
		    !verify_file(why, why_size, fs, c->layers[i].path,
				 at_rest ? VHD_WARNING : VHD_ERROR))
			return false;
	return true;
}

static bool
verify_content(char *why, const struct world *w, struct chain *c)
{
	uint32_t values[PIECES];
	char text[600];

	if (!verify_values(values, why, WHY_SIZE, w, c))
		return false;
	for (uint32_t i = 0; i < world_pieces(w); i++)
		if (!history_survives(&w->history, i, values[i])) {
			history_text(text, sizeof(text), &w->history, i);
			return verify_fails(why, WHY_SIZE, "reads %u\n%s",
					    values[i], text);
		}
	return true;
}

static bool
verify_state(char *why, struct world *w, const struct fs *state)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR, .max_depth = 32};
	struct chain *c;
	bool ok;

	if (chain_open(&c, state, DISK, &opts))
		return verify_fails(why, WHY_SIZE, "cannot be opened: %s",
				    error_message());
	ok = verify_content(why, w, c) &&
	     verify_files(why, WHY_SIZE, state, c, false) &&
	     snaps_verify(why, WHY_SIZE, w, state, &w->history);
	if (chain_close(c) && ok)
		ok = verify_fails(why, WHY_SIZE, "closing: %s",
				  error_message());
	return ok;
}

/* Work on with what is left, and crash again. */
static void
go_on(struct world *before, const struct crash_state *state)
{
	struct judge *judge = before->judge;
	struct world *w = malloc(sizeof(*w));

	if (!w)
		abort();
	world_recover(w, before, state->fs,
		      rng_below(&before->look_rng, UINT64_MAX));
	judge->recoveries++;
	world_run(w);
	if (!w->stopped) {
		world_free(w);
		free(w);
	}
}

static int
look_at_state(const struct crash_state *state, void *user)
{
	struct world *w = user;
	struct judge *judge = w->judge;
	char why[WHY_SIZE], text[3000];

	judge->states++;
	if (w->depth < judge->most_depth && judge->nested &&
	    rng_below(&w->look_rng, judge->nested) == 0)
		go_on(w, state);
	if (!judge->failed && !verify_state(why, w, state->fs))
		world_wrong(w, "after a crash: %s", why);
	if (!judge->failed)
		return 0;
	crash_state_text(text, sizeof(text), state);
	world_wrong(w, "so in a world that came from");
	(void)snprintf(judge->story + strlen(judge->story),
		       sizeof(judge->story) - strlen(judge->story),
		       "state:\n%s", text);
	return VHD_E_CORRUPT;
}

void
world_look(struct world *w)
{
	struct crash_limits limits = w->judge->limits;
	uint64_t count = 0;

	limits.seed = w->seed + w->operations;
	if (w->depth) {
		limits.exhaustive /= 4;
		limits.sampled /= 4;
	}
	(void)crash_each_state(&count, w->crash, &limits, look_at_state, w);
}
