/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.h - how each kind of option value is read (see opt_read_fn).
 */
#ifndef VHDTOOL_VALUE_H
#define VHDTOOL_VALUE_H
#include "opt.h"

#include <stdint.h>

/* Words given one after another; items is allocated, the words are not. */
struct words {
	const char **items;
	size_t count;
};

struct uuid_value {
	bool given;
	uint8_t bytes[16];
};

/* A size, or by how much one grows. */
struct size_change {
	bool relative; /* +SIZE */
	uint64_t bytes;
};

const char *value_text(void *ret, const char *text, const struct choice *);
const char *value_words(void *ret, const char *text, const struct choice *);
const char *value_choice(void *ret, const char *text, const struct choice *);
const char *value_size(void *ret, const char *text, const struct choice *);
const char *value_size_change(void *ret, const char *text,
			      const struct choice *);
const char *value_block_size(void *ret, const char *text,
			     const struct choice *);
const char *value_uuid(void *ret, const char *text, const struct choice *);
const char *value_time(void *ret, const char *text, const struct choice *);
/* Into char[5]: up to four characters, filled up with spaces. */
const char *value_creator(void *ret, const char *text, const struct choice *);
#endif
