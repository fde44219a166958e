/* SPDX-License-Identifier: BSD-3-Clause */
/* views.c - see views.h.  Like the tasks, this takes nothing that may fail. */
#include "views.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (256u << 10) /* bytes of a file */

bool ignore_left_overs;

/* ---- Files as they were -------------------------------------------------- */

struct kept_file {
	char name[100];
	size_t size;
	mode_t mode;
	struct timespec changed;
	uint8_t *bytes;
};

static struct kept_file kept[VIEW_FILES];
static size_t nkept;

typedef void (*name_fn)(const char *name);

static bool
is_left_over(const char *name)
{
	return ignore_left_overs && strstr(name, ".partial");
}

/* Every file in the directory and in its "sub", but for links. */
static void
each_name(const char *sub, name_fn fn)
{
	DIR *stream = fdopendir(openat(AT_FDCWD, world_path(sub), O_RDONLY));
	struct dirent *entry;
	char name[100];

	while (stream && (entry = readdir(stream)) != NULL) {
		if (entry->d_type != DT_REG || is_left_over(entry->d_name))
			continue;
		(void)snprintf(name, sizeof(name), "%s%.80s", sub,
			       entry->d_name);
		fn(name);
	}
	if (stream)
		(void)closedir(stream);
}

static void
each_file(name_fn fn)
{
	each_name("", fn);
	each_name("sub/", fn);
}

static size_t
load(uint8_t *ret, size_t room, const char *name)
{
	int fd = openat(AT_FDCWD, world_path(name), O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, room);

	if (fd >= 0)
		(void)close(fd);
	return n < 0 ? 0 : (size_t)n;
}

static void
keep_file(const char *name)
{
	struct kept_file *k = &kept[nkept++];
	struct stat st;

	if (nkept > VIEW_FILES || stat(world_path(name), &st) < 0 ||
	    (uint64_t)st.st_size > MOST)
		abort();
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	k->size = (size_t)st.st_size;
	k->mode = st.st_mode & 0777;
	k->changed = st.st_mtim;
	k->bytes = malloc(k->size);
	if (!k->bytes || load(k->bytes, k->size, name) != k->size)
		abort();
}

static const struct kept_file *
kept_as(const char *name)
{
	for (size_t i = 0; i < nkept; i++)
		if (!strcmp(kept[i].name, name))
			return &kept[i];
	return NULL;
}

/* Bytes and times. */
static bool
is_untouched(const struct kept_file *k)
{
	static uint8_t bytes[MOST];
	struct stat st;

	return stat(world_path(k->name), &st) == 0 &&
	       (size_t)st.st_size == k->size &&
	       st.st_mtim.tv_sec == k->changed.tv_sec &&
	       st.st_mtim.tv_nsec == k->changed.tv_nsec &&
	       load(bytes, sizeof(bytes), k->name) == k->size &&
	       !memcmp(bytes, k->bytes, k->size);
}

static void
remove_other(const char *name)
{
	if (!kept_as(name))
		(void)remove(world_path(name));
}

static void
put_file(const struct kept_file *k)
{
	struct timespec times[2] = {k->changed, k->changed};
	int fd;

	(void)remove(world_path(k->name));
	fd = creat(world_path(k->name), k->mode);
	if (fd < 0 || write(fd, k->bytes, k->size) != (ssize_t)k->size ||
	    futimens(fd, times) < 0)
		abort();
	(void)close(fd);
}

/* Whoever replaces a link puts a file in its place. */
static void
put_link(void)
{
	(void)remove(world_path("link.vhd"));
	if (symlink("sub/far.vhd", world_path("link.vhd")) < 0)
		abort();
}

void
view_put_back(void)
{
	each_file(remove_other);
	for (size_t i = 0; i < nkept; i++)
		if (!is_untouched(&kept[i]))
			put_file(&kept[i]);
	put_link();
}

/* ---- What there is to see ------------------------------------------------ */

struct view before, after, now;
static struct view *filling;
static bool all_untouched; /* then each file reads as before */

static const struct seen *find(const struct view *v, const char *name);

/* As a guest sees it; a file that is no VHD, as it is. */
static void
look_inside(struct seen *s)
{
	struct vhd_check_result result = VHD_CHECK_RESULT_INIT;
	struct vhd_check_opts opts = VHD_CHECK_OPTS_INIT;
	vhd_t *disk = NULL;

	if (!strstr(s->name, ".vhd")) {
		if (strstr(s->name, ".raw"))
			s->size = load(s->data, sizeof(s->data), s->name);
		return;
	}
	opts.flags = VHD_CHECK_CHAIN;
	if (vhd_check(&result, world_path(s->name), &opts) == 0)
		s->errors = result.errors;
	s->err = vhd_open(&disk, world_path(s->name), NULL);
	if (s->err)
		return;
	s->size = (size_t)vhd_size(disk);
	if (s->size > sizeof(s->data))
		abort();
	s->err = vhd_pread(disk, s->data, s->size, 0);
	s->err = vhd_close(disk) ? VHD_E_IO : s->err;
}

static void
look_at_file(const char *name)
{
	struct seen *s = &filling->seen[filling->n++];

	if (filling->n > VIEW_FILES)
		abort();
	if (all_untouched && find(&before, name)) {
		*s = *find(&before, name);
		return;
	}
	memset(s, 0, sizeof(*s));
	(void)snprintf(s->name, sizeof(s->name), "%s", name);
	look_inside(s);
}

void
view_look(struct view *v)
{
	all_untouched = v != &before;
	for (size_t i = 0; i < nkept && all_untouched; i++)
		all_untouched = is_untouched(&kept[i]);
	v->n = 0;
	filling = v;
	each_file(look_at_file);
}

static const struct seen *
find(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->seen[i].name, name))
			return &v->seen[i];
	return NULL;
}

/* Does a piece read as in `like`, of which the guest needs `size` bytes? */
static bool
is_like(const struct seen *s, const struct seen *like, size_t at, size_t length,
	size_t size)
{
	if (!like || s->size != like->size || s->err != like->err)
		return false;
	if (at >= size)
		return true;
	return !memcmp(s->data + at, like->data + at,
		       length < size - at ? length : size - at);
}

/* Is each piece as in one of them?  Whole files, unless in_part.  Of a disk
 * that is to be shorter, the tail is needed no more. */
static bool
reads_like(const struct seen *s, const struct seen *a, const struct seen *b,
	   bool in_part)
{
	size_t step = in_part ? WORLD_SECTOR : sizeof(s->data);
	size_t size = sizeof(s->data);

	if (a && b && b->size < a->size)
		size = b->size;
	for (size_t at = 0; at < sizeof(s->data); at += step)
		if (!is_like(s, a, at, step, size) &&
		    !is_like(s, b, at, step, size))
			return false;
	return true;
}

/* Nothing is lost; what is there besides is not known to anybody. */
bool
view_check_between(bool in_part)
{
	for (size_t i = 0; i < before.n; i++) {
		const char *name = before.seen[i].name;

		if (find(&after, name) && !find(&now, name))
			return view_wrong("is gone: ", name);
	}
	for (size_t i = 0; i < now.n; i++) {
		const struct seen *s = &now.seen[i];
		const struct seen *a = find(&before, s->name);
		const struct seen *b = find(&after, s->name);

		if ((a || b) && !reads_like(s, a, b, in_part))
			return view_wrong(
				"reads neither as before nor as then: ",
				s->name);
	}
	return true;
}

const char *
view_difference(void)
{
	for (size_t i = 0; i < after.n; i++) {
		const struct seen *s = find(&now, after.seen[i].name);

		if (!s || s->errors != after.seen[i].errors ||
		    !reads_like(s, &after.seen[i], NULL, false))
			return after.seen[i].name;
	}
	for (size_t i = 0; i < now.n; i++)
		if (!find(&after, now.seen[i].name))
			return now.seen[i].name;
	return NULL;
}

void
view_keep(void)
{
	each_file(keep_file);
	view_look(&before);
}

void
view_forget(void)
{
	for (size_t i = 0; i < nkept; i++)
		free(kept[i].bytes);
}
