/* SPDX-License-Identifier: BSD-3-Clause */
/* test_findings.c - how many findings of a kind are told one by one. */
#include <cmocka.h>

#include "image/findings.h"

static void
add(struct findings *f, enum check_rule rule, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		findings_add(f, rule, rule_severity(rule), false, i,
			     "number %u", i);
}

static const char *
last_of(const struct findings *f)
{
	return f->list[f->n - 1].message;
}

static void
test_notes_of_one_kind_are_told_three_times(void **state)
{
	struct findings f;

	(void)state;
	assert_int_equal(findings_init(&f, "disk.vhd"), 0);
	add(&f, V80, 10);
	assert_int_equal(findings_finish(&f), 0);
	assert_int_equal(f.n, CHECK_EACH_NOTE + 1);
	assert_string_equal(last_of(&f), "and 7 more of this kind");
	findings_free(&f);
}

static void
test_errors_of_one_kind_are_told_twenty_times(void **state)
{
	struct findings f;

	(void)state;
	assert_int_equal(findings_init(&f, "disk.vhd"), 0);
	add(&f, V73, 30);
	assert_int_equal(findings_finish(&f), 0);
	assert_int_equal(f.n, CHECK_EACH + 1);
	assert_string_equal(last_of(&f), "and 10 more of this kind");
	findings_free(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes_of_one_kind_are_told_three_times),
		cmocka_unit_test(test_errors_of_one_kind_are_told_twenty_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
