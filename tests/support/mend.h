/* SPDX-License-Identifier: BSD-3-Clause */
/* mend.h - repair what damages.h has made, and take that back. */
#ifndef VHD_TEST_MEND_H
#define VHD_TEST_MEND_H
#include "damages.h"
#include "look.h"

#define DISK "disk.vhd"
#define UNDO "disk.undo"

static inline struct fs *
put_damaged(const struct damage *damage, struct hand *h)
{
	struct fs *fs;

	assert_int_equal(mem_fs_new(&fs), 0);
	damage->make(h);
	hand_put(h, fs, DISK);
	return fs;
}

static inline bool
holds(const struct fs *fs, const struct hand *h)
{
	struct mem_data *data;
	uint8_t *bytes;
	bool equal;

	assert_int_equal(
		mem_fs_get_data(&data, (struct fs *)(uintptr_t)fs, DISK), 0);
	equal = mem_data_size(data) == h->length;
	if (equal) {
		bytes = malloc(h->length);
		mem_data_read(data, bytes, h->length, 0);
		equal = !memcmp(bytes, h->bytes, h->length);
		free(bytes);
	}
	mem_data_free(data);
	return equal;
}

static inline int
repair(bool *ret_changed, const struct fs *fs, const char *undo_path)
{
	struct undo *undo = NULL;
	struct io *io = NULL;
	uint8_t uuid[16];
	uint64_t size;
	int err = fs->ops->open(&io, fs, DISK, FS_OPEN_WRITE);

	if (!err)
		err = io->ops->size(&size, io);
	memset(uuid, 'u', 16);
	if (!err && undo_path)
		err = undo_new(&undo, fs, undo_path, uuid, size);
	if (!err)
		err = repair_io(ret_changed, io, undo);
	undo_free(undo);
	if (io_close(io) && !err)
		err = VHD_E_IO;
	return err;
}

static inline int
put_back(const struct fs *fs)
{
	struct io *io = NULL, *undo = NULL;
	int err = fs->ops->open(&io, fs, DISK, FS_OPEN_WRITE);

	if (!err)
		err = fs->ops->open(&undo, fs, UNDO, 0);
	if (!err)
		err = undo_apply(io, undo);
	(void)io_close(undo);
	(void)io_close(io);
	return err;
}

static inline void
each_damage(void (*test)(const struct damage *damage, struct fs *fs,
			 struct hand *h))
{
	for (size_t i = 0; i < NDAMAGES; i++) {
		struct hand h;
		struct fs *fs = put_damaged(&damages[i], &h);

		test(&damages[i], fs, &h);
		hand_free(&h);
		mem_fs_free(fs);
	}
}
#endif
