/* SPDX-License-Identifier: BSD-3-Clause */
/* newfile.c - a file that appears under its name when it is complete.
 *
 * It is written under a name of its own, flushed, and then linked (which fails
 * if somebody took the name meanwhile) or, to replace a file, renamed; the
 * directory is flushed last.  A crash leaves at most a file *.partial, which
 * no search looks at. */
#include "job/newfile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/family.h"
#include "image/mutant.h"

static void
release(struct newfile *nf)
{
	free(nf->path);
	free(nf->temp);
	if (nf->old)
		(void)io_close(nf->old);
	if (nf->mine)
		(void)io_close(nf->mine);
}

static int
temporary_name(char **ret, const char *path)
{
	AUTO_FREE char *dir = path_directory(path);
	char name[UUID_TEXT_SIZE + 16] = ".vhd-";
	uint8_t random[16];

	uuid_make(random);
	uuid_text(name + 5, random);
	strcat(name, PARTIAL_SUFFIX);
	*ret = dir ? path_join(dir, name) : NULL;
	return *ret ? 0 : fail_nomem();
}

static int
hold(struct io **ret, const struct fs *fs, const char *path)
{
	int err = fs->ops->open(ret, fs, path, 0);

	if (err)
		return err;
	err = (*ret)->ops->lock(*ret, IO_LOCK_WRITE);
	return err == VHD_E_UNSUPPORTED ? 0 : err;
}

static int
begin_device(struct newfile *nf)
{
	int err = nf->fs->ops->open(&nf->io, nf->fs, nf->path, FS_OPEN_WRITE);

	if (!err)
		err = nf->io->ops->lock(nf->io, IO_LOCK_WRITE);
	if (!err || err == VHD_E_UNSUPPORTED)
		err = nf->io->ops->size(&nf->room, nf->io);
	return err;
}

static int
rename_messages(struct newfile *nf)
{
	char *name = strdup(nf->path);

	if (!name)
		return fail_nomem();
	free(nf->io->name);
	nf->io->name = name;
	return 0;
}

/* Messages speak of the file as its user knows it. */
static int
open_temp(struct newfile *nf)
{
	int err = nf->fs->ops->open(&nf->io, nf->fs, nf->temp,
				    FS_OPEN_WRITE | FS_OPEN_CREATE);

	if (!err)
		return rename_messages(nf);
	return error_sys()
		       ? fail_sys(error_sys(), "%s: cannot create", nf->path)
		       : err;
}

static int
begin_file(struct newfile *nf, bool replace)
{
	/* Whoever has the old file open would go on with one that has no name;
	 * and a new one that nobody holds was left behind by a crash, to those
	 * who come by. */
	int err = replace ? hold(&nf->old, nf->fs, nf->path) : 0;

	if (!err)
		err = temporary_name(&nf->temp, nf->path);
	if (!err)
		err = open_temp(nf);
	if (!err)
		err = hold(&nf->mine, nf->fs, nf->temp);
	if (!err && replace) /* before it is written to: times are set too */
		err = nf->fs->ops->copy_attributes(nf->fs, nf->path, nf->temp);
	return err;
}

/* May what is there be replaced? */
static int
check_old(const struct fs_stat *st, const char *path, bool force)
{
	if (st->block_device)
		return 0;
	if (!st->regular)
		return fail(VHD_E_INVALID,
			    "%s: neither a regular file nor a block device",
			    path);
	if (!force)
		return fail(VHD_E_EXISTS,
			    "%s: exists already; choose another name, or "
			    "replace it with --force",
			    path);
	return 0;
}

int
newfile_room(uint64_t *ret, bool *ret_device, const struct fs *fs,
	     const char *path, bool force)
{
	AUTO(io_close) struct io *io = NULL;
	struct fs_stat st = {.regular = true};
	int err = fs->ops->stat(&st, fs, path);

	if (!err)
		err = check_old(&st, path, force);
	if (err && err != VHD_E_NOTFOUND)
		return err;
	if (!st.block_device)
		err = fs->ops->free_space(ret, fs, path);
	else
		err = fs->ops->open(&io, fs, path, 0);
	if (!err && io)
		err = io->ops->size(ret, io);
	if (!err)
		*ret_device = st.block_device;
	return err;
}

static int
begin(struct newfile *nf, const char *path, bool force)
{
	struct fs_stat st;
	int err = nf->fs->ops->stat(&st, nf->fs, path);

	if (err == VHD_E_NOTFOUND) {
		nf->path = strdup(path);
		return nf->path ? begin_file(nf, false) : fail_nomem();
	}
	if (!err)
		err = check_old(&st, path, force);
	if (!err)
		err = nf->fs->ops->resolve(&nf->path, nf->fs, path);
	if (err)
		return err;
	return st.block_device ? begin_device(nf) : begin_file(nf, true);
}

int
newfile_begin(struct newfile *ret, const struct fs *fs, const char *path,
	      bool force)
{
	struct newfile nf = {.fs = fs, .room = UINT64_MAX};
	int err = begin(&nf, path, force);

	if (err)
		return newfile_end(&nf, err);
	*ret = nf;
	return 0;
}

/* ---- Devices ----------------------------------------------------------- */

/* The footer of an image on a device is in its last sector (format 4.4),
 * wherever the layout of a file has it. */
static int
place_footer(struct newfile *nf, uint64_t from)
{
	uint64_t last = nf->room - FOOTER_SIZE;
	uint8_t footer[FOOTER_SIZE];
	int err;

	if (from == last)
		return 0;
	err = nf->io->ops->pread(nf->io, footer, FOOTER_SIZE, from);
	if (!err)
		err = nf->io->ops->pwrite(nf->io, footer, FOOTER_SIZE, last);
	return err ? err : io_write_zeros(nf->io, from, FOOTER_SIZE);
}

/* A sentence with numbers, instead of a failure half-way.  A fixed disk is a
 * hole. */
static int
check_space(const struct newfile *nf, const struct image_create *how,
	    uint64_t need)
{
	uint64_t room;
	int err;

	if (nf->io->block_device || how->type == VHD_TYPE_FIXED)
		return 0;
	err = nf->fs->ops->free_space(&room, nf->fs, nf->temp);
	if (err || need <= room)
		return err;
	return fail(VHD_E_NOSPACE,
		    "%s: the new file needs %" PRIu64 " bytes, and %" PRIu64
		    " are free; nothing was changed",
		    nf->path, need, room);
}

int
newfile_format(struct newfile *nf, const struct image_create *how)
{
	uint64_t need = image_length_for(
		how->type, how->size,
		how->block_size ? how->block_size : 2u << 20, 0);
	int err;

	if (need > nf->room)
		return fail(VHD_E_NOSPACE,
			    "%s: the device has %" PRIu64 " bytes, and %" PRIu64
			    " are needed",
			    nf->path, nf->room, need);
	err = check_space(nf, how, need);
	if (!err)
		err = image_format(nf->io, how);
	if (!err && nf->io->block_device)
		err = place_footer(nf, need - FOOTER_SIZE);
	return err;
}

/* ---- The end ----------------------------------------------------------- */

/* Where the file system has no links, there is a moment in which somebody
 * else could take the name. */
static int
rename_to_free(struct newfile *nf)
{
	struct fs_stat st;

	if (!nf->fs->ops->stat(&st, nf->fs, nf->path))
		return fail(VHD_E_EXISTS, "%s: exists already", nf->path);
	return nf->fs->ops->rename(nf->fs, nf->temp, nf->path);
}

/* A new name that cannot be made to stay is taken back. */
static int
keep_name(struct newfile *nf, bool linked)
{
	struct error kept;
	int err = linked ? nf->fs->ops->unlink(nf->fs, nf->temp) : 0;

	if (!err && !mutant(NEW_NAME_NOT_SYNCED))
		err = nf->fs->ops->sync_dir(nf->fs, nf->path);
	if (!err)
		return 0;
	error_save(&kept);
	(void)nf->fs->ops->unlink(nf->fs, nf->path);
	return error_restore(&kept);
}

static int
give_name(struct newfile *nf)
{
	int err;

	if (nf->old) {
		err = nf->fs->ops->rename(nf->fs, nf->temp, nf->path);
		return err ? err : nf->fs->ops->sync_dir(nf->fs, nf->path);
	}
	err = nf->fs->ops->link(nf->fs, nf->temp, nf->path);
	if (err != VHD_E_UNSUPPORTED)
		return err ? err : keep_name(nf, true);
	err = rename_to_free(nf);
	return err ? err : keep_name(nf, false);
}

static int
finish(struct newfile *nf)
{
	int err = nf->io && !mutant(FILE_NOT_FLUSHED)
			  ? nf->io->ops->flush(nf->io)
			  : 0;

	if (!err && nf->io)
		err = io_close(TAKE(nf->io));
	if (err || !nf->temp)
		return err;
	return give_name(nf);
}

static void
discard(struct newfile *nf)
{
	if (nf->io)
		(void)io_close(nf->io);
	if (nf->temp)
		(void)nf->fs->ops->unlink(nf->fs, nf->temp);
}

int
newfile_end(struct newfile *nf, int err)
{
	struct error kept;

	if (!err)
		err = finish(nf);
	if (err) {
		error_save(&kept);
		discard(nf);
		(void)error_restore(&kept);
	}
	release(nf);
	return err;
}
