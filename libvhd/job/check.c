/* SPDX-License-Identifier: BSD-3-Clause */
/* check.c - examine one file, repair it, and tell what was found.
 *
 * After a repair the file is examined again: what the second look does not
 * find any more is told as repaired, and everything else is told from the
 * second look, as something that is left. */
#include "job/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "image/check.h"
#include "image/undo.h"

DEFINE_CLEANUP(struct undo, undo_free);

/* ---- Telling ------------------------------------------------------------ */

static int
tell_one(struct check_job *job, const struct vhd_finding *finding)
{
	if (!job->opts->found ||
	    job->opts->found(finding, job->opts->found_user) == 0)
		return 0;
	return fail(VHD_E_CANCELLED, "%s: stopped while telling what is wrong",
		    finding->path);
}

int
check_tell(struct check_job *job, const struct findings *f)
{
	int err = 0;

	for (size_t i = 0; !err && i < f->n; i++)
		err = tell_one(job, &f->list[i]);
	job->result.errors += f->with[VHD_ERROR] + f->with[VHD_FATAL];
	job->result.warnings += f->with[VHD_WARNING];
	job->result.notes += f->with[VHD_NOTE];
	return err;
}

/* Or has it only moved? */
static bool
is_left(const struct findings *before, const struct findings *after,
	const struct vhd_finding *finding)
{
	if (findings_count(after, finding->code) >=
	    findings_count(before, finding->code))
		return true;
	for (size_t i = 0; i < after->n; i++)
		if (after->list[i].code == finding->code &&
		    after->list[i].offset == finding->offset)
			return true;
	return false;
}

static int
tell_repaired(struct check_job *job, const struct findings *before,
	      const struct findings *after)
{
	int err = 0;

	for (size_t i = 0; !err && i < before->n; i++) {
		struct vhd_finding finding = before->list[i];

		finding.repaired = true;
		if (finding.repairable && !is_left(before, after, &finding))
			err = tell_one(job, &finding);
	}
	for (unsigned rule = 0; rule < CHECK_RULE_COUNT; rule++)
		if (before->count[rule] > after->count[rule])
			job->result.repaired +=
				before->count[rule] - after->count[rule];
	return err;
}

static void
keep_worst(struct checked *ret, const struct findings *f)
{
	ret->bad = f->with[VHD_ERROR] + f->with[VHD_FATAL];
	for (size_t i = f->n; i > 0; i--)
		if (f->list[i - 1].severity >= VHD_ERROR)
			(void)snprintf(ret->first, sizeof(ret->first),
				       "%s: %.200s", f->list[i - 1].code,
				       f->list[i - 1].message);
}

/* ---- One file ----------------------------------------------------------- */

static int
on_phase(void *user, const char *name, uint64_t bytes)
{
	return job_phase(user, name, bytes);
}

static int
on_step(void *user, uint64_t bytes)
{
	return job_step(user, bytes);
}

static int
open_file(struct io **ret, const struct check_job *job, const char *path,
	  bool repair, bool lock)
{
	AUTO(io_close) struct io *io = NULL;
	int err = job->fs->ops->open(&io, job->fs, path,
				     repair ? FS_OPEN_WRITE : 0);

	if (!err && lock && !(job->open_flags & VHD_OPEN_NOLOCK))
		err = io->ops->lock(io, repair ? IO_LOCK_WRITE : IO_LOCK_READ);
	/* After a crash of the last writer memory shows more than the disk
	 * has; what is kept for the undo file must be what is there (P14). */
	if (!err && repair)
		err = io->ops->flush(io);
	if (!err)
		*ret = TAKE(io);
	return err;
}

static int
repair_file(bool *ret_changed, struct check_job *job, struct check *c)
{
	AUTO(undo_free) struct undo *undo = NULL;
	int err = 0;

	if (job->opts->undo)
		err = undo_new(&undo, job->fs, job->opts->undo,
			       c->found.footer.uuid, c->file_size);
	return err ? err : image_repair(ret_changed, c, undo);
}

/* *ret_changed: a repair has written something. */
static int
look(struct checked *ret, struct check_job *job, struct io *io,
     struct findings *findings, bool repair, bool *ret_changed)
{
	const struct check_opts opts = {
		.flags = job->opts->flags,
		.now = job->now,
		.phase = on_phase,
		.step = on_step,
		.user = &job->job,
	};
	struct check c;
	int err = image_check(&c, io, &opts, findings);

	*ret_changed = false;
	ret->usable = c.usable;
	ret->found = c.found;
	if (!err && repair)
		err = repair_file(ret_changed, job, &c);
	check_free(&c);
	return err;
}

/* What a repair has left, another one would leave too: where several things
 * are wrong, one may be in the way of mending another. */
static void
claim_no_more(struct findings *left)
{
	for (size_t i = 0; i < left->n; i++)
		left->list[i].repairable = false;
}

static int
look_again(struct checked *ret, struct check_job *job, struct io *io,
	   const struct findings *before)
{
	AUTO_FINDINGS struct findings after = {.path = NULL};
	bool changed;
	int err = findings_init(&after, before->path);

	if (!err)
		err = look(ret, job, io, &after, false, &changed);
	claim_no_more(&after);
	if (!err)
		err = tell_repaired(job, before, &after);
	if (!err)
		err = check_tell(job, &after);
	if (!err)
		keep_worst(ret, &after);
	return err;
}

static int
examine(struct checked *ret, struct check_job *job, const char *path,
	bool repair, bool lock)
{
	AUTO(io_close) struct io *io = NULL;
	AUTO_FINDINGS struct findings findings = {.path = NULL};
	bool changed;
	int err = findings_init(&findings, path);

	if (!err)
		err = open_file(&io, job, path, repair, lock);
	if (!err)
		err = look(ret, job, io, &findings, repair, &changed);
	if (err)
		return err;
	if (changed)
		return look_again(ret, job, io, &findings);
	if (repair)
		claim_no_more(&findings);
	keep_worst(ret, &findings);
	return check_tell(job, &findings);
}

static int
tell_no_file(struct checked *ret, struct check_job *job, const char *path)
{
	AUTO_FINDINGS struct findings findings = {.path = NULL};
	int err = findings_init(&findings, path);

	if (err)
		return err;
	findings_add(&findings, V01, VHD_FATAL, false, 0, "%s",
		     ret->stat.directory
			     ? "this is a directory"
			     : "neither a regular file nor a block device");
	err = findings_finish(&findings);
	if (!err)
		err = check_tell(job, &findings);
	keep_worst(ret, &findings);
	return err;
}

int
check_file(struct checked *ret, struct check_job *job, const char *path,
	   bool repair, bool lock)
{
	struct checked checked = {.usable = false};
	int err = job->fs->ops->stat(&checked.stat, job->fs, path);

	if (err)
		return err;
	if (!checked.stat.regular && !checked.stat.block_device)
		err = tell_no_file(&checked, job, path);
	else
		err = examine(&checked, job, path, repair, lock);
	if (!err)
		*ret = checked;
	return err;
}

/* ---- The job ------------------------------------------------------------ */

int
job_check(struct vhd_check_result *ret, const struct fs *fs, const char *path,
	  const struct vhd_check_opts *opts)
{
	struct check_job job = {
		.fs = fs,
		.opts = opts,
		.open_flags = opts->open ? opts->open->flags : 0,
		.now = time(NULL),
		.result = {.struct_size = ret->struct_size},
	};
	struct checked leaf;
	int err;

	job_start(&job.job, opts->job);
	job.repair = opts->flags & VHD_CHECK_REPAIR && !job_dry_run(&job.job);
	err = job_phase(&job.job, "check", 0);
	if (!err)
		err = check_file(&leaf, &job, path, job.repair, true);
	if (!err && opts->flags & VHD_CHECK_CHAIN)
		err = check_chain(&job, path, &leaf);
	if (err)
		return err;
	job_finish(&job.job);
	*ret = job.result;
	return 0;
}

int
job_undo(const struct fs *fs, const char *path, const char *undo)
{
	AUTO(io_close) struct io *image = NULL, *kept = NULL;
	int err = fs->ops->open(&image, fs, path, FS_OPEN_WRITE);

	if (!err)
		err = image->ops->lock(image, IO_LOCK_WRITE);
	if (!err)
		err = image->ops->flush(image);
	if (!err)
		err = fs->ops->open(&kept, fs, undo, 0);
	/* Whoever wrote it may have been killed (P14). */
	if (!err)
		err = kept->ops->flush(kept);
	return err ? err : undo_apply(image, kept);
}
