/* SPDX-License-Identifier: BSD-3-Clause */
/* judge.c - is what a crash left an image, and the right one?
 *
 * Each state is read three times: by a reader of our own, by the library for
 * reading, and by the library for writing, which recovers it.  All must see
 * the same, and nothing that the oracle does not allow. */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bits.h"
#include "image/check.h"
#include "reader.h"

#define MOST_DEPTH 2

static bool __attribute__((format(printf, 3, 4)))
complain(char *why, size_t why_size, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(why, why_size, fmt, args);
	va_end(args);
	return false;
}

#define WHY_SIZE JUDGE_WHY

static struct mem_data *
file_of(const struct fs *fs)
{
	struct mem_data *data;

	if (mem_fs_get_data(&data, (struct fs *)(uintptr_t)fs, DISK_PATH))
		return NULL;
	return data;
}

static bool
read_file(struct reader_view *view, const struct fs *fs, char *why)
{
	struct mem_data *data = file_of(fs);
	bool ok;

	if (!data)
		return complain(why, WHY_SIZE, "no file");
	ok = reader_read(view, data, why, WHY_SIZE);
	mem_data_free(data);
	return ok;
}

static bool
check_allowed(const struct reader_view *view, const struct disk *disk,
	      char *why)
{
	const struct oracle *oracle = &disk->oracle;
	char may[300];

	for (uint32_t i = 0; i < ORACLE_SECTORS; i++)
		if (!oracle_allows(oracle, i, view->values[i])) {
			oracle_text(may, sizeof(may), oracle, i);
			return complain(why, WHY_SIZE, "%s but reads %u", may,
					view->values[i]);
		}
	for (uint32_t i = disk->hiding; i && 512ull * i < view->size; i++)
		if (view->values[i] == VALUE_PARENT)
			return complain(why, WHY_SIZE,
					"D4: sector %u shows the parent", i);
	return true;
}

static bool
check_values(struct image *img, const struct reader_view *view, char *why)
{
	uint32_t count = (uint32_t)min_u64(img->size / 512, ORACLE_SECTORS);
	uint8_t map[ORACLE_SECTORS / 8];
	uint8_t bytes[ORACLE_SECTORS * 512];
	enum presence presence;

	if (image_presence(&presence, map, img, 0, count) ||
	    image_pread(img, bytes, count * 512, 0))
		return complain(why, WHY_SIZE, "%s", error_message());
	for (uint32_t i = 0; i < count; i++) {
		uint32_t value = bit_get(map, i)
					 ? oracle_value(bytes + 512 * i, i)
				 : view->differencing ? VALUE_PARENT
						      : VALUE_ZERO;

		if (value != view->values[i])
			return complain(why, WHY_SIZE,
					"sector %u is %u, the library reads "
					"%u",
					i, view->values[i], value);
	}
	return true;
}

/* All locators must tell of the same parent as the UUID. */
static bool
check_link(struct image *img, char *why)
{
	uint8_t link = img->hdr.parent_uuid[15];
	char want[40], got[MAX_PATH_TEXT];
	size_t len;

	if (img->type != VHD_TYPE_DIFFERENCING)
		return true;
	(void)snprintf(want, sizeof(want),
		       link ? "parent-%u.vhd" : "parent.vhd", link);
	for (unsigned i = 0; i < 3; i++) {
		if (image_locator(got, sizeof(got), img, i, true) || !got[0])
			return complain(why, WHY_SIZE, "locator %u is gone", i);
		len = strlen(got);
		if (len < strlen(want) ||
		    strcmp(got + len - strlen(want), want) != 0)
			return complain(why, WHY_SIZE,
					"locator %u says %.100s, the UUID %s",
					i, got, want);
	}
	return true;
}

static bool
open_state(struct image **ret, const struct fs *fs, bool write, char *why)
{
	struct io *io;
	int err;

	err = fs->ops->open(&io, fs, DISK_PATH, write ? FS_OPEN_WRITE : 0);
	if (!err)
		err = image_open(ret, io, write ? IMAGE_WRITE : 0);
	if (!err)
		return true;
	return complain(why, WHY_SIZE, "cannot be opened for %s: %s",
			write ? "writing" : "reading", error_message());
}

/* Blocks are small on purpose (V48).  A shrink keeps the original size (V23);
 * one that was cut short, the entries behind the new end, until the disk grows
 * again (V76).  A write that failed leaves its new block, without a bit
 * (V83). */
static bool
expected(const struct vhd_finding *finding)
{
	static const char *const codes[] = {"V23", "V48", "V76", "V83"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(finding->code, codes[i]) == 0)
			return true;
	return false;
}

bool
judge_findings(const struct fs *fs, const char *path, enum vhd_severity worst,
	       char *why)
{
	const struct check_opts opts = {.now = 1800000000};
	AUTO_FINDINGS struct findings findings = {0};
	struct check check;
	struct io *io;
	bool ok = true;

	if (fs->ops->open(&io, fs, path, 0) || findings_init(&findings, path))
		return complain(why, WHY_SIZE, "%s", error_message());
	if (image_check(&check, io, &opts, &findings))
		ok = complain(why, WHY_SIZE, "check: %s", error_message());
	for (size_t i = 0; ok && i < findings.n; i++)
		if (findings.list[i].severity >= worst &&
		    !expected(&findings.list[i]))
			ok = complain(why, WHY_SIZE, "check: %s: %s %s", path,
				      findings.list[i].code,
				      findings.list[i].message);
	check_free(&check);
	(void)io_close(io);
	return ok;
}

static bool
check_by_reading(const struct fs *fs, const struct reader_view *view, char *why)
{
	struct image *img;
	bool ok;

	if (!open_state(&img, fs, false, why))
		return false;
	ok = check_values(img, view, why) && check_link(img, why);
	if (ok && image_check_overlap(img))
		ok = complain(why, WHY_SIZE, "D2: %s", error_message());
	(void)image_close(img);
	return ok && judge_findings(fs, DISK_PATH, VHD_ERROR, why);
}

/* Recover and close: the same content, and a file at rest. */
static bool
check_by_writing(const struct fs *fs, const struct reader_view *view, char *why)
{
	struct reader_view after;
	struct mem_data *data;
	struct image *img;
	bool ok;

	if (!open_state(&img, fs, true, why))
		return false;
	if (!check_values(img, view, why)) {
		(void)image_close(img);
		return false;
	}
	if (image_close(img))
		return complain(why, WHY_SIZE, "closing: %s", error_message());
	if (!read_file(&after, fs, why))
		return false;
	if (memcmp(after.values, view->values, sizeof(after.values)) != 0)
		return complain(why, WHY_SIZE, "recovery changed the content");
	data = file_of(fs);
	ok = reader_at_rest(data);
	mem_data_free(data);
	if (ok)
		return judge_findings(fs, DISK_PATH, VHD_WARNING, why);
	return complain(why, WHY_SIZE,
			"the footers differ after recovery and close");
}

static bool
check_state(const struct fs *fs, const struct disk *disk, char *why)
{
	struct reader_view view;

	return read_file(&view, fs, why) && check_allowed(&view, disk, why) &&
	       check_by_reading(fs, &view, why) &&
	       check_by_writing(fs, &view, why);
}

void
judge_tell(struct judge *judge, const char *title, const char *text)
{
	size_t used = strlen(judge->story);

	(void)snprintf(judge->story + used, sizeof(judge->story) - used,
		       "%s: %s\n", title, text);
}

static void
tell_state(struct watch *watch, const struct crash_state *state,
	   const char *why)
{
	char text[1500];

	watch->judge->failed = true;
	if (why)
		judge_tell(watch->judge, "violation", why);
	crash_state_text(text, sizeof(text), state);
	judge_tell(watch->judge, "done so far", watch->disk->log);
	judge_tell(watch->judge, "state", text);
}

/* Work on with what is left, and crash again. */
static void
go_on(struct watch *before, const struct crash_state *state)
{
	struct disk disk;
	struct watch watch = {
		.judge = before->judge,
		.disk = &disk,
		.depth = before->depth + 1,
	};
	bool ok;

	before->judge->recoveries++;
	ok = disk_recover(&disk, before->disk, state->fs,
			  before->judge->states);
	judge_watch(&watch);
	if (ok && disk_open(&disk))
		for (int i = 0; i < 8 && !before->judge->failed; i++) {
			disk_do_random(&disk);
			judge_disk(&watch);
		}
	judge_disk(&watch);
	if (!before->judge->failed)
		judge_now(&watch);
	disk_free(&disk);
}

static int
look_at_state(const struct crash_state *state, void *user)
{
	struct watch *watch = user;
	struct judge *judge = watch->judge;
	char why[WHY_SIZE];

	judge->states++;
	if (watch->depth < MOST_DEPTH && judge->nested_every &&
	    judge->states % judge->nested_every == 0) {
		go_on(watch, state);
		if (judge->failed)
			tell_state(watch, state, NULL);
	}
	if (!judge->failed && !check_state(state->fs, watch->disk, why))
		tell_state(watch, state, why);
	return judge->failed ? VHD_E_CORRUPT : 0;
}

void
judge_now(struct watch *watch)
{
	struct judge *judge = watch->judge;
	struct crash_limits limits = judge->limits;
	uint64_t count = 0;

	if (judge->failed || watch->inside)
		return;
	watch->inside = true;
	limits.seed += judge->states;
	limits.seen = &judge->seen;
	limits.salt = oracle_hash(&watch->disk->oracle) + watch->disk->hiding;
	if (watch->depth) {
		limits.exhaustive /= 8;
		limits.sampled /= 8;
	}
	(void)crash_each_state(&count, watch->disk->crash, &limits,
			       look_at_state, watch);
	judge->possible += count;
	watch->inside = false;
}

static void
before_flush(struct fs *fs, void *user)
{
	struct watch *watch = user;

	(void)fs;
	judge_now(watch);
	if (watch->disk->flushing && !watch->inside &&
	    disk_draw(watch->disk, 3) == 0) {
		watch->disk->flushing = false;
		disk_write_random(watch->disk);
		watch->disk->flushing = true;
	}
}

void
judge_watch(struct watch *watch)
{
	crash_set_hook(watch->disk->crash, before_flush, watch);
}

void
judge_disk(struct watch *watch)
{
	if (!watch->disk->why[0] || watch->judge->failed)
		return;
	watch->judge->failed = true;
	judge_tell(watch->judge, "violation", watch->disk->why);
	judge_tell(watch->judge, "done so far", watch->disk->log);
}
