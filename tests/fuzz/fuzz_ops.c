/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_ops.c - any file as a disk, and any sequence of requests to it.
 *
 * A disk that was accepted for writing returns what was written to it, to the
 * byte, whatever else the file holds; and it is accepted again when it was
 * closed. */
#include <string.h>

#include "fuzz_disk.h"

const unsigned fuzz_parts = 2, fuzz_images = 1;

#define MAX_OPS 48
#define PATH    "/disk.vhd"

/* A disk and what it must read as. */
struct session {
	struct fs *fs;
	struct chain *c;
	struct window w;
	uint8_t model[LOOK_BYTES];
	uint8_t seen[LOOK_BYTES];
};

/* One request, eight bytes of the input. */
struct op {
	uint8_t kind, fill;
	size_t offset, length; /* within the window */
};

static struct op
op_load(const uint8_t b[static 8], struct window w)
{
	size_t where = (size_t)b[2] << 16 | (size_t)b[3] << 8 | b[4];
	size_t many = (size_t)(b[5] & 0x0f) << 16 | (size_t)b[6] << 8 | b[7];
	struct op op = {.kind = b[0], .fill = b[1]};

	if (b[5] & 0x80) { /* whole sectors */
		where *= SECTOR_SIZE;
		many *= SECTOR_SIZE;
	}
	op.offset = where % (w.length + 1);
	op.length = many % (w.length - op.offset + 1);
	return op;
}

static bool
reopen(struct session *s)
{
	s->c = disk_open(s->fs, PATH,
			 VHD_OPEN_RDWR | VHD_OPEN_NOPARENT |
				 VHD_OPEN_CHILDREN_OK);
	return s->c != NULL;
}

static void
check_range(struct session *s, size_t offset, size_t length)
{
	CHECK(chain_pread(s->c, s->seen, length, s->w.offset + offset) == 0);
	CHECK(memcmp(s->seen, s->model + offset, length) == 0);
}

/* Each byte is zero or what it was, and stays so. */
static void
discard(struct session *s, const struct op *op)
{
	uint8_t *was = s->model + op->offset;

	CHECK(chain_discard(s->c, s->w.offset + op->offset, op->length, 0) ==
	      0);
	CHECK(chain_pread(s->c, s->seen, op->length,
			  s->w.offset + op->offset) == 0);
	for (size_t i = 0; i < op->length; i++)
		CHECK(s->seen[i] == 0 || s->seen[i] == was[i]);
	memcpy(was, s->seen, op->length);
}

static void
zero(struct session *s, const struct op *op, uint32_t flags)
{
	int err = chain_zero(s->c, s->w.offset + op->offset, op->length, flags);

	CHECK(err == 0 || ((flags & VHD_IO_FAST) && err == VHD_E_UNSUPPORTED));
	if (!err)
		memset(s->model + op->offset, 0, op->length);
}

static void
write_fill(struct session *s, const struct op *op, uint32_t flags)
{
	memset(s->model + op->offset, op->fill, op->length);
	for (size_t i = 0; i < op->length; i += 61)
		s->model[op->offset + i] ^= (uint8_t)(i / 61);
	CHECK(chain_pwrite(s->c, s->model + op->offset, op->length,
			   s->w.offset + op->offset, flags) == 0);
}

static void
perform(struct session *s, const struct op *op)
{
	switch (op->kind % 8) {
	case 0:
	case 1:
		write_fill(s, op, 0);
		break;
	case 2:
		write_fill(s, op, VHD_IO_FUA);
		break;
	case 3:
		zero(s, op,
		     op->fill & (VHD_IO_FUA | VHD_IO_FAST | VHD_IO_MAY_TRIM));
		break;
	case 4:
		discard(s, op);
		break;
	case 5:
		CHECK(chain_flush(s->c) == 0);
		break;
	case 6:
		CHECK(chain_close(s->c) == 0);
		CHECK(reopen(s));
		break;
	default:
		check_range(s, op->offset, op->length);
	}
}

static void
run(struct session *s, struct part ops)
{
	s->w = disk_window(s->c->size, ops.size && ops.data[0] & 1);
	if (!s->w.length ||
	    chain_pread(s->c, s->model, s->w.length, s->w.offset) != 0) {
		(void)chain_close(s->c);
		return;
	}
	for (size_t i = 0; i < MAX_OPS && ops.size >= 8 * (i + 1) + 1; i++) {
		struct op op = op_load(ops.data + 1 + 8 * i, s->w);

		perform(s, &op);
	}
	check_range(s, 0, s->w.length);
	CHECK(chain_close(s->c) == 0);
	CHECK(reopen(s));
	check_range(s, 0, s->w.length);
	CHECK(chain_close(s->c) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session s;
	struct part parts[MAX_PARTS];

	fuzz_split(parts, fuzz_parts, data, size);
	s.fs = disk_fs();
	disk_put(s.fs, PATH, parts[1]);
	if (reopen(&s))
		run(&s, parts[0]);
	mem_fs_free(s.fs);
	return 0;
}
