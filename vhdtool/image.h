/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * image.h - what commands that make an image share: its identity and form.
 */
#ifndef VHDTOOL_IMAGE_H
#define VHDTOOL_IMAGE_H
#include "opt.h"
#include "value.h"

enum profile {
	PROFILE_NONE = 0,
	PROFILE_AZURE,
};

struct image_args {
	uint32_t block_size;
	int profile; /* enum profile */
	struct uuid_value uuid;
	int64_t created; /* 0: now */
	char creator[5]; /* "": the library's choice */
	bool force;
};

extern const struct choice profile_choices[];

#define OPT_IMAGE(type, member)                                                \
	{                                                                      \
		.name = "profile",                                             \
		.value = "NAME",                                               \
		.help = "azure: a fixed image of whole MiB, as an upload "     \
			"there must be",                                       \
		.read = value_choice,                                          \
		.to = offsetof(type, member.profile),                          \
		.choices = profile_choices,                                    \
	},                                                                     \
		{                                                              \
			.name = "block-size",                                  \
			.value = "SIZE",                                       \
			.help = "unit of allocation: 2M (default) or 512K",    \
			.read = value_block_size,                              \
			.to = offsetof(type, member.block_size),               \
		},                                                             \
		{                                                              \
			.name = "uuid",                                        \
			.value = "UUID",                                       \
			.help = "identity of the new image (default: random)", \
			.read = value_uuid,                                    \
			.to = offsetof(type, member.uuid),                     \
		},                                                             \
		{                                                              \
			.name = "created",                                     \
			.value = "TIME",                                       \
			.help = "time of creation that it stores, such as "    \
				"2011-10-27T12:00:00Z or @1319716800 "         \
				"(default: now)",                              \
			.read = value_time,                                    \
			.to = offsetof(type, member.created),                  \
		},                                                             \
		{                                                              \
			.name = "creator",                                     \
			.value = "TAG",                                        \
			.help = "creator that it stores, up to four "          \
				"characters "                                  \
				"(default: 'win ', which every reader takes)", \
			.read = value_creator,                                 \
			.to = offsetof(type, member.creator),                  \
		},                                                             \
	{                                                                      \
		.name = "force", .help = "replace a file that exists",         \
		.to = offsetof(type, member.force),                            \
	}

/* The options' fields as the library wants them: NULL means the default. */
const uint8_t *image_uuid(const struct image_args *args);
const char *image_creator(const struct image_args *args);

/* EXIT_DONE, or what a profile says against the other options.  dynamic:
 * somebody asked for that explicitly. */
int image_args_check(const struct command *command,
		     const struct image_args *args, bool dynamic);
#endif
