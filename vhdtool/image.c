/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * image.c - what commands that make an image share.
 */
#include "image.h"

#include "exit.h"

const struct choice profile_choices[] = {
	{"azure", PROFILE_AZURE},
	{NULL, 0},
};

const uint8_t *
image_uuid(const struct image_args *args)
{
	return args->uuid.given ? args->uuid.bytes : NULL;
}

const char *
image_creator(const struct image_args *args)
{
	return args->creator[0] != '\0' ? args->creator : NULL;
}

int
image_args_check(const struct command *command, const struct image_args *args,
		 bool dynamic)
{
	if (args->profile != PROFILE_AZURE)
		return EXIT_DONE;
	if (dynamic || args->block_size != 0)
		return opt_usage(command,
				 "--profile azure makes a fixed image only");
	return EXIT_DONE;
}
