/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz.h - what the fuzz targets share.
 *
 * A target is one file fuzz_X.c with LLVMFuzzerTestOneInput().  It is linked
 * with libFuzzer, or with driver.c, which replays a corpus under any
 * compiler.  An input that breaks a promise ends in CHECK().  With FUZZ_VERBOSE
 * in the environment the targets that open disks show what was said. */
#ifndef VHD_FUZZ_H
#define VHD_FUZZ_H
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Like assert(), but with NDEBUG too. */
#define CHECK(claim)                                                           \
	do {                                                                   \
		if (!(claim)) {                                                \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__,       \
				__LINE__, #claim);                             \
			abort();                                               \
		}                                                              \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned seed);

/* A target that takes several things in one input says so: parts, of which
 * the last ones are images.  In front of all but the last part stands its
 * length, four bytes, little-endian; a length too large takes what is left. */
struct part {
	const uint8_t *data;
	size_t size;
};

#define MAX_PARTS 4
extern const unsigned fuzz_parts, fuzz_images;

void fuzz_split(struct part *ret, unsigned n, const uint8_t *data, size_t size);
#endif
