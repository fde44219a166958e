/* SPDX-License-Identifier: BSD-3-Clause */
/* convert_stream.c - copy what the guest sees to a pipe, front to back.
 *
 * The table of a dynamic image comes before its data, so that the source is
 * read twice: once to see which blocks hold anything, once to send them. */
#include <string.h>

#include "base/bits.h"
#include "io/io_gzip.h"
#include "io/io_stream.h"
#include "job/convert.h"

/* ---- Dynamic ----------------------------------------------------------- */

/* One block, with zeros past the end of the source. */
static int
send_block(struct conversion *conv, struct image_stream *s, uint8_t *block,
	   uint32_t number)
{
	uint64_t offset = (uint64_t)number * s->block_size;
	size_t n = (size_t)min_u64(s->block_size, conv->src_size - offset);
	int err = chain_pread(conv->src, block, n, offset);

	memset(block + n, 0, s->block_size - n);
	if (!err)
		err = image_stream_block(s, number, block);
	return err ? err : job_step(&conv->job, n);
}

static int
send_blocks(struct conversion *conv, struct image_stream *s,
	    const uint8_t *bits, uint32_t blocks)
{
	AUTO_FREE uint8_t *block = malloc(s->block_size);
	int err = block ? 0 : fail_nomem();

	for (uint32_t b = 0; !err && b < blocks; b++)
		if (bit_get(bits, b))
			err = send_block(conv, s, block, b);
	return err;
}

static int
stream_dynamic(struct conversion *conv, struct io *to)
{
	uint32_t size = conv->how.block_size;
	uint64_t blocks = ceil_div(conv->size, size);
	AUTO_FREE uint8_t *bits = calloc(1, (size_t)(blocks / 8 + 1));
	struct touched quick = {.size = size}, touched = {.size = size};
	struct image_stream s;
	uint64_t bytes;
	int err = bits ? 0 : fail_nomem();

	if (!err)
		err = runs_count(&bytes, &quick, conv->src);
	if (!err)
		err = conversion_survey(conv, bits, &touched, bytes);
	if (!err)
		err = image_stream_begin(&s, to, &conv->how, bits);
	if (!err)
		err = job_phase(&conv->job, "copy", touched.count * size);
	if (!err)
		err = send_blocks(conv, &s, bits, (uint32_t)blocks);
	return err ? err : image_stream_end(&s);
}

/* ---- Fixed and raw ----------------------------------------------------- */

struct flat {
	struct conversion *conv;
	struct io *to;
	uint64_t position;
};

static int
send_zeros_until(struct flat *f, uint64_t position)
{
	static const uint8_t zeros[64 << 10];
	int err = 0;

	while (!err && f->position < position) {
		size_t n =
			(size_t)min_u64(position - f->position, sizeof(zeros));

		err = f->to->ops->pwrite(f->to, zeros, n, f->position);
		f->position += n;
		if (!err)
			err = job_step(&f->conv->job, 0);
	}
	return err;
}

static int
send_piece(const void *data, size_t len, uint64_t offset, void *user)
{
	struct flat *f = user;
	int err = send_zeros_until(f, offset);

	if (!err)
		err = f->to->ops->pwrite(f->to, data, len, offset);
	f->position = offset + len;
	return err;
}

static int
stream_flat(struct conversion *conv, struct io *to)
{
	struct flat f = {.conv = conv, .to = to};
	struct touched t = {.size = GRAIN};
	struct image_stream s = {0};
	uint64_t bytes;
	int err = runs_count(&bytes, &t, conv->src);

	/* Of a fixed disk nothing comes before the data. */
	if (!err && conv->type == VHD_TYPE_FIXED)
		err = image_stream_begin(&s, to, &conv->how, NULL);
	if (!err)
		err = job_phase(&conv->job, "copy", bytes);
	if (!err)
		err = conversion_walk(conv, send_piece, &f);
	if (!err)
		err = send_zeros_until(&f, conv->size);
	if (err)
		return err;
	s.position = f.position;
	return conv->type == VHD_TYPE_FIXED ? image_stream_end(&s)
					    : to->ops->flush(to);
}

int
conversion_stream(struct conversion *conv, struct io *to)
{
	return conv->type == VHD_TYPE_DYNAMIC ? stream_dynamic(conv, to)
					      : stream_flat(conv, to);
}

/* ---- To a pipe --------------------------------------------------------- */

static int
stream_to(struct conversion *conv, struct io *out)
{
	AUTO(io_close) struct io *gzip = NULL;
	int err;

	if (!(conv->opts->flags & VHD_CONVERT_GZIP))
		return conversion_stream(conv, out);
	err = gzip_new(&gzip, out);
	return err ? err : conversion_stream(conv, gzip);
}

int
job_convert_to_fd(struct chain *src, int fd,
		  const struct vhd_convert_opts *opts)
{
	AUTO(io_close) struct io *out = NULL;
	struct vhd_plan plan = VHD_PLAN_INIT;
	struct touched t = {.size = GRAIN};
	struct conversion conv;
	int err = stream_new(&out, fd, "output");

	if (!err)
		err = conversion_begin(&conv, src, opts, "output");
	if (err)
		return err;
	plan.fits = true;
	err = runs_count(&plan.bytes_to_copy, &t, src);
	if (!err)
		err = job_plan(&conv.job, "output", &plan);
	if (!err && !job_dry_run(&conv.job))
		err = stream_to(&conv, out);
	if (!err)
		job_finish(&conv.job);
	conversion_end(&conv);
	return err;
}
