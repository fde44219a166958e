/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main.c - vhdfuse: a VHD disk as a file system.
 */
#include "args.h"
#include "daemon.h"
#include "exit.h"
#include "say.h"
#include "serve.h"

static int
run(struct args *args)
{
	if (!args->foreground && daemon_fork())
		return EXIT_FAILED;
	return daemon_end(serve(args));
}

int
main(int argc, char *argv[])
{
	struct args args;
	int status;

	fuse_set_log_func(say_fuse);
	status = args_parse(&args, argc, argv);
	if (status == ARGS_GO_ON)
		status = run(&args);
	args_free(&args);
	return status;
}
