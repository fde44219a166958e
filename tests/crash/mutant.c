/* SPDX-License-Identifier: BSD-3-Clause */
/* mutant.c - which mistake is made. */
#include "image/mutant.h"

enum mutant present_mutant;

#define X(name) #name,
const char *const mutant_names[] = {"NONE", MUTANTS(X)};
