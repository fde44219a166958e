/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * size.h - sizes as people write and read them.
 */
#ifndef VHDTOOL_SIZE_H
#define VHDTOOL_SIZE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIZE_TEXT_MAX 24

/* "512", "64K", "2M", "127G", "1T", also "64KiB": powers of 1024, either
 * case.  False when text is anything else or does not fit. */
bool size_parse(uint64_t *ret, const char *text);

/* "127 GiB", "1.5 MiB", "512 bytes"; returns buf. */
const char *size_print(char buf[SIZE_TEXT_MAX], uint64_t bytes);
#endif
