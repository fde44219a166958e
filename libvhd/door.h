/* SPDX-License-Identifier: BSD-3-Clause */
/* door.h - arguments are checked here, once, and options are copied so that
 * those of a program built against an older header are complete. */
#ifndef VHDI_DOOR_H
#define VHDI_DOOR_H
#include <stddef.h>

#include <vhd.h>

#include "base/error.h"

/* Copies a struct that begins with its size. */
int door_copy(void *to, size_t to_size, const void *from) MUST_CHECK;
#define COPY_OPTS(to, from) door_copy(&(to), sizeof(to), from)

/* Hands out a result of which the caller may know only the first part. */
void door_give(void *ret, const void *from, size_t size);

/* The argument is there, or VHD_E_INVALID. */
int door_need(const void *argument, const char *name) MUST_CHECK;

/* The options of a job, or NULL. */
int door_job_opts(const struct vhd_job_opts **ret, struct vhd_job_opts *room,
		  const struct vhd_job_opts *opts) MUST_CHECK;
#endif
