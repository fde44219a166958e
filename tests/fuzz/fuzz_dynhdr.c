/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_dynhdr.c - any 1024 bytes as a dynamic header, with their checksum and
 * with the right one. */
#include "fuzz.h"

#include <string.h>

#include "base/bytes.h"
#include "base/utf.h"
#include "format/dynhdr.h"
#include "format/footer.h"

static void
judge_name(struct dynhdr *h)
{
	char name[1024], again[1024];

	if (!dynhdr_parent_name(name, sizeof(name), h))
		return;
	CHECK(utf8_valid(name));
	dynhdr_set_parent_name(h, name);
	CHECK(dynhdr_parent_name(again, sizeof(again), h));
	CHECK(utf8_valid(again));
}

static void
judge(const struct disk_dynhdr *disk)
{
	struct disk_dynhdr again;
	struct dynhdr h;
	enum dynhdr_fault fault = dynhdr_decode(&h, disk);

	CHECK(dynhdr_fault_text(fault)[0]);
	if (fault == DYNHDR_NO_COOKIE)
		return;
	dynhdr_encode(&again, &h);
	memcpy(again.checksum, disk->checksum, 4);
	CHECK(memcmp(&again, disk, sizeof(again)) == 0);
	for (int i = 0; i < MAX_LOCATORS; i++) {
		char code[5];

		locator_code_text(code, h.locator[i].code);
		CHECK(utf8_valid(code) && strlen(code) == 4);
		CHECK(locator_space(&h.locator[i]) >= h.locator[i].space);
	}
	judge_name(&h);
	if (fault != DYNHDR_OK)
		return;
	CHECK(h.max_entries > 0);
	CHECK(h.block_size >= 512 && h.block_size <= MAX_BLOCK_SIZE);
	CHECK((h.block_size & (h.block_size - 1)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk_dynhdr disk = {0};

	memcpy(&disk, data, size < sizeof(disk) ? size : sizeof(disk));
	judge(&disk);
	memcpy(disk.cookie, "cxsparse", 8);
	store_be32(disk.checksum, vhd_checksum(&disk, sizeof(disk), 36));
	judge(&disk);
	return 0;
}
