/* SPDX-License-Identifier: BSD-3-Clause */
/* info.c - describe one image of a chain. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "info.h"

/* Keep a text for as long as the disk is open; the same text once. */
static int
keep(const char **ret, vhd_t *vhd, const char *text)
{
	struct info_strings *s;

	pthread_mutex_lock(&vhd->info_lock);
	for (s = vhd->strings; s; s = s->next)
		if (!strcmp(s->text, text))
			break;
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (s && !(s->text = strdup(text))) {
			free(s);
			s = NULL;
		}
		if (s) {
			s->next = vhd->strings;
			vhd->strings = s;
		}
	}
	pthread_mutex_unlock(&vhd->info_lock);
	if (!s)
		return fail_nomem();
	*ret = s->text;
	return 0;
}

void
info_free(vhd_t *vhd)
{
	while (vhd->strings) {
		struct info_strings *s = vhd->strings;

		vhd->strings = s->next;
		free(s->text);
		free(s);
	}
}

/* The largest power of two, at most a page, that divides the place of every
 * block's data. */
static uint32_t
alignment_of(const struct image *img)
{
	uint64_t all = 0;

	for (uint32_t b = 0; b < img->blocks; b++) {
		uint64_t at = atomic_load(&img->bat[b]);

		if (at != BAT_UNUSED)
			all |= (at << SECTOR_SHIFT) + img->bitmap_bytes;
	}
	if (!all)
		return 0;
	all |= 4096;
	return (uint32_t)(all & (~all + 1));
}

static void
fill_footer(struct vhd_info *ret, const struct footer *f)
{
	ret->original_size = f->original_size;
	ret->created = (int64_t)f->timestamp + VHD_EPOCH;
	memcpy(ret->uuid, f->uuid, sizeof(ret->uuid));
	memcpy(ret->creator_app, f->creator_app, 4);
	memcpy(ret->creator_os, f->creator_os, 4);
	ret->creator_major = (uint16_t)(f->creator_version >> 16);
	ret->creator_minor = (uint16_t)f->creator_version;
	ret->cylinders = f->geometry.cylinders;
	ret->heads = f->geometry.heads;
	ret->sectors_per_track = f->geometry.sectors;
	ret->saved_state = f->saved_state;
	ret->hidden = footer_creator_is(f, "tap") && f->reserved[0];
}

static enum vhd_footer_copies
copies_of(const struct image *img)
{
	if (img->defects & DEFECT_END_MISSING)
		return VHD_FOOTER_END_MISSING;
	if (img->defects & DEFECT_START_BAD)
		return VHD_FOOTER_START_BAD;
	if (img->defects & (DEFECT_DIFFER | DEFECT_HALF_UPDATE))
		return VHD_FOOTER_DIFFER;
	return VHD_FOOTER_EQUAL;
}

static int
fill_locators(struct vhd_info *ret, vhd_t *vhd, struct image *img)
{
	int err = 0;

	for (unsigned i = 0; i < MAX_LOCATORS && !err; i++) {
		struct vhd_locator *l = &ret->locators[ret->nlocators];
		char text[MAX_PATH_TEXT] = "";

		if (img->hdr.locator[i].code == PLATFORM_NONE)
			continue;
		err = image_locator(text, sizeof(text), img, i, false);
		locator_code_text(l->platform, img->hdr.locator[i].code);
		if (!err)
			err = keep(&l->path, vhd, text);
		ret->nlocators++;
	}
	return err;
}

/* Where the parent is: opened already, or looked for. */
static int
fill_parent_place(struct vhd_info *ret, vhd_t *vhd, uint32_t layer)
{
	struct chain *c = vhd->chain;
	struct image *img = c->layers[layer].img;
	struct located found = {.status = VHD_PARENT_MISSING};
	int err = locate_parent(&found, c->fs, img, c->layers[layer].path,
				&c->opts);

	if (err && err != VHD_E_NOMEM && err != VHD_E_IO)
		err = 0; /* it is not known where it is */
	ret->parent_status = found.status;
	if (!err && found.path)
		err = keep(&ret->parent_path, vhd, found.path);
	located_free(&found);
	if (!err && layer + 1 < c->depth) {
		err = keep(&ret->parent_path, vhd, c->layers[layer + 1].path);
		if (ret->parent_status != VHD_PARENT_TIME_DIFFERS)
			ret->parent_status = VHD_PARENT_OK;
	}
	return err;
}

static int
fill_parent(struct vhd_info *ret, vhd_t *vhd, uint32_t layer)
{
	struct image *img = vhd->chain->layers[layer].img;
	char name[MAX_PATH_TEXT];
	int err;

	if (!dynhdr_parent_name(name, sizeof(name), &img->hdr))
		name[0] = '\0';
	err = keep(&ret->parent_name, vhd, name);
	memcpy(ret->parent_uuid, img->hdr.parent_uuid,
	       sizeof(ret->parent_uuid));
	if (img->hdr.parent_time)
		ret->parent_time = (int64_t)img->hdr.parent_time + VHD_EPOCH;
	if (!err)
		err = fill_locators(ret, vhd, img);
	return err ? err : fill_parent_place(ret, vhd, layer);
}

int
info_fill(struct vhd_info *ret, vhd_t *vhd, uint32_t layer)
{
	struct image *img = vhd->chain->layers[layer].img;
	int err = img->io->ops->actual_size(&ret->actual_size, img->io);

	if (!err)
		err = keep(&ret->path, vhd, vhd->chain->layers[layer].path);
	if (err)
		return err;
	ret->type = img->type;
	ret->virtual_size = img->size;
	ret->file_length = img->file_size;
	ret->footer_copies = copies_of(img);
	if (img->type != VHD_TYPE_RAW)
		fill_footer(ret, &img->footer);
	if (image_is_sparse(img)) {
		ret->block_size = img->block_size;
		ret->blocks_total = img->blocks;
		ret->blocks_allocated = image_count_blocks(img);
		ret->alignment = alignment_of(img);
	}
	return img->type == VHD_TYPE_DIFFERENCING ? fill_parent(ret, vhd, layer)
						  : 0;
}
