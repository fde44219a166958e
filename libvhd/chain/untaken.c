/* SPDX-License-Identifier: BSD-3-Clause */
/* untaken.c - what is left of a snapshot that was not taken. */
#include "chain/untaken.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "image/image.h"
#include "image/image_peek.h"

static bool
leads_home(struct image *img, const struct fs *fs, const char *path)
{
	AUTO_FREE char *dir = path_directory(path);
	char text[MAX_PATH_TEXT];

	for (unsigned i = 0; dir && i < MAX_LOCATORS; i++) {
		AUTO_FREE char *way = NULL, *end = NULL;

		if (image_locator(text, sizeof(text), img, i, true) != 0 ||
		    !text[0] || path_is_absolute(text))
			continue;
		way = path_join(dir, text);
		if (way && !fs->ops->resolve(&end, fs, way) &&
		    !strcmp(end, path))
			return true;
	}
	return false;
}

bool
is_untaken(const struct fs *fs, const char *path)
{
	char parent[MAX_PATH_TEXT];
	struct image *img;
	struct peek peek;
	struct io *io;
	bool untaken;

	if (image_peek(&peek, fs, path, 0) != 0 ||
	    peek.found.footer.type != VHD_TYPE_DIFFERENCING ||
	    !dynhdr_parent_name(parent, sizeof(parent), &peek.found.hdr) ||
	    strcmp(parent, path_name(path)) != 0 ||
	    fs->ops->open(&io, fs, path, FS_OPEN_NOFOLLOW) != 0 ||
	    image_open(&img, io, 0) != 0)
		return false;
	untaken = !image_count_blocks(img) && leads_home(img, fs, path);
	return image_close(img) == 0 && untaken;
}
