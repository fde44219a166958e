/* SPDX-License-Identifier: BSD-3-Clause */
/* undo.c - write the undo file of a repair; its format is in undo.h. */
#include "image/undo.h"

#include <string.h>

#include "base/bytes.h"
#include "image/mutant.h"
#include "image/undo_format.h"

struct undo {
	const struct fs *fs;
	const char *path;
	struct io *io; /* NULL until the first record */
	uint64_t end;  /* of the file */
	uint8_t header[UNDO_HEADER_SIZE];
};

int
undo_new(struct undo **ret, const struct fs *fs, const char *path,
	 const uint8_t uuid[static 16], uint64_t size)
{
	struct undo *u = calloc(1, sizeof(*u));

	if (!u)
		return fail_nomem();
	u->fs = fs;
	u->path = path;
	memcpy(u->header, undo_magic, sizeof(undo_magic));
	store_be32(u->header + 8, UNDO_VERSION);
	memcpy(u->header + 16, uuid, 16);
	store_be64(u->header + 32, size);
	store_be32(u->header + 12, undo_crc(u->header, UNDO_HEADER_SIZE));
	*ret = u;
	return 0;
}

void
undo_free(struct undo *u)
{
	if (!u)
		return;
	(void)io_close(u->io);
	free(u);
}

static int
begin(struct undo *u)
{
	int err;

	if (u->io)
		return 0;
	err = u->fs->ops->open(&u->io, u->fs, u->path,
			       FS_OPEN_WRITE | FS_OPEN_CREATE);
	if (!err)
		err = u->io->ops->pwrite(u->io, u->header, UNDO_HEADER_SIZE, 0);
	if (!err && !mutant(UNDO_NAME_NOT_SYNCED))
		err = u->fs->ops->sync_dir(u->fs, u->path);
	u->end = UNDO_HEADER_SIZE;
	return err;
}

static int
append(struct undo *u, uint8_t *record, size_t length)
{
	int err = begin(u);

	if (err)
		return err;
	store_be32(record + 16, 0);
	store_be32(record + 16, undo_crc(record, length));
	err = u->io->ops->pwrite(u->io, record, length, u->end);
	if (!err)
		u->end += length;
	return err;
}

int
undo_keep(struct undo *u, uint64_t offset, const uint8_t *old, uint32_t length,
	  const uint8_t *replacement)
{
	uint8_t record[UNDO_RECORD_MAX];

	store_be64(record, offset);
	store_be32(record + 8, length);
	store_be32(record + 12, undo_crc(replacement, length));
	memcpy(record + UNDO_RECORD_HEAD, old, length);
	return append(u, record, UNDO_RECORD_HEAD + length);
}

int
undo_keep_size(struct undo *u, uint64_t new_size)
{
	uint8_t record[UNDO_RECORD_HEAD] = {0};

	store_be64(record, new_size);
	return append(u, record, UNDO_RECORD_HEAD);
}

int
undo_flush(struct undo *u)
{
	if (!u->io || mutant(UNDO_NOT_FLUSHED))
		return 0;
	return u->io->ops->flush(u->io);
}
