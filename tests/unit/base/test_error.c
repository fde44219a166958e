/* SPDX-License-Identifier: BSD-3-Clause */
/* test_error.c - the sentence, the code and the errno of a failure. */
#include "base/error.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

static void
test_fail_returns_its_code_and_keeps_its_sentence(void **state)
{
	(void)state;
	assert_int_equal(fail(VHD_E_CORRUPT, "a.vhd: block %u", 7u),
			 VHD_E_CORRUPT);
	assert_string_equal(error_message(), "a.vhd: block 7");
	assert_int_equal(error_sys(), 0);
}

static void
test_fail_may_quote_the_last_sentence(void **state)
{
	(void)state;
	(void)fail(VHD_E_IO, "inner");
	(void)fail(VHD_E_IO, "outer, because of %s", error_message());
	assert_string_equal(error_message(), "outer, because of inner");
}

static void
test_fail_makes_hostile_names_harmless(void **state)
{
	(void)state;
	(void)fail(VHD_E_FORMAT, "%s: no", "\033[2Jevil\n\xff");
	assert_string_equal(error_message(), "\\x1b[2Jevil\\x0a\\xff: no");
}

static void
test_long_sentence_is_cut(void **state)
{
	char name[2000];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	(void)fail(VHD_E_IO, "%s", name);
	assert_int_equal(strlen(error_message()), 511);
	(void)fail_more(VHD_E_IO, "%s", name);
	assert_int_equal(strlen(error_message()), 511);
	(void)fail_sys(EIO, "%s", name);
	assert_int_equal(strlen(error_message()), 511);
}

static void
test_system_errors_become_codes(void **state)
{
	static const struct {
		int sys, code;
	} known[] = {
		{ENOSPC, VHD_E_NOSPACE},  {EDQUOT, VHD_E_NOSPACE},
		{EFBIG, VHD_E_NOSPACE},   {ENOMEM, VHD_E_NOMEM},
		{ENOENT, VHD_E_NOTFOUND}, {EEXIST, VHD_E_EXISTS},
		{EIO, VHD_E_IO},          {EACCES, VHD_E_IO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(fail_sys(known[i].sys, "a.vhd"),
				 known[i].code);
		assert_int_equal(error_sys(), known[i].sys);
	}
}

static void
test_system_error_is_spelled_out(void **state)
{
	(void)state;
	(void)fail_sys(EACCES, "open %s", "a.vhd");
	assert_string_equal(error_message(), "open a.vhd: Permission denied");
	assert_int_equal(errno, EACCES);
}

static void
test_fail_more_goes_in_front_and_keeps_errno(void **state)
{
	(void)state;
	(void)fail_sys(EACCES, "a.vhd");
	assert_int_equal(fail_more(VHD_E_PARENT, "parent of %s", "b.vhd"),
			 VHD_E_PARENT);
	assert_string_equal(error_message(),
			    "parent of b.vhd: a.vhd: Permission denied");
	assert_int_equal(error_sys(), EACCES);
}

static void *
fail_elsewhere(void *ret)
{
	(void)fail_sys(ENOSPC, "worker");
	error_save(ret);
	return NULL;
}

static void
test_each_thread_has_its_own_error(void **state)
{
	struct error theirs;
	pthread_t thread;

	(void)state;
	(void)fail(VHD_E_RANGE, "mine");
	assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, &theirs),
			 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_string_equal(error_message(), "mine");
	assert_int_equal(error_restore(&theirs), VHD_E_NOSPACE);
	assert_string_equal(error_message(), "worker: No space left on device");
	assert_int_equal(error_sys(), ENOSPC);
}

static void
test_every_code_has_a_name_and_an_errno(void **state)
{
	(void)state;
	for (int code = VHD_E_NOMEM; code >= VHD_E_NOTFOUND; code--) {
		assert_string_not_equal(error_name(code), "unknown");
		assert_true(error_errno_of(code) > 0);
		for (int other = VHD_OK; other > code; other--)
			assert_string_not_equal(error_name(code),
						error_name(other));
	}
	assert_int_equal(error_errno_of(VHD_OK), 0);
}

static void
test_unknown_codes_are_harmless(void **state)
{
	static const int strange[] = {1, VHD_E_NOTFOUND - 1, 1 << 30,
				      -2147483647 - 1};

	(void)state;
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		assert_string_equal(error_name(strange[i]), "unknown");
		assert_int_equal(error_errno_of(strange[i]), EIO);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_fail_returns_its_code_and_keeps_its_sentence),
		cmocka_unit_test(test_fail_may_quote_the_last_sentence),
		cmocka_unit_test(test_fail_makes_hostile_names_harmless),
		cmocka_unit_test(test_long_sentence_is_cut),
		cmocka_unit_test(test_system_errors_become_codes),
		cmocka_unit_test(test_system_error_is_spelled_out),
		cmocka_unit_test(test_fail_more_goes_in_front_and_keeps_errno),
		cmocka_unit_test(test_each_thread_has_its_own_error),
		cmocka_unit_test(test_every_code_has_a_name_and_an_errno),
		cmocka_unit_test(test_unknown_codes_are_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
