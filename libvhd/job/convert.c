/* SPDX-License-Identifier: BSD-3-Clause */
/* convert.c - copy what the guest sees into a new file.
 *
 * What the source knows to be zero is not read, and zeros that are read are
 * not written, so that holes stay holes; on a device, which has something in
 * every place, they are.  The new file appears when it is complete. */
#include "job/convert.h"

#include <string.h>
#include <time.h>

#include "io/io_gzip.h"
#include "job/newfile.h"

#define MIB                UINT64_C(1048576)
#define BLOCK_SIZE_DEFAULT (2u << 20)

/* ---- What was asked for ------------------------------------------------ */

uint64_t
conversion_size(const struct conversion *conv, uint64_t bytes)
{
	if (conv->opts->flags & VHD_CONVERT_AZURE)
		return round_up(bytes, MIB);
	if (conv->type == VHD_TYPE_RAW)
		return bytes;
	return round_up(bytes, SECTOR_SIZE);
}

static int
check_options(const struct vhd_convert_opts *opts, enum vhd_type type,
	      const char *target)
{
	if (type < VHD_TYPE_RAW || type > VHD_TYPE_DYNAMIC)
		return fail(VHD_E_INVALID,
			    "%s: the result of a conversion is fixed, dynamic "
			    "or raw, not type %d",
			    target, (int)type);
	if ((opts->flags & VHD_CONVERT_AZURE) && type != VHD_TYPE_FIXED)
		return fail(VHD_E_INVALID, "%s: Azure takes fixed disks only",
			    target);
	return 0;
}

static enum vhd_type
type_wanted(const struct vhd_convert_opts *opts)
{
	if (opts->type)
		return opts->type;
	return opts->flags & VHD_CONVERT_AZURE ? VHD_TYPE_FIXED
					       : VHD_TYPE_DYNAMIC;
}

int
conversion_begin(struct conversion *ret, struct chain *src,
		 const struct vhd_convert_opts *opts, const char *target)
{
	struct conversion conv = {
		.src = src, .opts = opts, .type = type_wanted(opts)};
	struct footer footer;
	uint32_t block_size;
	int err = check_options(opts, conv.type, target);

	if (err)
		return err;
	conv.buf = malloc(COPY_BYTES);
	if (!conv.buf)
		return fail_nomem();
	conv.src_size = src ? src->size : 0;
	conv.size = conversion_size(&conv, conv.src_size);
	conv.how = (struct image_create){
		.type = conv.type,
		.size = conv.size,
		.block_size = opts->block_size ? opts->block_size
					       : BLOCK_SIZE_DEFAULT,
		.uuid = opts->uuid,
		.created = opts->created ? opts->created : time(NULL),
		.creator = opts->creator};
	job_start(&conv.job, opts->job);
	err = src && conv.type != VHD_TYPE_RAW
		      ? image_create_footer(&footer, &block_size, target,
					    &conv.how)
		      : 0;
	if (err)
		conversion_end(&conv);
	else
		*ret = conv;
	return err;
}

void
conversion_end(struct conversion *conv)
{
	free(conv->buf);
}

/* ---- Reading ----------------------------------------------------------- */

static int
put_pieces(struct conversion *conv, size_t len, uint64_t offset,
	   conversion_put_fn put, void *user)
{
	size_t at = 0, n;
	int err = 0;

	while (!err && next_data(conv->buf, len, &at, &n)) {
		err = put(conv->buf + at, n, offset + at, user);
		at += n;
	}
	return err;
}

static int
walk_run(struct conversion *conv, const struct vhd_extent *run,
	 conversion_put_fn put, void *user)
{
	uint64_t at = run->offset, end = run->offset + run->length;
	int err = 0;

	while (!err && at < end) {
		size_t n =
			(size_t)min_u64(end - at, COPY_BYTES - at % COPY_BYTES);

		err = chain_pread(conv->src, conv->buf, n, at);
		if (!err)
			err = put_pieces(conv, n, at, put, user);
		if (!err)
			err = job_step(&conv->job, n);
		at += n;
	}
	return err;
}

int
conversion_walk(struct conversion *conv, conversion_put_fn put, void *user)
{
	uint64_t size = conv->src_size;
	struct vhd_extent run;
	int err = 0;

	for (uint64_t at = 0; !err && at < size; at += run.length) {
		err = run_at(&run, conv->src, at);
		if (!err && !run_is_zero(&run))
			err = walk_run(conv, &run, put, user);
	}
	return err;
}

struct survey {
	uint8_t *bits;
	struct touched *touched;
};

static int
note_piece(const void *data, size_t len, uint64_t offset, void *user)
{
	struct survey *s = user;
	uint64_t first = offset / s->touched->size;
	uint64_t last = (offset + len - 1) / s->touched->size;

	(void)data;
	touch(s->touched, offset, len);
	for (uint64_t b = first; s->bits && b <= last; b++)
		s->bits[b >> 3] |= (uint8_t)(0x80 >> (b & 7));
	return 0;
}

int
conversion_survey(struct conversion *conv, uint8_t *bits, struct touched *t,
		  uint64_t bytes)
{
	struct survey survey = {.bits = bits, .touched = t};
	int err = job_phase(&conv->job, "survey", bytes);

	return err ? err : conversion_walk(conv, note_piece, &survey);
}

/* ---- The plan ---------------------------------------------------------- */

static uint64_t
length_of(const struct conversion *conv, const struct touched *t, bool device)
{
	uint64_t tail = conv->type == VHD_TYPE_FIXED ? FOOTER_SIZE : 0;

	if (conv->type == VHD_TYPE_DYNAMIC)
		return image_length_for(conv->type, conv->size,
					conv->how.block_size, t->count);
	if (device)
		return conv->size + tail;
	return min_u64(conv->size, t->count * t->size) + tail;
}

static void
fill_plan(struct vhd_plan *plan, const struct conversion *conv,
	  const struct touched *t, bool device)
{
	plan->final_size = length_of(conv, t, device);
	plan->peak_extra = plan->final_size;
	plan->fits = plan->final_size <= plan->free;
}

/* Only a look at the data tells how much of it is zero; it is taken when the
 * answer depends on it. */
static int
make_plan(struct conversion *conv, const struct fs *fs, const char *path,
	  bool force)
{
	uint32_t grain =
		conv->type == VHD_TYPE_DYNAMIC ? conv->how.block_size : GRAIN;
	struct touched quick = {.size = grain}, exact = {.size = grain};
	struct vhd_plan plan = VHD_PLAN_INIT;
	bool device;
	int err = newfile_room(&plan.free, &device, fs, path, force);

	if (!err)
		err = runs_count(&plan.bytes_to_copy, &quick, conv->src);
	if (err)
		return err;
	fill_plan(&plan, conv, &quick, device);
	if (!plan.fits && !job_dry_run(&conv->job)) {
		err = conversion_survey(conv, NULL, &exact, plan.bytes_to_copy);
		if (err)
			return err;
		fill_plan(&plan, conv, &exact, device);
	}
	if (conv->opts->flags & VHD_CONVERT_GZIP)
		plan.fits = true; /* who knows */
	err = job_plan(&conv->job, path, &plan);
	if (err || job_dry_run(&conv->job))
		return err;
	return job_phase(&conv->job, "copy", plan.bytes_to_copy);
}

/* ---- Writing ----------------------------------------------------------- */

static int
put_raw(const void *data, size_t len, uint64_t offset, void *user)
{
	struct io *io = user;

	return io->ops->pwrite(io, data, len, offset);
}

static int
put_packed(const void *data, size_t len, uint64_t offset, void *user)
{
	return image_pack_data(user, data, len, offset);
}

static int
write_packed(struct conversion *conv, struct newfile *nf)
{
	struct image_pack pack;
	int err = image_pack_begin(&pack, nf->io, &conv->how);

	if (err)
		return err;
	err = conversion_walk(conv, put_packed, &pack);
	if (!err)
		err = image_pack_end(&pack);
	image_pack_free(&pack);
	return err;
}

/* Sectors are whole in an image; the last of a plain disk may not be. */
static int
put_image(const void *data, size_t len, uint64_t offset, void *user)
{
	size_t whole = (size_t)round_down(len, SECTOR_SIZE);
	uint8_t sector[SECTOR_SIZE] = {0};
	int err = whole ? image_pwrite(user, data, whole, offset) : 0;

	if (err || whole == len)
		return err;
	memcpy(sector, (const uint8_t *)data + whole, len - whole);
	return image_pwrite(user, sector, SECTOR_SIZE, offset + whole);
}

/* On a device, which is not zero to begin with.  Gives the store of nf to the
 * image. */
static int
write_dynamic_device(struct conversion *conv, struct newfile *nf)
{
	struct error kept;
	struct image *img;
	int err = newfile_format(nf, &conv->how);

	if (!err)
		err = image_open(&img, TAKE(nf->io), IMAGE_WRITE);
	if (err)
		return err;
	err = conversion_walk(conv, put_image, img);
	if (!err)
		return image_close(img);
	error_save(&kept);
	img->writable = false; /* there is nothing to flush for */
	(void)image_close(img);
	return error_restore(&kept);
}

/* A device has something in every place, so that zeros must be written. */
struct device {
	struct io *io;
	uint64_t position; /* written up to here */
};

static int
put_device(const void *data, size_t len, uint64_t offset, void *user)
{
	struct device *d = user;
	int err = io_write_zeros(d->io, d->position, offset - d->position);

	d->position = offset + len;
	return err || !len ? err : d->io->ops->pwrite(d->io, data, len, offset);
}

static int
write_device(struct conversion *conv, struct newfile *nf)
{
	struct device d = {.io = nf->io};
	int err = conversion_walk(conv, put_device, &d);

	return err ? err : put_device(NULL, 0, conv->size, &d);
}

static int
write_flat(struct conversion *conv, struct newfile *nf)
{
	int err = 0;

	if (conv->type == VHD_TYPE_FIXED)
		err = newfile_format(nf, &conv->how);
	else if (!nf->io->block_device)
		err = nf->io->ops->truncate(nf->io, conv->size);
	if (err)
		return err;
	if (nf->io->block_device)
		return write_device(conv, nf);
	return conversion_walk(conv, put_raw, nf->io);
}

static int
write_gzip(struct conversion *conv, struct newfile *nf)
{
	AUTO(io_close) struct io *gzip = NULL;
	int err = gzip_new(&gzip, nf->io);

	return err ? err : conversion_stream(conv, gzip);
}

static int
write_result(struct conversion *conv, struct newfile *nf)
{
	if (conv->opts->flags & VHD_CONVERT_GZIP)
		return write_gzip(conv, nf);
	if (conv->type != VHD_TYPE_DYNAMIC)
		return write_flat(conv, nf);
	return nf->io->block_device ? write_dynamic_device(conv, nf)
				    : write_packed(conv, nf);
}

static int
convert_file(struct conversion *conv, const struct fs *fs, const char *path,
	     bool force)
{
	struct newfile nf;
	int err = newfile_begin(&nf, fs, path, force);

	if (err)
		return err;
	return newfile_end(&nf, write_result(conv, &nf));
}

int
job_convert(struct chain *src, const struct fs *fs, const char *path,
	    const struct vhd_convert_opts *opts)
{
	bool force = opts->flags & VHD_CONVERT_FORCE;
	struct conversion conv;
	int err = conversion_begin(&conv, src, opts, path);

	if (err)
		return err;
	err = make_plan(&conv, fs, path, force);
	if (!err && !job_dry_run(&conv.job))
		err = convert_file(&conv, fs, path, force);
	if (!err)
		job_finish(&conv.job);
	conversion_end(&conv);
	return err;
}
