/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_footer.c - any 512 bytes as a footer, with their checksum and with the
 * right one. */
#include "fuzz.h"

#include <string.h>

#include "base/bytes.h"
#include "format/footer.h"

static void
judge_usable(const struct footer *f)
{
	struct footer grown = *f;
	char text[256];

	CHECK(f->version >> 16 == 1);
	CHECK(f->type >= VHD_TYPE_FIXED && f->type <= VHD_TYPE_DIFFERENCING);
	CHECK(f->current_size > 0);
	CHECK(f->current_size <= UINT64_C(1) << 63);
	CHECK(geometry_bytes(geometry_for(f->current_size)) <= f->current_size);
	footer_set_size(&grown, f->current_size / 2 + 512);
	CHECK(grown.current_size == f->current_size / 2 + 512);
	footer_diff(text, sizeof(text), f, &grown);
	CHECK(text[0] || grown.current_size == f->current_size);
}

static void
judge(const struct disk_footer *disk)
{
	struct disk_footer again;
	struct footer f, g;
	enum footer_fault fault = footer_decode(&f, disk);

	CHECK(footer_fault_text(fault)[0]);
	if (fault == FOOTER_NO_COOKIE || fault == FOOTER_POISONED)
		return;
	footer_encode(&again, &f);
	memcpy(again.checksum, disk->checksum, 4);
	CHECK(memcmp(&again, disk, sizeof(again)) == 0);
	footer_encode(&again, &f);
	CHECK(footer_decode(&g, &again) != FOOTER_BAD_CHECKSUM);
	if (fault == FOOTER_OK)
		judge_usable(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk_footer disk = {0};

	memcpy(&disk, data, size < sizeof(disk) ? size : sizeof(disk));
	judge(&disk);
	memcpy(disk.cookie, "conectix", 8);
	store_be32(disk.checksum, vhd_checksum(&disk, sizeof(disk), 64));
	judge(&disk);
	return 0;
}
