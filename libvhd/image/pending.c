/* SPDX-License-Identifier: BSD-3-Clause */
/* pending.c - lists that grow before they are needed. */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "image/mutant.h"
#include "image/pending.h"

static int
reserve(void **list, size_t *room, size_t need, size_t size)
{
	size_t want = *room ? *room : 64;
	void *more;

	if (need <= *room)
		return 0;
	while (want < need)
		want *= 2;
	more = realloc(*list, want * size);
	if (!more)
		return fail_nomem();
	*list = more;
	*room = want;
	return 0;
}

int
pending_reserve(struct pending *p, size_t bat, size_t bitmaps, size_t freed)
{
	int err = reserve((void **)&p->bat, &p->bat_room, p->nbat + bat,
			  sizeof(*p->bat));

	if (!err)
		err = reserve((void **)&p->bitmaps, &p->bitmaps_room,
			      p->nbitmaps + bitmaps, sizeof(*p->bitmaps));
	if (!err)
		err = reserve((void **)&p->freed, &p->freed_room,
			      p->nfreed + freed, sizeof(*p->freed));
	return err;
}

/* Does a flush have to store this block's bitmap before its entry? */
static bool
needs_fresh_bitmap(const struct image *img, uint32_t block)
{
	return (img->block_flags[block] & (BLOCK_NEW | BLOCK_PREPARED)) ==
		       BLOCK_NEW &&
	       !mutant(NO_NEW_BITMAP);
}

/* Bitmaps with bits that are not on disk are in memory, so that no copy has
 * to read. */
static int
add_copy(struct image *img, uint32_t block, bool fresh)
{
	struct pending *p = &img->publishing;
	size_t i = p->ncopies++;

	p->copies[i] = (struct bitmap_copy){
		block, atomic_load(&img->bat[block]), fresh};
	return bitmaps_copy(p->bits + i * img->bitmap_bytes, img, block);
}

static int
copy_bitmaps(struct image *img)
{
	const struct pending *from = &img->pending;
	struct pending *to = &img->publishing;
	size_t most = from->nbat + from->nbitmaps;
	int err = 0;

	to->ncopies = 0;
	to->copies = malloc((most + 1) * sizeof(*to->copies));
	to->bits = malloc((most + 1) * img->bitmap_bytes);
	if (!to->copies || !to->bits)
		return fail_nomem();
	for (size_t i = 0; i < from->nbat && !err; i++)
		if (needs_fresh_bitmap(img, from->bat[i].block))
			err = add_copy(img, from->bat[i].block, true);
	for (size_t i = 0; i < from->nbitmaps && !err; i++) {
		uint32_t block = from->bitmaps[i];

		if (image_has_block(img, block) &&
		    !(img->block_flags[block] & BLOCK_NEW))
			err = add_copy(img, block, false);
	}
	return err;
}

static void
free_copies(struct pending *p)
{
	free(p->copies);
	free(p->bits);
	p->copies = NULL;
	p->bits = NULL;
	p->ncopies = 0;
}

int
pending_take(struct image *img)
{
	const uint8_t entry = BLOCK_BAT_PENDING | BLOCK_NEW | BLOCK_PREPARED;
	struct pending *p = &img->publishing, was;
	int err = copy_bitmaps(img);

	if (err) {
		free_copies(p);
		return err;
	}
	was = *p;
	*p = img->pending;
	p->copies = was.copies;
	p->bits = was.bits;
	p->ncopies = was.ncopies;
	was.copies = NULL;
	was.bits = NULL;
	was.ncopies = 0;
	img->pending = was;
	for (size_t i = 0; i < p->nbat; i++) {
		struct bat_change *c = &p->bat[i];

		c->value = atomic_load(&img->bat[c->block]);
		c->flags = img->block_flags[c->block];
		img->block_flags[c->block] &= (uint8_t)~entry;
	}
	for (size_t i = 0; i < p->nbitmaps; i++)
		img->block_flags[p->bitmaps[i]] &=
			(uint8_t)~BLOCK_BITMAP_PENDING;
	return 0;
}

void
pending_done(struct image *img)
{
	struct pending *p = &img->publishing;

	p->nbat = 0;
	p->nbitmaps = 0;
	p->nfreed = 0;
	p->prepared = 0;
	p->named = false;
	free_copies(p);
}

static void
put_back_bitmap(struct image *img, uint32_t block)
{
	uint8_t *flags = &img->block_flags[block];

	if (!(*flags & BLOCK_BITMAP_PENDING))
		img->pending.bitmaps[img->pending.nbitmaps++] = block;
	*flags |= BLOCK_BITMAP_PENDING;
}

/* A block that changed again meanwhile keeps what it is now; it is new as
 * long as no entry on disk names its region.  Where one may, the bitmap that
 * is there is durable, and new bits wait for their data (D3). */
static void
put_back_entry(struct image *img, const struct bat_change *c, bool named)
{
	const uint8_t news = BLOCK_NEW | BLOCK_PREPARED;
	uint8_t *flags = &img->block_flags[c->block];
	bool same = atomic_load(&img->bat[c->block]) == c->value;

	if (same && named)
		put_back_bitmap(img, c->block);
	else if (same)
		*flags |= (uint8_t)(c->flags & news);
	if (!(*flags & BLOCK_BAT_PENDING))
		img->pending.bat[img->pending.nbat++] = *c;
	*flags |= BLOCK_BAT_PENDING;
}

int
pending_put_back(struct image *img)
{
	struct pending *p = &img->pending, *from = &img->publishing;
	int err = pending_reserve(p, from->nbat, from->nbitmaps + from->nbat,
				  from->nfreed);

	if (err)
		return err;
	for (size_t i = 0; i < from->nbat; i++)
		put_back_entry(img, &from->bat[i], from->named);
	for (size_t i = 0; i < from->nbitmaps; i++)
		put_back_bitmap(img, from->bitmaps[i]);
	for (size_t i = 0; i < from->nfreed; i++)
		p->freed[p->nfreed++] = from->freed[i];
	p->prepared = max_u64(p->prepared, from->prepared);
	pending_done(img);
	return 0;
}
