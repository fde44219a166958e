/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * args.h - the command line of vhdfuse.
 */
#ifndef VHDFUSE_ARGS_H
#define VHDFUSE_ARGS_H
#define FUSE_USE_VERSION 312
#include <fuse_opt.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct args {
	char *disk; /* absolute, allocated as the others are */
	char *dir;
	int read_only; /* int where libfuse's parser writes */
	int allow_other;
	int foreground;
	int raw_parent;
	int autoresume;
	char *control; /* socket, absolute; NULL: found by vhdtool */
	bool cache;
	unsigned int threads;
	unsigned int uid;
	unsigned int gid;
	unsigned int mode; /* permissions of the files */
	const char **search;
	size_t nsearch;
	struct fuse_args fuse; /* what libfuse is told */
	int status;            /* while parsing: ARGS_GO_ON, or the end */
};

#define ARGS_GO_ON (-1)

/* ARGS_GO_ON, or the exit status when everything is said already.  Either
 * way the caller calls args_free(). */
int args_parse(struct args *ret, int argc, char *argv[]);
void args_free(struct args *args);
#endif
