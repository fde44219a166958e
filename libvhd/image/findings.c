/* SPDX-License-Identifier: BSD-3-Clause */
/* findings.c - keep findings, in bounded memory. */
#include "image/findings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_SIZE 512

struct rule {
	char code[5];
	enum vhd_severity severity;
	bool repairable;
};

#define CHECK_RULE(rule, severity, repairable) {#rule, severity, repairable},
static const struct rule rules[] = {CHECK_RULES(CHECK_RULE)};
#undef CHECK_RULE

int
findings_init(struct findings *ret, const char *path)
{
	struct findings f = {.path = strdup(path)};

	if (!f.path)
		return fail_nomem();
	*ret = f;
	return 0;
}

void
findings_free(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		free((char *)(uintptr_t)f->list[i].message);
	free(f->list);
	free(f->path);
	*f = (struct findings){.path = NULL};
}

enum vhd_severity
rule_severity(enum check_rule rule)
{
	return rules[rule].severity;
}

static bool
make_room(struct findings *f)
{
	size_t room = f->room ? 2 * f->room : 16;
	struct vhd_finding *list;

	if (f->n < f->room)
		return true;
	list = realloc(f->list, room * sizeof(*list));
	if (!list)
		return false;
	f->list = list;
	f->room = room;
	return true;
}

static void
keep(struct findings *f, enum check_rule rule, enum vhd_severity severity,
     bool repairable, uint64_t offset, const char *message)
{
	char *copy = strdup(message);

	if (!copy || !make_room(f)) {
		free(copy);
		f->err = VHD_E_NOMEM;
		return;
	}
	f->list[f->n++] = (struct vhd_finding){
		.path = f->path,
		.code = rules[rule].code,
		.severity = severity,
		.offset = offset,
		.message = copy,
		.repairable = repairable && rules[rule].repairable,
	};
}

static uint64_t
most_of(enum check_rule rule)
{
	return rules[rule].severity == VHD_NOTE ? CHECK_EACH_NOTE : CHECK_EACH;
}

void
findings_vadd(struct findings *f, enum check_rule rule,
	      enum vhd_severity severity, bool repairable, uint64_t offset,
	      const char *fmt, va_list args)
{
	char message[MESSAGE_SIZE];

	f->count[rule]++;
	f->with[severity]++;
	if (f->count[rule] == 1 || severity > f->worst[rule])
		f->worst[rule] = severity;
	if (f->count[rule] > most_of(rule))
		return;
	(void)vsnprintf(message, sizeof(message), fmt, args);
	keep(f, rule, severity, repairable, offset, message);
}

uint64_t
findings_count(const struct findings *f, const char *code)
{
	for (unsigned rule = 0; rule < CHECK_RULE_COUNT; rule++)
		if (!strcmp(rules[rule].code, code))
			return f->count[rule];
	return 0;
}

void
findings_add(struct findings *f, enum check_rule rule,
	     enum vhd_severity severity, bool repairable, uint64_t offset,
	     const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	findings_vadd(f, rule, severity, repairable, offset, fmt, args);
	va_end(args);
}

/* Within a rule they stay in the order of discovery.  Few, nearly sorted. */
static void
sort_by_rule(struct findings *f)
{
	for (size_t i = 1; i < f->n; i++) {
		struct vhd_finding moving = f->list[i];
		int number = atoi(moving.code + 1);
		size_t j = i;

		for (; j && atoi(f->list[j - 1].code + 1) > number; j--)
			f->list[j] = f->list[j - 1];
		f->list[j] = moving;
	}
}

int
findings_finish(struct findings *f)
{
	for (unsigned rule = 0; rule < CHECK_RULE_COUNT; rule++) {
		char message[64];

		if (f->count[rule] <= most_of(rule))
			continue;
		(void)snprintf(message, sizeof(message),
			       "and %" PRIu64 " more of this kind",
			       f->count[rule] - most_of(rule));
		keep(f, rule, f->worst[rule], rules[rule].repairable, 0,
		     message);
	}
	if (f->err)
		return fail_nomem();
	sort_by_rule(f);
	return 0;
}

void
findings_cannot_repair(struct findings *f, enum check_rule rule)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].code == rules[rule].code)
			f->list[i].repairable = false;
}
