/* SPDX-License-Identifier: BSD-3-Clause */
/* guest.c - writes to a disk as its guest would.
 *
 *	guest DISK [FIRST COUNT VALUE]...
 *
 * Each sector of a run gets 32 times VALUE and its own number, as eight bytes
 * each, big-endian: the patterns of vhdmake.py. */
#include <stdio.h>
#include <stdlib.h>
#include <vhd.h>

static void
store(unsigned char *to, unsigned long long value)
{
	for (int i = 8; i-- > 0; value >>= 8)
		to[i] = (unsigned char)value;
}

static int
write_run(vhd_t *disk, unsigned long long first, unsigned long long count,
	  unsigned long long value)
{
	unsigned char data[512];
	int err = 0;

	for (unsigned long long s = first; s < first + count && !err; s++) {
		for (int i = 0; i < 512; i += 16) {
			store(data + i, value);
			store(data + i + 8, s);
		}
		err = vhd_pwrite(disk, data, sizeof(data), s * 512, 0);
	}
	return err;
}

int
main(int argc, char **argv)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *disk;
	int err;

	if (argc < 2 || argc % 3 != 2)
		return 2;
	opts.flags = VHD_OPEN_RDWR;
	err = vhd_open(&disk, argv[1], &opts);
	for (int i = 2; i < argc && !err; i += 3)
		err = write_run(disk, strtoull(argv[i], NULL, 0),
				strtoull(argv[i + 1], NULL, 0),
				strtoull(argv[i + 2], NULL, 0));
	if (!err)
		err = vhd_close(disk);
	if (!err)
		return 0;
	(void)fprintf(stderr, "guest: %s\n", vhd_last_message());
	return 1;
}
