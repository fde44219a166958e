/* SPDX-License-Identifier: BSD-3-Clause */
/* relayout.c - write the metadata of an image anew, in other places. */
#include "relayout.h"

#include <stdlib.h>
#include <string.h>

#include "base/arith.h"
#include "base/cleanup.h"
#include "format/dynhdr.h"

#define FOOTER 512u
#define TEXT   512u /* of a locator, at most */

struct metadata {
	struct io *io;
	struct dynhdr hdr;
	struct disk_footer footer;
	uint8_t text[MAX_LOCATORS][TEXT];
	uint64_t end; /* of what has a place */
};

static int
read_metadata(struct metadata *m)
{
	struct disk_dynhdr disk;
	int err = m->io->ops->pread(m->io, &m->footer, FOOTER, 0);

	if (!err)
		err = m->io->ops->pread(m->io, &disk, DYNHDR_SIZE, FOOTER);
	if (!err && dynhdr_decode(&m->hdr, &disk) != DYNHDR_OK)
		abort();
	for (int i = 0; i < MAX_LOCATORS && !err; i++) {
		const struct locator *l = &m->hdr.locator[i];

		if (l->length > TEXT)
			abort();
		if (l->code)
			err = m->io->ops->pread(m->io, m->text[i], l->length,
						l->offset);
	}
	return err;
}

static int
put_table(struct metadata *m, uint64_t at)
{
	uint64_t bytes = round_up((uint64_t)m->hdr.max_entries * 4, 512);
	AUTO_FREE uint8_t *ones = malloc(bytes);

	if (!ones)
		abort();
	memset(ones, 0xff, bytes);
	m->hdr.table_offset = at;
	m->end = at + bytes;
	return m->io->ops->pwrite(m->io, ones, bytes, at);
}

static int
put_locators(struct metadata *m, int first, int last, uint64_t align,
	     uint32_t space)
{
	int err = 0;

	for (int i = first; i <= last && !err; i++) {
		struct locator *l = &m->hdr.locator[i];

		if (!l->code)
			continue;
		l->offset = round_up(m->end, align);
		l->space = space;
		m->end = l->offset + space;
		err = m->io->ops->pwrite(m->io, m->text[i], TEXT, l->offset);
	}
	return err;
}

static int
put(struct metadata *m, enum layout layout)
{
	const int last = MAX_LOCATORS - 1;
	int err = 0;

	m->end = FOOTER + DYNHDR_SIZE;
	switch (layout) {
	case LAYOUT_BEFORE:
		err = put_locators(m, 0, last, 512, 512);
		return err ? err : put_table(m, m->end);
	case LAYOUT_AROUND:
		err = put_locators(m, 0, 0, 4096, 4096);
		if (!err)
			err = put_table(m, 0x2000);
		return err ? err : put_locators(m, 1, last, 4096, 65536);
	case LAYOUT_FAR:
		err = put_locators(m, 0, 0, 512, 512);
		if (!err)
			err = put_table(m, 0x21200);
		return err ? err : put_locators(m, 1, last, 512, 512);
	default:
		err = put_table(m, m->end);
		return err ? err : put_locators(m, 0, last, 512, 512);
	}
}

int
relayout(struct io *io, enum layout layout)
{
	struct metadata m = {.io = io};
	struct disk_dynhdr disk;
	int err = layout == LAYOUT_OURS ? 0 : read_metadata(&m);

	if (err || layout == LAYOUT_OURS)
		return err;
	err = io->ops->truncate(io, 0);
	if (!err)
		err = put(&m, layout);
	dynhdr_encode(&disk, &m.hdr);
	if (!err)
		err = io->ops->pwrite(io, &disk, DYNHDR_SIZE, FOOTER);
	if (!err)
		err = io->ops->pwrite(io, &m.footer, FOOTER, 0);
	if (!err)
		err = io->ops->pwrite(io, &m.footer, FOOTER, m.end);
	return err ? err : io->ops->flush(io);
}
