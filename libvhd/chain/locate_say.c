/* SPDX-License-Identifier: BSD-3-Clause */
/* locate_say.c - what to say about a parent that was not found. */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/uuid.h"
#include "chain/chain.h"

void
locate_stored(char *ret, struct image *img)
{
	char path[MAX_PATH_TEXT];
	bool relative = false;

	if (!dynhdr_parent_name(ret, MAX_PATH_TEXT, &img->hdr))
		ret[0] = '\0';
	for (unsigned i = 0; i < MAX_LOCATORS; i++) {
		const char *text = path;

		if (image_locator(path, sizeof(path), img, i, true) != 0 ||
		    !path[0] || (relative && !path_is_absolute(path)))
			continue;
		relative = !path_is_absolute(path);
		if (!relative &&
		    image_locator(path, sizeof(path), img, i, false) != 0)
			continue;
		if (relative && !strncmp(path, "./", 2))
			text += 2;
		memmove(ret, text, strlen(text) + 1);
		if (!relative)
			return;
	}
}

/* Adds to the end of a text of limited length. */
static void
add(char *text, size_t size, const char *fmt, const char *part)
{
	size_t used = strlen(text);

	(void)snprintf(text + used, size - used, fmt, part);
}

#define DIRS_TEXT 140

/* "in its directory", or with the others: "in its directory, a, b". */
static void
list_searched(char ret[static DIRS_TEXT], const char *child_path,
	      const struct chain_opts *opts)
{
	AUTO_FREE char *own = path_directory(child_path);
	size_t left = 0;

	(void)snprintf(ret, DIRS_TEXT, "its directory");
	for (size_t i = 0; i < opts->nsearch; i++) {
		const char *dir = opts->search[i];

		if (own && !strcmp(own, dir))
			continue;
		if (left || strlen(ret) + strlen(dir) + 24 > DIRS_TEXT)
			left++;
		else
			add(ret, DIRS_TEXT, ", %s", dir);
	}
	if (left) {
		char number[24];

		(void)snprintf(number, sizeof(number), "%zu", left);
		add(ret, DIRS_TEXT, " and %s more", number);
	}
}

/* What is run has to be whole, or is only told in principle. */
static const char *
file_to_run(const char *child_path)
{
	return strlen(child_path) <= 110 ? child_path : "FILE";
}

int
locate_fail(const struct located *l, struct image *img, const char *child_path,
	    const struct chain_opts *opts)
{
	char uuid[UUID_TEXT_SIZE], stored[MAX_PATH_TEXT];
	char searched[DIRS_TEXT];

	uuid_text(uuid, img->hdr.parent_uuid);
	locate_stored(stored, img);
	if (l->wrong)
		return fail(VHD_E_PARENT,
			    "%.110s: %.110s is not its parent: that has the "
			    "UUID %s; try: vhdtool relink --search DIR %s",
			    child_path, l->wrong, uuid,
			    file_to_run(child_path));
	list_searched(searched, child_path, opts);
	return fail(VHD_E_NOPARENT,
		    "%.110s: its parent (UUID %s, last known as %.90s) is not "
		    "in %s; try: vhdtool relink --search DIR %s",
		    child_path, uuid, stored[0] ? stored : "nothing", searched,
		    file_to_run(child_path));
}
