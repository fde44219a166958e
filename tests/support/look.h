/* SPDX-License-Identifier: BSD-3-Clause */
/* look.h - examine and repair an image of a memory file system, and compare
 * what was found with what a test expects. */
#ifndef VHD_TEST_LOOK_H
#define VHD_TEST_LOOK_H
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hand_image.h"
#include "image/check.h"
#include "image/undo.h"

#define LOOK_NOW 1700000000

static const char *const look_severity[] = {"note", "warning", "error",
					    "fatal"};

/* "V04 warning, V79 note"; each rule once, with its worst severity. */
static inline void
look_text(char *ret, size_t size, const struct findings *f,
	  enum vhd_severity least)
{
	const char *last = "";

	ret[0] = '\0';
	for (size_t i = 0; i < f->n; i++) {
		const struct vhd_finding *v = &f->list[i];
		char one[32];

		if (v->severity < least || !strcmp(v->code, last))
			continue;
		last = v->code;
		(void)snprintf(one, sizeof(one), "%s%s %s", ret[0] ? ", " : "",
			       v->code, look_severity[v->severity]);
		if (strlen(ret) + strlen(one) < size)
			strcat(ret, one);
	}
}

/* The caller frees findings with findings_free. */
static inline void
look_io(struct findings *ret, struct io *io, uint32_t flags)
{
	const struct check_opts opts = {.flags = flags, .now = LOOK_NOW};
	struct check c;
	int err;

	assert_int_equal(findings_init(ret, "disk.vhd"), 0);
	err = image_check(&c, io, &opts, ret);
	if (err)
		fail_msg("examining failed: %s", error_message());
	check_free(&c);
}

static inline void
look_at(struct findings *ret, struct fs *fs, const char *path)
{
	struct io *io = NULL;

	assert_int_equal(fs->ops->open(&io, fs, path, 0), 0);
	look_io(ret, io, 0);
	assert_int_equal(io_close(io), 0);
}

/* Exactly this is found, as look_text says it, notes left out. */
static inline void
expect_found(struct fs *fs, const char *path, const char *want)
{
	struct findings f;
	char got[256];

	look_at(&f, fs, path);
	look_text(got, sizeof(got), &f, VHD_WARNING);
	if (strcmp(got, want) != 0)
		fail_msg("%s: expected \"%s\", found \"%s\"%s%s", path, want,
			 got, f.n ? ": " : "", f.n ? f.list[0].message : "");
	findings_free(&f);
}

static inline void
expect_sound(struct fs *fs, const char *path)
{
	expect_found(fs, path, "");
}

/* *ret_changed may be NULL.  The result is that of image_repair. */
static inline int
repair_io(bool *ret_changed, struct io *io, struct undo *undo)
{
	const struct check_opts opts = {.now = LOOK_NOW};
	struct findings f;
	struct check c;
	bool changed = false;
	int err;

	assert_int_equal(findings_init(&f, "disk.vhd"), 0);
	err = image_check(&c, io, &opts, &f);
	if (!err)
		err = image_repair(&changed, &c, undo);
	check_free(&c);
	findings_free(&f);
	if (ret_changed)
		*ret_changed = changed;
	return err;
}
#endif
