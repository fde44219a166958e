/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main.c - vhdfuse: a VHD disk as a file system.
 */
#include "args.h"
#include "daemon.h"
#include "exit.h"
#include "say.h"
#include "serve.h"

#include <fcntl.h>
#include <unistd.h>

/* Where stdin, stdout or stderr is missing, no pipe may take its place. */
static void
fill_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

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

	fill_standard();
	fuse_set_log_func(say_fuse);
	status = args_parse(&args, argc, argv);
	if (status == ARGS_GO_ON)
		status = run(&args);
	args_free(&args);
	return status;
}
