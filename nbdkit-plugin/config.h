/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * config.h - the parameters of the plugin.
 */
#ifndef NBDKIT_VHD_CONFIG_H
#define NBDKIT_VHD_CONFIG_H
#include <stdbool.h>
#include <stddef.h>

/* Filled while nbdkit reads its command line, then constant. */
struct config {
	char *file;         /* absolute; with snapshot=, that of the snapshot */
	char *dir;          /* absolute; one of file and dir is given */
	char *snapshot;     /* or NULL */
	const char **allow; /* directories where parents may be */
	size_t nallow;
	char *control; /* absolute; NULL: found by device and inode */
	bool autoresume;
	bool readonly;
};
extern struct config config;

#define CONFIG_HELP                                                            \
	"[file=]<DISK>      Serve this disk.\n"                                \
	"snapshot=<NAME>    Serve its snapshot NAME instead, read-only.\n"     \
	"dir=<DIR>          Serve every disk in DIR, each as an export.\n"     \
	"allow-dir=<DIR>    Look for parents in DIR too; may be repeated.\n"   \
	"readonly=true      Open for reading only (use together with -r).\n"   \
	"control=<PATH>     Listen for vhdtool at PATH (default: found by "    \
	"it).\n"                                                               \
	"autoresume=true    Carry on with a merge that was interrupted."

/* The callbacks of nbdkit. */
int config_read(const char *key, const char *value);
int config_complete(void);
void config_free(void);
#endif
