/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_check.c - any file examined, repaired, examined again and put back.
 *
 * An examination changes nothing, and what it finds sound can be opened, for
 * writing too.  A repair leaves what the guest reads, leaves nothing for a
 * second one, and can be undone to the byte. */
#include <string.h>

#include "fuzz_disk.h"
#include "job/check.h"

const unsigned fuzz_parts = 1, fuzz_images = 1;

#define PATH "/disk.vhd"
#define UNDO "/undo"

struct verdict {
	struct vhd_check_result result;
	uint64_t told[VHD_FATAL + 1];
	uint64_t repaired;
	bool read_only; /* V08, V09, V88: usable, but not written to as it is */
};

static int
count_finding(const struct vhd_finding *f, void *user)
{
	struct verdict *v = user;

	CHECK(f->path && f->code && f->code[0] == 'V' && f->message[0]);
	CHECK(f->severity <= VHD_FATAL);
	CHECK(!f->repaired || f->repairable);
	v->told[f->severity]++;
	v->repaired += f->repaired;
	if (getenv("FUZZ_VERBOSE"))
		fprintf(stderr, "%s %d %d%s %s\n", f->code, (int)f->severity,
			f->repairable, f->repaired ? " repaired" : "",
			f->message);
	v->read_only |= !strcmp(f->code, "V08") || !strcmp(f->code, "V09") ||
			!strcmp(f->code, "V88");
	return 0;
}

static bool
examine(struct verdict *ret, struct fs *fs, uint32_t flags, const char *undo)
{
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;

	memset(ret, 0, sizeof(*ret));
	opts.flags = flags;
	opts.undo = undo;
	opts.found = count_finding;
	opts.found_user = ret;
	return job_check(&ret->result, fs, PATH, &opts) == 0;
}

/* What the guest sees, or false. */
static bool
content(uint8_t *ret, uint64_t *ret_size, struct fs *fs)
{
	struct chain *c = disk_open(fs, PATH, VHD_OPEN_NOPARENT);
	struct window w;
	bool ok;

	if (!c)
		return false;
	*ret_size = c->size;
	w = disk_window(c->size, false);
	memset(ret, 0, LOOK_BYTES);
	ok = chain_pread(c, ret, w.length, w.offset) == 0;
	CHECK(chain_close(c) == 0);
	return ok;
}

static void
check_verdict(const struct verdict *v, struct fs *fs)
{
	struct chain *c = disk_open(fs, PATH, VHD_OPEN_NOPARENT);

	CHECK((v->result.errors == 0) ==
	      (v->told[VHD_ERROR] + v->told[VHD_FATAL] == 0));
	CHECK(c || v->result.errors > 0);
	CHECK(!c || v->told[VHD_FATAL] == 0);
	CHECK(chain_close(c) == 0);
}

/* On a copy, because closing may tidy the end of the file. */
static void
check_writable(struct fs *fs)
{
	struct chain *c;

	disk_copy(fs, PATH, "/kept");
	c = disk_open(fs, PATH,
		      VHD_OPEN_RDWR | VHD_OPEN_NOPARENT | VHD_OPEN_CHILDREN_OK);
	CHECK(c);
	CHECK(chain_close(c) == 0);
	disk_copy(fs, "/kept", PATH);
}

/* One repair may make room for the next, but not for ever; and a repair that
 * repairs nothing changes nothing. */
static void
repair_all(struct fs *fs)
{
	struct verdict v;

	for (int i = 0; i < 4; i++) {
		disk_copy(fs, PATH, "/repaired");
		CHECK(examine(&v, fs, VHD_CHECK_REPAIR, NULL));
		CHECK(v.repaired <= v.result.repaired);
		if (v.result.repaired == 0) {
			CHECK(disk_same(fs, PATH, "/repaired"));
			return;
		}
	}
	CHECK(v.result.repaired == 0);
}

static void
repair(struct fs *fs)
{
	static uint8_t before[LOOK_BYTES], after[LOOK_BYTES];
	struct verdict v;
	uint64_t size, new_size;
	bool readable = content(before, &size, fs);

	if (!examine(&v, fs, VHD_CHECK_REPAIR, UNDO))
		return;
	disk_copy(fs, PATH, "/once");
	repair_all(fs);
	if (readable) {
		CHECK(content(after, &new_size, fs));
		CHECK(size == new_size);
		CHECK(memcmp(before, after, sizeof(before)) == 0);
	}
	disk_copy(fs, "/once", PATH);
	if (job_undo(fs, PATH, UNDO) == 0)
		CHECK(disk_same(fs, PATH, "/as-given"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fs *fs = disk_fs();
	struct verdict v;

	disk_put(fs, PATH, (struct part){data, size});
	disk_copy(fs, PATH, "/as-given");
	if (examine(&v, fs, 0, NULL)) {
		check_verdict(&v, fs);
		if (v.result.errors == 0 && !v.read_only)
			check_writable(fs);
	}
	(void)examine(&v, fs, VHD_CHECK_NO_DATA, NULL);
	CHECK(disk_same(fs, PATH, "/as-given"));
	repair(fs);
	mem_fs_free(fs);
	return 0;
}
