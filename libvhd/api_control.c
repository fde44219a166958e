/* SPDX-License-Identifier: BSD-3-Clause */
/* api_control.c - the door to a process that serves a disk.
 *
 * VHD_CONTROL is 0 in a library that was built without it. */
#include <vhd.h>

#include "base/error.h"
#include "door.h"
#include "info.h"

#if VHD_CONTROL
#include "control/client.h"
#include "control/server.h"
#else
struct control;

static int
left_out(void)
{
	return fail(VHD_E_UNSUPPORTED,
		    "this libvhd was built without the control socket; build "
		    "it with VHD_CONTROL=ON");
}

static int
control_start(struct control **ret, struct chain *chain,
	      const struct vhd_control_opts *opts)
{
	(void)ret, (void)chain, (void)opts;
	return left_out();
}

static void
control_stop(struct control *control)
{
	(void)control;
}

static int
client_call(char **ret, const char *disk, const char *command,
	    const char *arguments, const struct vhd_job_opts *job)
{
	(void)ret, (void)disk, (void)command, (void)arguments, (void)job;
	return left_out();
}
#endif

int
vhd_control_start(vhd_control_t **ret, vhd_t *vhd,
		  const struct vhd_control_opts *opts)
{
	struct vhd_control_opts o;
	struct control *c;
	int err = COPY_OPTS(o, opts);

	if (!err)
		err = control_start(&c, vhd->chain, &o);
	if (!err)
		*ret = (vhd_control_t *)c;
	return err;
}

void
vhd_control_stop(vhd_control_t *control)
{
	control_stop((struct control *)control);
}

int
vhd_control_call(char **ret_json, const char *disk, const char *command,
		 const char *arguments, const struct vhd_job_opts *job)
{
	struct vhd_job_opts room;
	const struct vhd_job_opts *o;
	int err = door_job_opts(&o, &room, job);

	if (!err)
		err = door_need(disk, "disk");
	if (!err)
		err = door_need(command, "command");
	return err ? err : client_call(ret_json, disk, command, arguments, o);
}
