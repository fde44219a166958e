/* SPDX-License-Identifier: BSD-3-Clause */
/* info.h - the handle behind vhd_t, and the strings that vhd_get_info()
 * hands out. */
#ifndef VHDI_INFO_H
#define VHDI_INFO_H
#include <pthread.h>

#include <vhd.h>

#include "chain/chain.h"

/* What stays valid until the disk is closed. */
struct info_strings {
	struct info_strings *next;
	char *text;
};

struct vhd {
	struct chain *chain;
	pthread_mutex_t info_lock;
	struct info_strings *strings; /* [info_lock] */
};

int info_fill(struct vhd_info *ret, vhd_t *vhd, uint32_t layer) MUST_CHECK;
void info_free(vhd_t *vhd);
#endif
