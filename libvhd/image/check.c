/* SPDX-License-Identifier: BSD-3-Clause */
/* check.c - the examination of one file, from beginning to end.
 *
 * Nothing here or in the parts trusts a value out of the file.  What is wrong
 * becomes a finding; only what keeps us from looking is a failure. */
#include "image/check.h"

#include <inttypes.h>
#include <stdarg.h>

#include "image/repair.h"

void
tell(struct check *c, enum check_rule rule, uint64_t offset, const char *fmt,
     ...)
{
	va_list args;

	va_start(args, fmt);
	findings_vadd(c->findings, rule, rule_severity(rule), true, offset, fmt,
		      args);
	va_end(args);
}

void
tell_as(struct check *c, enum check_rule rule, enum vhd_severity severity,
	uint64_t offset, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	findings_vadd(c->findings, rule, severity, true, offset, fmt, args);
	va_end(args);
}

int
check_phase(struct check *c, const char *name, uint64_t bytes)
{
	if (!c->opts->phase)
		return 0;
	return c->opts->phase(c->opts->user, name, bytes);
}

int
check_step(struct check *c, uint64_t bytes)
{
	return c->opts->step ? c->opts->step(c->opts->user, bytes) : 0;
}

bool
check_is_sound(const struct check *c)
{
	static const enum check_rule unsound[] = {V17, V44, V45, V46, V49, V51,
						  V61, V70, V73, V74, V87, V90};

	for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++)
		if (findings_has(c->findings, unsound[i]))
			return false;
	return !findings_has(c->findings, V71) ||
	       c->findings->worst[V71] < VHD_ERROR;
}

static int
check_sparse(struct check *c)
{
	static int (*const parts[])(struct check *) = {
		check_header,   check_batmap, check_bat,  check_blocks,
		check_locators, check_space,  check_data,
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(parts) / sizeof(parts[0]); i++)
		err = parts[i](c);
	return err;
}

int
image_check(struct check *c, struct io *io, const struct check_opts *opts,
	    struct findings *findings)
{
	int err;

	*c = (struct check){.io = io, .opts = opts, .findings = findings};
	err = check_find(c);
	if (!err && c->usable)
		err = check_footer(c);
	if (!err && c->usable && c->sparse)
		err = check_sparse(c);
	if (!err)
		err = findings_finish(findings);
	return err ? err : repair_foresee(c);
}

void
check_free(struct check *c)
{
	free(c->bat);
	free(c->order);
	free(c->batmap.map);
	*c = (struct check){.io = NULL};
}
