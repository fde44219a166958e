/* SPDX-License-Identifier: BSD-3-Clause */
/* undo_format.h - what the writer and the reader of undo files share. */
#ifndef VHDI_UNDO_FORMAT_H
#define VHDI_UNDO_FORMAT_H
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

#include "image/undo.h"

#define UNDO_HEADER_SIZE 64u
#define UNDO_RECORD_HEAD 20u
#define UNDO_RECORD_MAX  (UNDO_RECORD_HEAD + UNDO_PIECE)
#define UNDO_VERSION     1u

static const char undo_magic[8] = {'v', 'h', 'd', '-', 'u', 'n', 'd', 'o'};

static inline uint32_t
undo_crc(const uint8_t *bytes, size_t length)
{
	return (uint32_t)crc32(0, bytes, (unsigned)length);
}
#endif
