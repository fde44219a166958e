/* SPDX-License-Identifier: BSD-3-Clause */
/* guest.c - what guests write, and the disks they begin with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/iszero.h"
#include "base/path.h"
#include "chain/chain.h"
#include "forest.h"
#include "relayout.h"

void
sector_fill(uint8_t ret[512], uint32_t sector, uint32_t value)
{
	memset(ret, 0, 512);
	for (int i = 0; value != VALUE_ZERO && i < 512; i += 8) {
		store_be32(ret + i, sector);
		store_be32(ret + i + 4, value);
	}
}

uint32_t
sector_value(const uint8_t bytes[512], uint32_t sector)
{
	uint32_t value = load_be32(bytes + 4);
	uint8_t want[512];

	if (is_zero(bytes, 512))
		return VALUE_ZERO;
	sector_fill(want, sector, value);
	return value > VALUE_ZERO && !memcmp(bytes, want, 512) ? value : 0;
}

static void
must(int err)
{
	if (err) {
		(void)fprintf(stderr, "cannot go on: %s\n", error_message());
		abort();
	}
}

/* ---- Guests ---- */

void
guest_settle(struct forest_state *s)
{
	for (uint32_t i = 0; i < s->sectors; i++)
		if (s->newer[i]) {
			s->value[i] = s->newer[i];
			s->newer[i] = 0;
		}
}

int
guest_flush(struct chain *c, struct forest_state *s)
{
	int err = chain_flush(c);

	if (!err)
		guest_settle(s);
	return err;
}

/* Between two flushes no sector is written twice: so it has two values at
 * most. */
static uint32_t
unwritten_from(const struct forest_state *s, uint32_t first, uint32_t most)
{
	uint32_t n = 0;

	while (n < most && first + n < s->sectors && !s->newer[first + n])
		n++;
	return n;
}

static int
guest_write(struct forest *f, struct chain *c, struct forest_state *s,
	    bool zero)
{
	uint32_t first = (uint32_t)forest_draw(f, s->sectors);
	uint32_t n = unwritten_from(s, first, 1 + (uint32_t)forest_draw(f, 10));
	uint8_t data[10 * 512];

	for (uint32_t i = 0; i < n; i++) {
		uint32_t value = zero ? VALUE_ZERO : f->next_value++;

		sector_fill(data + i * 512, first + i, value);
		s->newer[first + i] = value;
	}
	if (!n)
		return 0;
	if (zero)
		return chain_zero(c, first * 512ull, n * 512ull,
				  forest_draw(f, 2) ? VHD_IO_MAY_TRIM : 0);
	return chain_pwrite(c, data, n * 512, first * 512ull, 0);
}

void
guest_act(struct forest *f, struct chain *c, struct forest_state *s)
{
	uint64_t what = forest_draw(f, 8);
	int err;

	if (what < 5)
		err = guest_write(f, c, s, false);
	else if (what < 6)
		err = guest_write(f, c, s, true);
	else
		err = guest_flush(c, s);
	if (err)
		(void)forest_wrong(f, "a guest's request failed: %s",
				   error_message());
}

/* ---- The first disk ---- */

static void
make_image(struct forest *f, const char *path, const char *parent,
	   uint32_t sectors)
{
	struct image_create how = {
		.type = forest_draw(f, 3) ? VHD_TYPE_DYNAMIC : VHD_TYPE_FIXED,
		.size = sectors * 512ull,
		.block_size = 4096u << forest_draw(f, 2),
		.created = 1700000000,
		.parent_relative = "elsewhere.vhd",
	};
	struct chain_opts opts = {0};
	struct chain *c = NULL;
	struct io *io;

	if (parent) {
		must(chain_open(&c, f->fs, parent, &opts));
		how.type = VHD_TYPE_DIFFERENCING;
		how.parent = &c->layers[0].img->footer;
		how.parent_time = 1600000000;
		if (forest_draw(f, 2))
			how.parent_relative = path_name(parent);
	}
	must(f->fs->ops->open(&io, f->fs, path,
			      FS_OPEN_WRITE | FS_OPEN_CREATE));
	must(image_format(io, &how));
	if (f->layouts && how.type != VHD_TYPE_FIXED)
		must(relayout(io, (enum layout)forest_draw(f, LAYOUT_COUNT)));
	must(io_close(io));
	must(f->fs->ops->sync_dir(f->fs, path));
	if (c)
		must(chain_close(c));
}

static void
fill_image(struct forest *f, struct forest_state *s)
{
	struct chain_opts opts = {.flags = VHD_OPEN_RDWR};
	uint64_t n = 1 + forest_draw(f, 6);
	struct chain *c;

	must(chain_open(&c, f->fs, s->path, &opts));
	while (n--)
		guest_act(f, c, s);
	must(guest_flush(c, s));
	must(chain_close(c));
}

void
forest_plant(struct forest *f)
{
	uint32_t layers = 1 + (uint32_t)forest_draw(f, 4), parent = 0;
	uint32_t sectors = 16 + (uint32_t)forest_draw(f, FOREST_SECTORS - 15);
	char path[FOREST_PATH], below[FOREST_PATH] = "";

	for (uint32_t i = 0; i < layers; i++) {
		struct forest_state *s;

		if (i + 1 == layers)
			(void)snprintf(path, sizeof(path), "%s/disk.vhd",
				       FOREST_DIR);
		else
			(void)snprintf(path, sizeof(path),
				       "%s/disk_0A1B2C3D-%04X.avhd", FOREST_DIR,
				       i);
		make_image(f, path, below[0] ? below : NULL, sectors);
		s = forest_add(f, path,
			       parent ? forest_by_id(f, parent) : NULL);
		if (!parent)
			for (uint32_t k = 0; k < sectors; k++)
				s->value[k] = VALUE_ZERO;
		s->sectors = sectors;
		s->parent = parent;
		s->live = i + 1 == layers;
		parent = s->id;
		fill_image(f, s);
		(void)snprintf(below, sizeof(below), "%s", path);
	}
}
