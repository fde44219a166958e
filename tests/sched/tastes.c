/* SPDX-License-Identifier: BSD-3-Clause */
/* tastes.c - what happens how often: in ordinary worlds a little of
 * everything, in others more of what a certain mistake needs to be seen. */
#include <string.h>

#include "world.h"

#define ORDINARY_DEEDS                                                         \
	{                                                                      \
		[DO_WRITE] = 45, [DO_READ] = 17, [DO_ZERO] = 10,               \
		[DO_TRIM] = 4, [DO_FLUSH] = 24                                 \
	}
#define ORDINARY_TROUBLES                                                      \
	{                                                                      \
		[NO_TROUBLE] = 60, [TROUBLE_FLUSH] = 15,                       \
		[TROUBLE_NO_SPACE] = 12, [TROUBLE_KILL] = 13                   \
	}

static const struct taste tastes[] = {
	{.name = "ordinary",
	 .deeds = ORDINARY_DEEDS,
	 .works = {[WORK_MERGE] = 36,
		   [WORK_FROZEN] = 20,
		   [WORK_PULL] = 9,
		   [WORK_PUNCH] = 6,
		   [WORK_REPACK] = 5,
		   [WORK_GROW] = 6,
		   [WORK_SNAPSHOT] = 12,
		   [WORK_DELETE] = 6},
	 .troubles = ORDINARY_TROUBLES,
	 .trouble_before = 500,
	 .full_for = 12,
	 .cancel = 4,
	 .mixed = 4,
	 .jobs = 3},
	{.name = "snapshots",
	 .deeds = ORDINARY_DEEDS,
	 .works = {[WORK_MERGE] = 15,
		   [WORK_FROZEN] = 15,
		   [WORK_PULL] = 5,
		   [WORK_SNAPSHOT] = 40,
		   [WORK_DELETE] = 25},
	 .troubles = ORDINARY_TROUBLES,
	 .trouble_before = 1500,
	 .full_for = 12,
	 .cancel = 5,
	 .mixed = 4,
	 .jobs = 7},
	{.name = "no-space",
	 .deeds = {[DO_WRITE] = 40, [DO_READ] = 20, [DO_FLUSH] = 40},
	 .works = {[WORK_MERGE] = 1},
	 .troubles = {[TROUBLE_NO_SPACE] = 1},
	 .trouble_before = 300,
	 .full_for = 300,
	 .cancel = 3,
	 .mixed = 4,
	 .jobs = 4,
	 .slow = true},
	{.name = "readers",
	 .deeds = {[DO_WRITE] = 20, [DO_READ] = 70, [DO_FLUSH] = 10},
	 .works = {[WORK_MERGE] = 5, [WORK_FROZEN] = 90, [WORK_SNAPSHOT] = 5},
	 .troubles = {[NO_TROUBLE] = 1},
	 .trouble_before = 500,
	 .full_for = 12,
	 .cancel = 8,
	 .mixed = 4,
	 .jobs = 3},
	{.name = "leaf",
	 .deeds = {[DO_WRITE] = 60, [DO_READ] = 20, [DO_FLUSH] = 20},
	 .works = {[WORK_MERGE] = 1},
	 .troubles = {[NO_TROUBLE] = 3, [TROUBLE_KILL] = 1},
	 .trouble_before = 500,
	 .full_for = 12,
	 .cancel = 3,
	 .mixed = 2,
	 .jobs = 3},
};

const struct taste *
taste_named(const char *name)
{
	for (size_t i = 0; i < sizeof(tastes) / sizeof(tastes[0]); i++)
		if (strcmp(tastes[i].name, name) == 0)
			return &tastes[i];
	return NULL;
}

const struct taste *
taste_for(enum mutant m)
{
	switch (m) {
	case MUTANT_IN_HAND_FORGOTTEN:
	case MUTANT_MOVED_HALF:
		return taste_named("no-space");
	case MUTANT_HIDE_NOT_SYNCED:
	case MUTANT_SKIP_EARLY:
	case MUTANT_SNAPSHOT_NOT_SYNCED:
	case MUTANT_SNAPSHOT_UNFLUSHED:
		return taste_named("snapshots");
	case MUTANT_READERS_STAY:
		return taste_named("readers");
	case MUTANT_NEIGHBOURS_CLAIMED:
	case MUTANT_MOVED_SHORTCUT:
	case MUTANT_PARENT_FORGOTTEN:
	case MUTANT_REDIRECT_DROPPED:
		return taste_named("leaf");
	default:
		return taste_named("ordinary");
	}
}
