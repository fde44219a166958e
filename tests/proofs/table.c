/* SPDX-License-Identifier: BSD-3-Clause */
/* table.c - whatever the table of blocks says, an offset of the disk leads to
 * nothing, to an error, or into the data of its block, with no arithmetic that
 * loses a bit, and never onto the header or the table. */
#include "base/bits.h"
#include "image/image.h"
#include "proof.h"

#define BLOCKS 2u

int
fail(int code, const char *fmt, ...)
{
	(void)fmt;
	return code;
}

int
main(void)
{
	static _Atomic uint32_t bat[BLOCKS];
	struct image img;
	struct io io;
	uint64_t offset, at = 0, run = 0, region;
	uint32_t any[BLOCKS];

	for (uint32_t i = 0; i < BLOCKS; i++)
		bat[i] = any[i];
	img.io = &io;
	img.bat = bat;
	GIVEN(img.type == VHD_TYPE_DYNAMIC ||
	      img.type == VHD_TYPE_DIFFERENCING);
	GIVEN(img.block_shift >= SECTOR_SHIFT && img.block_shift <= 28);
	img.block_size = 1u << img.block_shift;
	GIVEN(img.blocks > 0 && img.blocks <= BLOCKS);
	GIVEN(img.bitmap_bytes >= SECTOR_SIZE && img.bitmap_bytes <= 65536);
	GIVEN(offset >> img.block_shift < img.blocks);
	if (image_locate(&at, &run, &img, offset) != 0)
		return 0;
	CLAIM(run > 0 && run <= img.block_size);
	CLAIM((offset & (img.block_size - 1)) + run == img.block_size);
	if (at == NO_OFFSET)
		return 0;
	region = (uint64_t)any[offset >> img.block_shift] << SECTOR_SHIFT;
	CLAIM(at >= region + img.bitmap_bytes);
	CLAIM(at + run == region + image_region_bytes(&img));
	CLAIM(!ranges_overlap(at, run, img.footer.data_offset, DYNHDR_SIZE));
	CLAIM(!ranges_overlap(at, run, img.hdr.table_offset,
			      4 * (uint64_t)img.blocks));
	return 0;
}
