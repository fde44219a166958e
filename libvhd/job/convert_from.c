/* SPDX-License-Identifier: BSD-3-Clause */
/* convert_from.c - a plain disk of unknown length from a pipe into a new
 * image.
 *
 * A dynamic image is made for a disk of some size and grown as more arrives;
 * at the end it is cut to what came.  Fixed and raw files have their length
 * at the end anyway. */
#include <string.h>

#include "io/io_stream.h"
#include "job/convert.h"
#include "job/newfile.h"

#define FIRST_SIZE (UINT64_C(1) << 30)

struct intake {
	struct conversion conv;
	struct newfile nf;
	struct io *in;
	struct image *img; /* when dynamic */
	uint64_t bytes;    /* taken so far */
};

/* ---- Dynamic ----------------------------------------------------------- */

static int
begin_dynamic(struct intake *in)
{
	int err;

	in->conv.how.size = FIRST_SIZE;
	err = newfile_format(&in->nf, &in->conv.how);
	if (err)
		return err;
	return image_open(&in->img, TAKE(in->nf.io), IMAGE_WRITE);
}

static int
too_big(const struct intake *in)
{
	return fail(VHD_E_TOOBIG,
		    "%s: the input is longer than a dynamic disk can be "
		    "(2040 GiB)",
		    in->nf.path);
}

/* Make room for n more bytes. */
static int
grow(struct intake *in, size_t n)
{
	uint64_t size = in->img->size, need = in->bytes + n;

	if (need <= size)
		return 0;
	if (need > MAX_DISK_SIZE)
		return too_big(in);
	while (size < need)
		size *= 2;
	return image_resize(in->img, min_u64(size, MAX_DISK_SIZE), 0, NULL);
}

/* Nothing may tell that it was ever larger. */
static int
end_dynamic(struct intake *in)
{
	struct image *img = TAKE(in->img);
	struct error kept;
	int err = image_resize(img, in->conv.size, 0, NULL);

	if (!err) {
		img->footer.original_size = in->conv.size;
		err = image_write_footers(img);
	}
	if (!err)
		return image_close(img);
	error_save(&kept);
	(void)image_close(img);
	return error_restore(&kept);
}

/* ---- Taking in --------------------------------------------------------- */

static int
put(struct intake *in, const uint8_t *data, size_t len, uint64_t offset)
{
	if (in->img)
		return image_pwrite(in->img, data, len, offset);
	return in->nf.io->ops->pwrite(in->nf.io, data, len, offset);
}

/* The buffer ends in zeros up to a whole sector. */
static int
put_pieces(struct intake *in, size_t len)
{
	const uint8_t *buf = in->conv.buf;
	size_t at = 0, n;
	int err = 0;

	if (in->nf.io && in->nf.io->block_device)
		return put(in, buf, len, in->bytes);
	while (!err && next_data(buf, len, &at, &n)) {
		err = put(in, buf + at, n, in->bytes + at);
		at += n;
	}
	return err;
}

static int
take_chunk(struct intake *in, size_t n)
{
	size_t whole = (size_t)round_up(n, SECTOR_SIZE);
	int err = in->img ? grow(in, n) : 0;

	memset(in->conv.buf + n, 0, whole - n);
	if (!err)
		err = put_pieces(in, whole);
	in->bytes += n;
	return err ? err : job_step(&in->conv.job, n);
}

static int
take_all(struct intake *in)
{
	size_t n = COPY_BYTES;
	int err = 0;

	while (!err && n == COPY_BYTES) {
		err = stream_read(&n, in->in, in->conv.buf, COPY_BYTES);
		if (!err && n)
			err = take_chunk(in, n);
	}
	if (!err && !in->bytes)
		err = fail(VHD_E_INVALID, "%s: the input was empty",
			   in->nf.path);
	return err;
}

/* ---- The whole --------------------------------------------------------- */

static int
begin(struct intake *in)
{
	if (in->conv.type == VHD_TYPE_DYNAMIC)
		return begin_dynamic(in);
	return 0;
}

/* Up to the size of the result; the last sector taken in was whole. */
static int
end_data(struct intake *in)
{
	struct io *io = in->nf.io;
	uint64_t taken = round_up(in->bytes, SECTOR_SIZE);

	if (io->block_device)
		return io_write_zeros(io, taken, in->conv.size - taken);
	return io->ops->truncate(io, in->conv.size);
}

static int
end(struct intake *in)
{
	int err;

	in->conv.size = in->conv.how.size =
		round_up(conversion_size(&in->conv, in->bytes), SECTOR_SIZE);
	if (in->img)
		return end_dynamic(in);
	err = end_data(in);
	if (!err && in->conv.type == VHD_TYPE_FIXED)
		err = newfile_format(&in->nf, &in->conv.how);
	return err;
}

static int
take_in(struct intake *in)
{
	int err = job_phase(&in->conv.job, "copy", 0);

	if (!err)
		err = begin(in);
	if (!err)
		err = take_all(in);
	if (!err)
		err = end(in);
	if (in->img) {
		struct error kept;

		error_save(&kept);
		in->img->writable = false; /* there is nothing to flush for */
		(void)image_close(in->img);
		(void)error_restore(&kept);
	}
	return err;
}

static int
convert_into(struct intake *in, const struct fs *fs, const char *path)
{
	bool force = in->conv.opts->flags & VHD_CONVERT_FORCE;
	struct vhd_plan plan = VHD_PLAN_INIT;
	bool device;
	int err = newfile_room(&plan.free, &device, fs, path, force);

	plan.fits = true; /* until it does not */
	if (!err)
		err = job_plan(&in->conv.job, path, &plan);
	if (err || job_dry_run(&in->conv.job))
		return err;
	err = newfile_begin(&in->nf, fs, path, force);
	if (err)
		return err;
	return newfile_end(&in->nf, take_in(in));
}

int
job_convert_from_fd(const struct fs *fs, int fd, const char *path,
		    const struct vhd_convert_opts *opts)
{
	struct intake in = {0};
	int err;

	if (opts->flags & VHD_CONVERT_GZIP)
		return fail(VHD_E_UNSUPPORTED,
			    "%s: what comes out of a pipe cannot be "
			    "compressed on the way; convert it first, or use "
			    "gzip(1)",
			    path);
	err = conversion_begin(&in.conv, NULL, opts, path);
	if (err)
		return err;
	err = stream_new(&in.in, fd, "input");
	if (!err)
		err = convert_into(&in, fs, path);
	if (!err)
		job_finish(&in.conv.job);
	(void)io_close(in.in);
	conversion_end(&in.conv);
	return err;
}
