/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * serve.c - open a disk, mount it, and serve it until the end.
 *
 * This runs after the fork.  The order is: options, mount point, disk,
 * mount; then requests are answered until somebody unmounts or
 * SIGINT, SIGTERM or SIGHUP arrives; then whatever is in progress ends, the
 * disk is flushed and closed, and last of all a mount that is still there
 * goes, so that nobody sees it gone while the image is still open.
 */
#include "serve.h"

#include "args.h"
#include "daemon.h"
#include "exit.h"
#include "ops.h"
#include "place.h"
#include "say.h"

#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

static int
open_disk(vhd_t **ret, const struct args *args, const struct stat *mountpoint)
{
	struct vhd_open_opts opts = VHD_OPEN_OPTS_INIT;
	vhd_t *disk = NULL;
	int err, status;

	opts.flags = args->read_only ? VHD_OPEN_RDONLY : VHD_OPEN_RDWR;
	if (args->raw_parent)
		opts.flags |= VHD_OPEN_RAW_PARENT;
	opts.search = args->search;
	opts.nsearch = args->nsearch;
	err = vhd_open(&disk, args->disk, &opts);
	if (err) {
		say("%s", vhd_last_message());
		return exit_from_err(err);
	}
	status = place_check_images(disk, args, mountpoint);
	if (status == EXIT_DONE)
		*ret = disk;
	else
		(void)vhd_close(disk);
	return status;
}

static int
close_disk(vhd_t *disk, const struct args *args, int status)
{
	int err = vhd_close(disk);

	if (!err)
		return status;
	say("%s: the last writes may be lost: %s", args->disk,
	    vhd_last_message());
	return status == EXIT_DONE ? exit_from_err(err) : status;
}

/* Check the options that libfuse knows; nothing is mounted yet. */
static int
new_session(struct fuse_session **ret, struct args *args,
	    struct ops_state *state)
{
	struct fuse_session *session;
	const char *why;

	say_hold();
	session = fuse_session_new(&args->fuse, &ops, sizeof(ops), state);
	why = say_held();
	if (!session) {
		say("%s; try: vhdfuse --help",
		    why[0] != '\0' ? why : "the options make no sense");
		return EXIT_USAGE;
	}
	*ret = session;
	return EXIT_DONE;
}

static int
mount_session(struct fuse_session *session, const struct args *args)
{
	const char *why;
	int err;

	if (access("/dev/fuse", F_OK) != 0) {
		say("there is no /dev/fuse on this system; try: modprobe fuse");
		return EXIT_FAILED;
	}
	say_hold();
	err = fuse_session_mount(session, args->dir);
	why = say_held();
	if (!err)
		return EXIT_DONE;
	say("cannot mount on %s%s%s", args->dir, why[0] != '\0' ? ": " : "",
	    why);
	return EXIT_FAILED;
}

/* Answer requests until the end. */
static int
run_session(struct fuse_session *session, const struct args *args)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	int err;

	if (!config) {
		say("out of memory");
		return EXIT_FAILED;
	}
	fuse_loop_cfg_set_max_threads(config, args->threads);
	/* A user may be allowed to mount, but not to open the device. */
	fuse_loop_cfg_set_clone_fd(config,
				   access("/dev/fuse", R_OK | W_OK) == 0);
	err = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	if (err >= 0) /* or the number of a signal */
		return EXIT_DONE;
	say("%s: the kernel ended the mount: %s", args->dir, strerror(-err));
	return EXIT_FAILED;
}

/* Take requests of vhdtool; without a place for a socket the disk is served
 * all the same, unless one was asked for. */
static int
start_control(vhd_control_t **ret, vhd_t *disk, const struct args *args)
{
	struct vhd_control_opts opts = VHD_CONTROL_OPTS_INIT;
	int err;

	if (args->read_only)
		return EXIT_DONE;
	opts.socket = args->control;
	opts.autoresume = args->autoresume;
	err = vhd_control_start(ret, disk, &opts);
	if (!err)
		return EXIT_DONE;
	if (!args->control && !args->autoresume) {
		say("warning: no jobs can be asked for: %s",
		    vhd_last_message());
		return EXIT_DONE;
	}
	say("%s", vhd_last_message());
	return exit_from_err(err);
}

static int
serve_control(struct fuse_session *session, const struct args *args,
	      vhd_t *disk)
{
	vhd_control_t *control = NULL;
	int status = start_control(&control, disk, args);

	if (status == EXIT_DONE)
		status = run_session(session, args);
	vhd_control_stop(control);
	return status;
}

/* From the mount to the end. */
static int
serve_session(struct fuse_session *session, struct ops_state *state,
	      vhd_t *disk)
{
	const struct args *args = state->view.args;
	int status;

	if (fuse_set_signal_handlers(session)) {
		say("cannot handle signals");
		return close_disk(disk, args, EXIT_FAILED);
	}
	status = mount_session(session, args);
	if (status == EXIT_DONE)
		status = serve_control(session, args, disk);
	status = close_disk(disk, args, status);
	fuse_session_unmount(session);
	fuse_remove_signal_handlers(session);
	return status;
}

static int
serve_disk(struct fuse_session *session, struct ops_state *state,
	   const struct args *args)
{
	struct stat mountpoint;
	vhd_t *disk = NULL;
	int status = place_check(&mountpoint, args);

	if (status == EXIT_DONE)
		status = open_disk(&disk, args, &mountpoint);
	if (status != EXIT_DONE)
		return status;
	if (view_init(&state->view, args, disk, S_ISREG(mountpoint.st_mode))) {
		say("out of memory");
		status = close_disk(disk, args, EXIT_FAILED);
	} else {
		status = serve_session(session, state, disk);
	}
	view_free(&state->view);
	return status;
}

int
serve(struct args *args)
{
	struct ops_state state = {.ready = daemon_ready};
	struct fuse_session *session = NULL;
	int status = new_session(&session, args, &state);

	if (status != EXIT_DONE)
		return status;
	/* A file system mounted on top must not have to wait for memory that
	 * is freed only by writing through us.  Needs a privilege; without
	 * it things go as they always went. */
	(void)prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	status = serve_disk(session, &state, args);
	fuse_session_destroy(session);
	return status;
}
