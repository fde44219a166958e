/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * serve.h - open a disk, mount it, and serve it until the end.
 */
#ifndef VHDFUSE_SERVE_H
#define VHDFUSE_SERVE_H
struct args;

/* Returns the exit status; everything is said already. */
int serve(struct args *args);
#endif
