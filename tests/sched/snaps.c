/* SPDX-License-Identifier: BSD-3-Clause */
/* snaps.c - snapshots that were taken, and what they must read. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

struct snap *
snap_add(struct world *w)
{
	struct snap *snap = &w->snaps[w->nsnaps];

	if (w->nsnaps == SNAPS)
		return NULL;
	*snap = (struct snap){.begin = history_now(&w->history),
			      .end = UINT64_MAX};
	(void)snprintf(snap->path, sizeof(snap->path), "/disk@s%u-%u.vhd",
		       w->depth, w->nsnaps++);
	return snap;
}

void
snaps_may_go(struct world *w)
{
	for (unsigned i = 0; i < w->nsnaps; i++)
		w->snaps[i].may_go = true;
}

enum finding { ABSENT, UNFINISHED, PRESENT };

/* The disk's file with a second name is no snapshot yet. */
static enum finding
look_for(const struct fs *fs, const struct snap *snap)
{
	struct fs_stat it, disk;

	if (fs->ops->stat(&it, fs, snap->path))
		return ABSENT;
	if (!fs->ops->stat(&disk, fs, DISK) && disk.id.device == it.id.device &&
	    disk.id.inode == it.id.inode)
		return UNFINISHED;
	return PRESENT;
}

static bool
read_snap(uint32_t values[static PIECES], char *why, size_t why_size,
	  const struct world *w, const struct fs *fs, const struct snap *snap)
{
	struct chain_opts opts = {.flags = VHD_OPEN_NOLOCK, .max_depth = 32};
	struct chain *c;
	bool ok;

	if (chain_open(&c, fs, snap->path, &opts))
		return verify_fails(why, why_size, "%s cannot be opened: %s",
				    snap->path, error_message());
	ok = verify_values(values, why, why_size, w, c);
	(void)chain_close(c);
	return ok;
}

/* How many pieces are what they were at one moment, before one is not? */
static uint32_t
held(const struct world *w, const struct history *h,
     const uint32_t values[static PIECES], uint64_t moment)
{
	uint32_t i = 0;

	while (i < world_pieces(w) && history_held(h, i, values[i], moment))
		i++;
	return i;
}

/* One moment for all pieces: a snapshot is not taken bit by bit. */
static bool
is_moment(char *why, size_t why_size, const struct world *w,
	  const struct history *h, const struct snap *snap,
	  const uint32_t values[static PIECES])
{
	uint64_t end = min_u64(snap->end, h->clock);
	uint32_t n = 0, most = 0;
	char text[600];

	for (uint64_t t = snap->begin; t <= end && n < world_pieces(w); t++) {
		n = held(w, h, values, t);
		most = n > most ? n : most;
	}
	if (n == world_pieces(w))
		return true;
	history_text(text, sizeof(text), h, most);
	return verify_fails(why, why_size,
			    "%s, taken from %" PRIu64 " to %" PRIu64
			    ", reads what the disk never was, as %u in\n%s",
			    snap->path, snap->begin, end, values[most], text);
}

static bool
is_as_known(char *why, size_t why_size, const struct world *w,
	    const struct snap *snap, const uint32_t values[static PIECES])
{
	for (uint32_t i = 0; i < world_pieces(w); i++)
		if (values[i] != snap->values[i])
			return verify_fails(why, why_size,
					    "%s: piece %u read %u, and reads "
					    "%u now",
					    snap->path, i, snap->values[i],
					    values[i]);
	return true;
}

static bool
verify(char *why, size_t why_size, struct world *w, const struct fs *fs,
       const struct history *h, struct snap *snap)
{
	enum finding found = look_for(fs, snap);
	uint32_t values[PIECES];

	if (found != PRESENT && snap->taken && !snap->may_go)
		return verify_fails(why, why_size, "%s is not there",
				    snap->path);
	if (found != PRESENT)
		return true;
	if (!read_snap(values, why, why_size, w, fs, snap))
		return false;
	if (snap->known)
		return is_as_known(why, why_size, w, snap, values);
	if (!is_moment(why, why_size, w, h, snap, values))
		return false;
	memcpy(snap->values, values, sizeof(values));
	snap->known = true;
	return true;
}

bool
snaps_verify(char *why, size_t why_size, struct world *w, const struct fs *fs,
	     const struct history *h)
{
	for (unsigned i = 0; i < w->nsnaps; i++)
		if (!verify(why, why_size, w, fs, h, &w->snaps[i]))
			return false;
	return true;
}

void
snaps_adopt(struct world *w, const struct fs *fs)
{
	for (unsigned i = 0; i < w->nsnaps; i++) {
		struct snap *snap = &w->snaps[i];

		snap->taken = look_for(fs, snap) == PRESENT;
		snap->may_go = !snap->taken;
	}
}
