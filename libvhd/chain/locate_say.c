/* SPDX-License-Identifier: BSD-3-Clause */
/* locate_say.c - what to say about a parent that was not found. */
#include <stdio.h>
#include <string.h>

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

		if (!image_locator(path, sizeof(path), img, i, true) ||
		    (relative && !path_is_absolute(path)))
			continue;
		relative = !path_is_absolute(path);
		if (!relative)
			(void)image_locator(path, sizeof(path), img, i, false);
		else if (!strncmp(path, "./", 2))
			text += 2;
		memmove(ret, text, strlen(text) + 1);
		if (!relative)
			return;
	}
}

int
locate_fail(const struct located *l, struct image *img, const char *child_path,
	    const struct chain_opts *opts)
{
	char uuid[UUID_TEXT_SIZE], stored[MAX_PATH_TEXT];
	char searched[80] = "not in its directory";

	uuid_text(uuid, img->hdr.parent_uuid);
	locate_stored(stored, img);
	if (l->wrong)
		return fail(VHD_E_PARENT,
			    "%.150s: %.120s is not its parent: that has the "
			    "UUID %s; try: vhdtool relink --search DIR FILE",
			    child_path, l->wrong, uuid);
	if (opts->nsearch)
		snprintf(searched, sizeof(searched),
			 "neither in its directory nor in %zu search "
			 "director%s",
			 opts->nsearch, opts->nsearch == 1 ? "y" : "ies");
	return fail(VHD_E_NOPARENT,
		    "%.150s: its parent (UUID %s, last known as %.120s) is "
		    "%s; try: vhdtool relink --search DIR FILE",
		    child_path, uuid, stored[0] ? stored : "nothing", searched);
}
