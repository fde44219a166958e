/* SPDX-License-Identifier: BSD-3-Clause */
/* client.h - the asking end. */
#ifndef VHDI_CLIENT_H
#define VHDI_CLIENT_H
#include <vhd.h>

#include "base/error.h"

/* vhd_control_call of vhd.h. */
int client_call(char **ret_json, const char *disk, const char *command,
		const char *arguments,
		const struct vhd_job_opts *job) MUST_CHECK;
#endif
