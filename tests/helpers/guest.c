/* SPDX-License-Identifier: BSD-3-Clause */
/* guest.c - writes to a disk as its guest would.
 *
 *	guest DISK [FIRST COUNT VALUE]...
 *	guest --hold DISK	has it open until its input ends
 *	guest --look DISK	the same, only for reading
 *
 * Each sector of a run gets 32 times VALUE and its own number, as eight bytes
 * each, big-endian: the patterns of vhdmake.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static int
hold(const char *path, uint32_t flags)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *disk;
	int err;

	opts.flags = flags;
	err = vhd_open(&disk, path, &opts);
	if (err)
		return err;
	(void)puts("ready");
	(void)fclose(stdout);
	while (getchar() != EOF)
		;
	return vhd_close(disk);
}

static int
write_all(int argc, char **argv)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *disk;
	int err;

	opts.flags = VHD_OPEN_RDWR;
	err = vhd_open(&disk, argv[1], &opts);
	if (err)
		return err;
	for (int i = 2; i < argc && !err; i += 3)
		err = write_run(disk, strtoull(argv[i], NULL, 0),
				strtoull(argv[i + 1], NULL, 0),
				strtoull(argv[i + 2], NULL, 0));
	return err ? err : vhd_close(disk);
}

int
main(int argc, char **argv)
{
	int err;

	if (argc == 3 && !strcmp(argv[1], "--hold"))
		err = hold(argv[2], VHD_OPEN_RDWR);
	else if (argc == 3 && !strcmp(argv[1], "--look"))
		err = hold(argv[2], VHD_OPEN_RDONLY);
	else if (argc > 1 && argc % 3 == 2)
		err = write_all(argc, argv);
	else
		return 2;
	if (err)
		(void)fprintf(stderr, "guest: %s\n", vhd_last_message());
	return err ? 1 : 0;
}
