/* SPDX-License-Identifier: BSD-3-Clause */
/* test_job.c - progress, cancelling, the rate and the plan. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "job/job.h"

struct log {
	unsigned calls;
	struct vhd_progress last;
	unsigned stop_at; /* the call that asks to stop; 0: none */
};

static int
note(const struct vhd_progress *progress, void *user)
{
	struct log *log = user;

	assert_true(progress->done >= log->last.done);
	assert_true(!progress->total || progress->done <= progress->total);
	log->last = *progress;
	return ++log->calls == log->stop_at;
}

static struct vhd_job_opts
logging(struct log *log)
{
	struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;

	opts.progress = note;
	opts.progress_user = log;
	return opts;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
test_many_steps_make_few_calls(void **state)
{
	struct log log = {0};
	struct vhd_job_opts opts = logging(&log);
	struct job job;

	(void)state;
	job_start(&job, &opts);
	assert_int_equal(job_phase(&job, "copy", 1000000), 0);
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(job_step(&job, 1), 0);
	assert_true(log.calls < 100);
	job_finish(&job);
	assert_true(log.last.done == 1000000);
	assert_true(log.last.total == 1000000);
}

static void
test_phases_add_up(void **state)
{
	struct log log = {0};
	struct vhd_job_opts opts = logging(&log);
	struct job job;

	(void)state;
	job_start(&job, &opts);
	assert_int_equal(job_phase(&job, "read", 10), 0);
	assert_int_equal(job_step(&job, 10), 0);
	assert_int_equal(job_phase(&job, "write", 30), 0);
	assert_string_equal(log.last.phase, "write");
	assert_int_equal(log.last.done, 10);
	assert_int_equal(log.last.total, 40);
}

static void
test_stop_is_for_good(void **state)
{
	struct log log = {.stop_at = 1};
	struct vhd_job_opts opts = logging(&log);
	struct job job;

	(void)state;
	job_start(&job, &opts);
	assert_int_equal(job_phase(&job, "copy", 10), VHD_E_CANCELLED);
	assert_int_equal(job_step(&job, 1), VHD_E_CANCELLED);
	assert_int_equal(job_phase(&job, "next", 10), VHD_E_CANCELLED);
	assert_int_equal(log.calls, 1);
}

static void
test_rate_slows_down(void **state)
{
	struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;
	struct job job;
	double start = now(), took;

	(void)state;
	opts.rate = 1000000;
	job_start(&job, &opts);
	for (int i = 0; i < 3; i++)
		assert_int_equal(job_step(&job, 100000), 0);
	took = now() - start;
	if (took < 0.28)
		fail_msg("300000 bytes at 1000000 a second took %f s", took);
}

static void
test_slow_job_can_be_stopped(void **state)
{
	struct log log = {.stop_at = 2};
	struct vhd_job_opts opts = logging(&log);
	struct job job;
	double start = now();

	(void)state;
	opts.rate = 1;
	job_start(&job, &opts);
	assert_int_equal(job_step(&job, 1000000), VHD_E_CANCELLED);
	assert_true(now() - start < 10);
}

static void
test_plan_that_does_not_fit_stops_the_job(void **state)
{
	struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;
	struct vhd_plan told = VHD_PLAN_INIT;
	struct vhd_plan plan = {.peak_extra = 100, .free = 50, .fits = false};
	struct job job;

	(void)state;
	opts.plan = &told;
	job_start(&job, &opts);
	assert_int_equal(job_plan(&job, "disk", &plan), VHD_E_NOSPACE);
	assert_non_null(strstr(error_message(), "100 bytes needed, 50 free"));
	assert_int_equal(told.peak_extra, 100);
	assert_int_equal(told.struct_size, sizeof(told));
	opts.dry_run = true;
	assert_int_equal(job_plan(&job, "disk", &plan), 0);
	opts.dry_run = false;
	plan.fits = true;
	assert_int_equal(job_plan(&job, "disk", &plan), 0);
}

static void
test_older_program_gets_the_fields_it_knows(void **state)
{
	struct vhd_job_opts opts = VHD_JOB_OPTS_INIT;
	struct vhd_plan told = {.struct_size = offsetof(struct vhd_plan, free),
				.free = 7};
	struct vhd_plan plan = {.peak_extra = 1, .free = 50, .fits = true};
	struct job job;

	(void)state;
	opts.plan = &told;
	job_start(&job, &opts);
	assert_int_equal(job_plan(&job, "disk", &plan), 0);
	assert_int_equal(told.peak_extra, 1);
	assert_int_equal(told.free, 7);
}

static void
test_options_may_be_missing(void **state)
{
	struct vhd_plan plan = {.fits = true};
	struct job job;

	(void)state;
	job_start(&job, NULL);
	assert_int_equal(job_plan(&job, "disk", &plan), 0);
	assert_false(job_dry_run(&job));
	assert_int_equal(job_phase(&job, "copy", 1), 0);
	assert_int_equal(job_step(&job, 1), 0);
	job_finish(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_steps_make_few_calls),
		cmocka_unit_test(test_phases_add_up),
		cmocka_unit_test(test_stop_is_for_good),
		cmocka_unit_test(test_rate_slows_down),
		cmocka_unit_test(test_slow_job_can_be_stopped),
		cmocka_unit_test(test_plan_that_does_not_fit_stops_the_job),
		cmocka_unit_test(test_older_program_gets_the_fields_it_knows),
		cmocka_unit_test(test_options_may_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
