/* SPDX-License-Identifier: BSD-3-Clause */
/* views.h - the files of the world: as they were, as they are, as they are to
 * be. */
#ifndef VHD_TEST_VIEWS_H
#define VHD_TEST_VIEWS_H
#include "api_tasks.h"

#define VIEW_FILES 24

struct seen {
	char name[100];
	int err; /* of opening it */
	uint64_t errors;
	size_t size;
	uint8_t data[WORLD_DISK * 2];
};

struct view {
	size_t n;
	struct seen seen[VIEW_FILES];
};

extern struct view before, after, now;

/* Where no name could be taken away, that of a file that was being made stays:
 * nobody looks at it. */
extern bool ignore_left_overs;

/* What is there is kept, and is `before`; bring it back; forget it. */
void view_keep(void);
void view_put_back(void);
void view_forget(void);

void view_look(struct view *v);

/* Does `now` read as `before` or as `after`, and is nothing gone?  In part:
 * each sector does. */
bool view_check_between(bool in_part);

/* A file that is not in `now` as it is in `after`, or NULL. */
const char *view_difference(void);

/* False, told to whoever looks. */
bool view_wrong(const char *what, const char *about);
#endif
